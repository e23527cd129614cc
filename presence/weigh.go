package presence

import (
	"cmp"
	"strings"
	"time"
)

// verdict is what becomes of a contribution.
type verdict uint8

const (
	counts   verdict = iota // with its state and its channels
	lapsed                  // as the state that it has turned into
	bare                    // with its channels: it names no state, or none that there is
	masked                  // with its channels alone, since a manual Available is newer
	unshared                // with its channels alone, since the person does not share its state
	expired                 // not at all
)

// weighed is a contribution and what becomes of it.
type weighed struct {
	c       *Contribution
	verdict verdict
	busy    bool   // what it tells of a telephone is left out
	state   *State // nil: none
	since   time.Time
	open    Channel // the channels that count
}

// weighAll decides on each contribution and appends to list, in their order.
func (c *Catalogue) weighAll(list []weighed, kind Kind, cs []Contribution, terms Terms, now time.Time) []weighed {
	var byHand *Contribution // the newest manual state that masks
	for i := range cs {
		w := c.weigh(kind, &cs[i], terms, now)
		if w.verdict == counts && w.state.Has(TraitMasks) && SourceKind(w.c.Source) == FromManual &&
			(byHand == nil || w.since.After(byHand.Since)) {
			byHand = w.c
		}
		list = append(list, w)
	}
	if byHand == nil {
		return list
	}
	for i := range list {
		if list[i].maskedBy(byHand) {
			list[i].verdict = masked
		}
	}
	return list
}

// maskedBy reports whether a manual Available hides the state: what the calendar said
// before, and that nobody touches a client. Calls, shifts, rules of the organisation
// and a wish not to be disturbed are not hidden.
func (w *weighed) maskedBy(byHand *Contribution) bool {
	if w.verdict != counts {
		return false
	}
	return w.state.Has(TraitIdle) || SourceKind(w.c.Source) == FromCalendar && w.since.Before(byHand.Since)
}

// weigh decides on one contribution by itself.
func (c *Catalogue) weigh(kind Kind, said *Contribution, terms Terms, now time.Time) weighed {
	w := weighed{c: said, since: said.Since, open: said.Channels}
	id := said.State
	if !now.Before(said.Expires) {
		w.verdict, w.open, w.since = lapsed, 0, said.Expires
		id = said.Lapse
	}
	if w.state = c.known(kind, id); w.state == nil && w.verdict == lapsed {
		w.verdict = expired
	} else if w.state == nil {
		w.verdict = bare
	}
	if kindOf(kind) == Person {
		c.share(&w, terms.Sharing)
	}
	return w
}

// known returns the state with an id, or nil. A device of which something is said
// that nobody knows is not shown as ready for that: its state is unknown.
func (c *Catalogue) known(kind Kind, id string) *State {
	if s, ok := c.Lookup(kind, id); ok {
		return s
	}
	if kind == Device && id != "" {
		return c.kinds[Device][Unknown]
	}
	return nil
}

// share leaves out what a person does not want to be seen of their telephones.
func (c *Catalogue) share(w *weighed, sharing Sharing) {
	phone := w.state != nil && w.state.Has(TraitPhone)
	switch {
	case sharing == ShareNothing:
		w.open &^= Voice | Text
		if phone {
			w.verdict, w.state = unshared, nil
		}
	case sharing == ShareBusyOnly && phone:
		w.busy = true
		if w.state.Has(TraitCall) {
			w.state = c.kinds[Person][Busy]
		} else if w.c.Axis != Reachability {
			w.verdict, w.state = unshared, nil
		}
	}
}

// contribution returns the contribution as it counts.
func (w *weighed) contribution() Contribution {
	c := *w.c
	c.Channels = w.open
	if w.verdict == lapsed {
		c.State, c.Since, c.Lapse = c.Lapse, c.Expires, ""
		c.Facets = Facets{Device: c.Facets.Device, Cause: c.Facets.Cause, Ref: c.Facets.Ref}
	}
	if w.busy {
		if w.state.ID == Busy {
			c.State = Busy
		}
		c.Source = SourceKind(c.Source)
		c.Facets = Facets{Until: c.Facets.Until}
	}
	return c
}

// byRank orders contributions: the one that wins comes first. Those that differ in
// anything that can be seen are never equal, so that their order is of no account.
func byRank(a, b weighed) int {
	return cmp.Or(
		cmp.Compare(b.rank(), a.rank()),
		b.since.Compare(a.since),
		strings.Compare(a.c.Source, b.c.Source),
		compareRest(a.c, b.c),
	)
}

// rank is that of the state; without one it is below all.
func (w *weighed) rank() int8 {
	if w.state == nil {
		return -1
	}
	return w.state.Rank
}

// compareRest compares what one source says on several axes, or of several calls.
func compareRest(a, b *Contribution) int {
	if n := cmp.Or(
		cmp.Compare(a.Axis, b.Axis), strings.Compare(a.State, b.State), strings.Compare(a.Facets.Ref, b.Facets.Ref),
		b.Expires.Compare(a.Expires), cmp.Compare(a.Channels, b.Channels), strings.Compare(a.Lapse, b.Lapse),
	); n != 0 {
		return n
	}
	if a.Stale != b.Stale {
		return order(a.Stale)
	}
	return compareFacets(&a.Facets, &b.Facets)
}

func compareFacets(a, b *Facets) int {
	if a.Inbound != b.Inbound {
		return order(a.Inbound)
	}
	return cmp.Or(
		strings.Compare(a.Text, b.Text), strings.Compare(a.Device, b.Device), strings.Compare(a.Counterpart, b.Counterpart),
		strings.Compare(a.Ref, b.Ref), a.Until.Compare(b.Until), strings.Compare(a.Cause, b.Cause),
		cmp.Compare(a.Priority, b.Priority), a.Idle.Compare(b.Idle), cmp.Compare(a.Messages, b.Messages),
	)
}

// order puts what is not so before what is.
func order(first bool) int {
	if first {
		return 1
	}
	return -1
}
