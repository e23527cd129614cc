package presence

import "slices"

// picture is an effective state as it is kept. Of a person of whom nobody says anything
// but one chat client or two, which is nearly all who are online, or nobody at all, it
// holds no more than it takes to make the state anew for who asks. It is never changed
// once it is shown.
type picture struct {
	whole   *Effective // nil: it follows from the rest
	version uint64
	since   moment

	says     [maxSketched]*fact // in order of rank; nil: no more
	channels Channel
	stale    bool
	reason   uint8 // where in reasons
}

// maxSketched is how many clients a picture has room for that is not whole.
const maxSketched = 2

// whole is a picture together with its state.
type whole struct {
	picture
	state Effective
}

// reasons are those that a picture which is not whole may have.
var reasons = []string{becauseOnly, becauseHighest, becauseNewest, becauseFirst, becauseGate}

// few reports whether what is said of somebody may make a picture that is not whole.
func few(kind Kind, said []fact) bool {
	if kind != Person || len(said) > maxSketched {
		return false
	}
	for i := range said {
		if SourceKind(said[i].source) != FromClient {
			return false
		}
	}
	return true
}

// pictureOf returns a picture of a state that belongs to somebody else, which is made of
// what is said. It holds on to what is said.
func pictureOf(e *Effective, said []fact) *picture {
	if p := sketch(e, said); p != nil {
		return p
	}
	w := &whole{state: *e}
	if w.state.All = nil; len(e.All) > 0 {
		w.state.All = slices.Clone(e.All)
	}
	w.whole = &w.state
	return &w.picture
}

// sketch returns a picture that is not whole, or nil if anything would be lost by that.
func sketch(e *Effective, said []fact) *picture {
	reason := slices.Index(reasons, e.Reason)
	if e.Kind != Person || e.Critical || e.Engaged || len(e.Secondary) > 0 || !e.Until.IsZero() || reason < 0 || len(e.All) > maxSketched {
		return nil
	}
	p := &picture{channels: e.Channels, stale: e.Stale, reason: uint8(reason)}
	winner, state := Contribution{}, Offline
	if len(e.All) > 0 {
		winner, state = e.All[0], e.All[0].State
	}
	if e.Winner != winner || e.State != state {
		return nil
	}
	for i := range e.All {
		at := slices.IndexFunc(said, func(f fact) bool { return f.source == e.All[i].Source })
		if at < 0 || said[at].contribution() != e.All[i] {
			return nil
		}
		p.says[i] = &said[at]
	}
	return p
}

// effective returns the state. If there is none yet it fills in the one that is given,
// with its room for contributions.
func (p *picture) effective(subject Subject, to *Effective) *Effective {
	if p.whole != nil {
		return p.whole
	}
	*to = Effective{
		Subject: subject, Kind: Person, Version: p.version, State: p.state(), Channels: p.channels,
		Since: p.since.time(), Stale: p.stale, Reason: reasons[p.reason], All: to.All[:0],
	}
	n := 0
	for n < maxSketched && p.says[n] != nil {
		n++
	}
	if n == 0 {
		to.All = nil
		return to
	}
	if cap(to.All) < n {
		to.All = make([]Contribution, 0, n)
	}
	for _, f := range p.says[:n] {
		to.All = append(to.All, f.contribution())
	}
	to.Winner = to.All[0]
	return to
}

// state is that of the first, if there is any.
func (p *picture) state() string {
	switch {
	case p.whole != nil:
		return p.whole.State
	case p.says[0] == nil:
		return Offline
	}
	return p.says[0].state
}
