package presence

import (
	"slices"
	"time"
)

// Terms are what the merge has to know of a subject besides what sources say.
type Terms struct {
	// Critical is of a device that stays in sight when it cannot be reached.
	Critical bool

	// Sharing is how much of their telephones a person lets others see.
	Sharing Sharing
}

// Sharing is how much of their telephones a person lets others see.
type Sharing uint8

// The choices of phone_state_sharing.
const (
	SharePhone    Sharing = iota // "on": what the telephones do
	ShareBusyOnly                // "busy-only": that they are busy, and not that they telephone
	ShareNothing                 // "off": it is as if they had no telephone
)

var sharingNames = []string{"on", "busy-only", "off"}

// String returns the word for it: "on", "busy-only" or "off".
func (s Sharing) String() string { return sharingNames[s] }

// ParseSharing returns the choice with that word.
func ParseSharing(s string) (choice Sharing, ok bool) {
	i := slices.Index(sharingNames, s)
	return Sharing(max(i, 0)), i >= 0
}

// Reasons why a state has won.
const (
	becauseOnly    = "nothing else is said"
	becauseHighest = "the highest rank"
	becauseNewest  = "the newest of the highest rank"
	becauseFirst   = "the first by name of the newest of the highest rank"
	becauseGate    = "nothing can be reached"
	becauseSilent  = "nothing can be reached, and who would know why is silent"
	becauseChannel = "it can be reached, and nothing is said of its state"
)

// Merge returns what all contributions to a subject come to at a moment. It is a
// pure function, and the order of the contributions is of no account.
//
// Contributions that have expired do not count. What a manual Available masks, and
// what the person does not share, does not either. Of the rest the highest rank
// wins, then the newest, then the first by the name of its source. Without any
// channel the subject is offline, unless the state is one that stands all the same.
//
// Since is zero if nobody has said it, Version is for the caller to set.
func Merge(subject Subject, kind Kind, cs []Contribution, cat *Catalogue, terms Terms, now time.Time) *Effective {
	var room [roomFor]weighed
	list := cat.weighAll(room[:0], kind, cs, terms, now)
	e := &Effective{Subject: subject, Kind: kind, Critical: terms.Critical && kind == Device}
	n, fresh := 0, false
	for i := range list {
		e.Channels |= list[i].open
		fresh = fresh || list[i].open != 0 && !list[i].c.Stale
		if list[i].verdict <= bare {
			list[n] = list[i]
			n++
		}
	}
	list = list[:n]
	slices.SortFunc(list, byRank)

	var seats [roomFor]ranked
	rank := seats[:0]
	if n > 0 {
		e.All = make([]Contribution, n)
	}
	for i := range list {
		e.All[i] = list[i].contribution()
		rank = append(rank, ranked{&e.All[i], list[i].state})
	}
	p := cat.pick(kind, rank, e.Channels, everything, "")
	if p.beside != nil {
		e.Secondary = cat.alone[p.beside.ID]
	}
	e.take(p, now)
	e.Stale = e.Winner.Stale || e.Channels != 0 && !fresh
	return e
}

// roomFor is for how many contributions the merge needs no memory of its own.
const roomFor = 16

// take fills in what has won.
func (e *Effective) take(p picked, now time.Time) {
	e.State, e.Engaged, e.Reason = p.id, p.engaged, p.reason
	if p.c == nil {
		return
	}
	e.Winner, e.Since = *p.c, p.c.Since
	if p.c.Facets.Until.After(now) {
		e.Until = p.c.Facets.Until
	}
}

// With returns what a state comes to when one source says something else: for who has to
// know before the engine has taken it in. What e leaves out stays left out.
func (c *Catalogue) With(e *Effective, said Contribution, now time.Time) *Effective {
	cs := slices.DeleteFunc(slices.Clone(e.All), func(other Contribution) bool { return other.Source == said.Source })
	return Merge(e.Subject, e.Kind, append(cs, said), c, Terms{Critical: e.Critical}, now)
}

// NextChange returns the next moment at which the result of [Merge] may change by
// time alone, or zero if there is none.
func NextChange(cs []Contribution, now time.Time) (next time.Time) {
	sooner := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for i := range cs {
		if now.Before(cs[i].Expires) {
			sooner(cs[i].Expires)
			sooner(cs[i].Facets.Until)
		}
	}
	return next
}
