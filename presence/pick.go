package presence

import "slices"

// everything is the level that sees all states, ringing and those that hide others:
// that at which the merge looks.
const everything Level = NumLevels

// ranked is a contribution that counts, with its state; nil is none.
type ranked struct {
	c     *Contribution
	state *State
}

// picked is what wins at a level.
type picked struct {
	state   *State
	id      string        // of the state; of a custom one that is not in the catalogue its own
	c       *Contribution // that it comes from; nil: it follows from what is not said
	beside  *State        // nil: none
	engaged bool
	reason  string
}

// pick returns what wins among contributions in order of rank, as a level sees it. With
// the name of a source, what other clients than that say is left out.
func (c *Catalogue) pick(kind Kind, list []ranked, open Channel, level Level, client string) (p picked) {
	seen := func(r ranked) bool {
		return r.state != nil && (level == everything || r.state.SeenAt(level)) &&
			(client == "" || r.c.Source == client || !fromClient(r.c))
	}
	winner := -1
	for i := range list {
		if seen(list[i]) && (open != 0 || list[i].state.Has(TraitUnreachable)) {
			winner = i
			break
		}
	}
	if winner < 0 {
		return c.rest(kind, list, open)
	}
	w := list[winner]
	p = picked{state: w.state, id: w.state.ID, c: w.c, reason: because(list, winner, seen)}
	if p.id == customAny {
		p.id = w.c.State
	}
	p.beside = beside(list, w.state, seen)
	p.engaged = kindOf(kind) == Person && c.engaged(list, w, open, seen)
	return p
}

// rest is what follows when nobody says what a subject does: it is offline, for the
// newest reason that is given, or there is a channel and no more. A device of which
// nobody says that it is offline, and somebody that they do not know, is unknown.
func (c *Catalogue) rest(kind Kind, list []ranked, open Channel) (p picked) {
	states := c.kinds[kindOf(kind)]
	if open != 0 {
		p.reason = becauseChannel
		switch {
		case kind == Device:
			p.state = states[Unknown]
		case kind == Team:
			p.state = states[teamShort]
		case open&(Chat|Mobile) != 0:
			p.state = states[Idle]
		default:
			p.state = states[PhoneOnly]
		}
		p.id = p.state.ID
		return p
	}
	p = picked{state: states[Offline], id: Offline, reason: becauseGate}
	if i := slices.IndexFunc(list, func(r ranked) bool { return r.state == p.state }); i >= 0 {
		p.c = list[i].c
		return p
	}
	// A device whose PBX has fallen silent may be in order: nobody says that it is not.
	if i := slices.IndexFunc(list, func(r ranked) bool { return r.state == states[Unknown] }); i >= 0 && kind == Device {
		p = picked{state: states[Unknown], id: Unknown, c: list[i].c, reason: becauseSilent}
	}
	return p
}

// because says why the contribution at i has won.
func because(list []ranked, i int, seen func(ranked) bool) string {
	for _, r := range list[i+1:] {
		if !seen(r) {
			continue
		}
		w := list[i]
		switch {
		case r.state.Rank < w.state.Rank:
			return becauseHighest
		case r.c.Since.Equal(w.c.Since):
			return becauseFirst
		}
		return becauseNewest
	}
	return becauseOnly
}

// beside returns the state that is mentioned beside the winner: a call that is up, or
// what somebody does besides a call.
func beside(list []ranked, winner *State, seen func(ranked) bool) *State {
	call := winner.Has(TraitCall)
	for _, r := range list {
		if seen(r) && len(r.state.Aside) > 0 && r.state.Has(TraitCall) != call {
			return r.state
		}
	}
	return nil
}

// engaged reports whether the winner is to be written over what clients show: it is
// nothing that a client says, and outranks what they do. What clients say may be
// masked, and then it does too. Without a client it outranks what one usually would
// say.
func (c *Catalogue) engaged(list []ranked, w ranked, open Channel, seen func(ranked) bool) bool {
	if fromClient(w.c) || w.state.ID == Offline {
		return false
	}
	for _, r := range list {
		if seen(r) && fromClient(r.c) {
			return w.state.Rank > r.state.Rank
		}
	}
	return open&Chat != 0 || w.state.Rank > c.kinds[Person][Available].Rank
}

func fromClient(c *Contribution) bool { return SourceKind(c.Source) == FromClient }
