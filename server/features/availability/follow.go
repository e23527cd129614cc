package availability

import (
	"slices"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// sees reports whether both sessions let through that one sees the presence of
// the other (XEP-0016 §2.10, §2.11). Whether there is a subscription is another
// question.
func sees(who, of *server.Session) bool {
	return !of.Denies(true, stanza.Presence, who.JID) && !who.Denies(false, stanza.Presence, of.JID)
}

// saw is sees for farewells: a filter that is about to go counts as well. Who was
// shown something is told of its end, and nobody else.
func (f *Feature) saw(who, of *server.Session) bool {
	return f.showed(of, who.JID) && f.took(who, of.JID)
}

// showed reports whether a session lets its presence go to an address, or did
// until just now.
func (f *Feature) showed(of *server.Session, to jid.JID) bool {
	return !of.Denies(true, stanza.Presence, to) || !f.before(of, true, to)
}

// took reports whether a session lets the presence of an address in, or did until
// just now.
func (f *Feature) took(who *server.Session, from jid.JID) bool {
	return !who.Denies(false, stanza.Presence, from) || !f.before(who, false, from)
}

// before reports whether the filter that a session had until just now denies
// presence; true if it was the same all the time.
func (f *Feature) before(s *server.Session, out bool, peer jid.JID) bool {
	old, moving := f.moving.Load(s)
	return !moving || server.Denies(old.(former).Filter, s.Account, out, stanza.Presence, peer)
}

// former is the filter that a session had; nil is none.
type former struct{ server.Filter }

// Follow has what people see of each other follow a change of an account's
// filters, which change makes. No two changes of one account may overlap. If the
// filters change because the roster has, past is what it was: who is not a contact
// any more may still have to be told.
//
// Nobody has to wait for that. A filter that goes is in f.moving before it goes,
// until all have been told; a session that leaves says so by a flag before it
// goes, until all have been told. So of one who changes filters and one who
// leaves, publishes, comes or changes his own, one at least sees the other, and
// who has seen somebody hears of the end.
func (f *Feature) Follow(a *server.Account, past *roster.Roster, change func()) {
	all, def := a.Sessions(), a.Filter()
	old := make(map[*server.Session]server.Filter, len(all))
	for _, s := range all {
		old[s] = s.Filter()
		f.moving.Store(s, former{old[s]})
	}
	defer func() {
		for s := range old {
			f.moving.Delete(s)
		}
	}()
	change()
	for _, s := range a.Sessions() { // those that have come meanwhile as well
		if _, known := old[s]; !known {
			old[s] = def
		}
	}
	r, err := f.roster(a)
	if err != nil {
		f.srv.Log().Error("contacts could not be told who may see whom", "jid", a.JID, "err", err)
		return
	}
	if past == nil {
		past = r
	}
	for s, was := range old {
		if now := s.Filter(); now != was {
			(&turn{f: f, s: s, was: was, now: now, past: past, roster: r}).run()
		}
	}
}

// turn is one session that has got another filter.
type turn struct {
	f        *Feature
	s        *server.Session
	was, now server.Filter // nil lets everything through
	past     *roster.Roster
	roster   *roster.Roster
}

// denied says what the filters had to say of somebody's presence, and have.
func (t *turn) denied(out bool, peer jid.JID) (was, now bool) {
	return server.Denies(t.was, t.s.Account, out, stanza.Presence, peer), server.Denies(t.now, t.s.Account, out, stanza.Presence, peer)
}

func (t *turn) run() {
	if there(t.f, t.s) {
		t.show()
	}
	if t.s.Availability() != nil {
		t.look()
	}
}

// sessionsOf returns the sessions of somebody, with those that have ended and are
// still telling everybody.
func (f *Feature) sessionsOf(j jid.Bare) (all []*server.Session) {
	if a := f.srv.Connected(j); a != nil {
		all = a.Sessions()
	}
	f.parting.Range(func(k, _ any) bool {
		if s := k.(*server.Session); s.JID.Bare() == j && !slices.Contains(all, s) {
			all = append(all[:len(all):len(all)], s)
		}
		return true
	})
	return all
}

// there reports whether somebody may take the session for available.
func there(f *Feature, s *server.Session) bool {
	return s.Availability() != nil || s.Has(f.leaving)
}

// show tells those who see the session, or don't any more (XEP-0016 §2.11,
// XEP-0191 §3.2, §3.3): its subscribers, and those it has directed presence to.
func (t *turn) show() {
	tell := func(j jid.Bare) {
		if x := t.f.annexOf(j); x != nil {
			t.shiftOut(x, j.With(""), t.roster.State(j).Has(roster.From))
		}
		if a := t.f.srv.Connected(j); a != nil {
			still := t.roster.State(j).Has(roster.From)
			for _, who := range a.Sessions() {
				if who.Availability() != nil {
					t.shift(who, a.Attr(), true, still)
				}
			}
		}
	}
	for j := range t.roster.Subscribers() {
		tell(j)
	}
	if t.past != t.roster {
		for j := range t.past.Subscribers() {
			if !t.roster.State(j).Has(roster.From) {
				tell(j)
			}
		}
	}
	for _, to := range t.f.directed.list(t.s) {
		t.withdraw(to)
	}
}

// shift changes what one session sees of another. out: it is t's that is seen;
// still: there is a subscription.
func (t *turn) shift(other *server.Session, attr string, out, still bool) {
	who, of := other, t.s
	if !out {
		who, of = t.s, other
	}
	switch was, now := t.denied(out, other.JID); {
	case was && !now:
		if still {
			t.f.pass(who, attr, of)
		}
	case !was && now:
		if out && t.f.took(who, of.JID) || !out && t.f.showed(of, who.JID) {
			n := t.f.farewell(of)
			n.send(who, attr)
		}
	}
}

// withdraw takes back presence that was directed to somebody who may not see it
// any more.
func (t *turn) withdraw(to jid.JID) {
	if was, now := t.denied(true, to); was || !now {
		return
	}
	t.f.directed.remove(t.s, to)
	if t.roster.State(to.Bare()).Has(roster.From) {
		return
	}
	if x := t.f.annexOf(to.Bare()); x != nil {
		bye := farewellTo(t.s.Full()) // what is directed is seen as it is
		t.f.send(x, bye.head, to, bye.tail)
	}
	a := t.f.srv.Connected(to.Bare())
	if a == nil {
		return
	}
	n, attr := t.f.farewell(t.s), stanza.Escape(to.String())
	n.worn = nil // likewise
	for _, who := range a.Sessions() {
		meant := to.IsFull() && who.JID == to || to.IsBare() && who.Availability() != nil
		if meant && t.f.took(who, t.s.JID) {
			n.send(who, attr)
		}
	}
}

// look tells the session whom of its contacts it sees, or does not any more
// (XEP-0016 §2.10).
func (t *turn) look() {
	told := map[*server.Session]bool{}
	tell := func(j jid.Bare) {
		if x := t.f.annexOf(j); x != nil {
			t.lookOut(x, j)
		}
		t.lookAtStandIn(j)
		all := t.f.sessionsOf(j)
		if len(all) == 0 {
			return
		}
		still := t.roster.State(j).Has(roster.To)
		if still {
			theirs, err := t.f.roster(all[0].Account)
			if err != nil {
				t.f.srv.Log().Error("a contact's presence could not be followed", "jid", t.s.JID, "peer", j, "err", err)
				return
			}
			if !theirs.State(t.s.Account.JID).Has(roster.From) {
				return
			}
		}
		for _, of := range all {
			if there(t.f, of) {
				told[of] = true
				t.shift(of, t.s.Bare(), false, still)
			}
		}
	}
	for j := range t.roster.Subscriptions() {
		tell(j)
	}
	if t.past != t.roster {
		for j := range t.past.Subscriptions() {
			if !t.roster.State(j).Has(roster.To) {
				tell(j)
			}
		}
	}
	t.f.directed.at(t.s, func(of *server.Session) {
		if was, now := t.denied(false, of.JID); !told[of] && !was && now && t.f.showed(of, t.s.JID) {
			n := t.f.farewell(of)
			n.worn = nil // likewise
			n.send(t.s, t.s.Full())
		}
	})
}
