package availability

import (
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// note is presence on its way to many: a place for the address is between head
// and tail.
type note struct {
	outfit // as its client said it
	of     *server.Session
	bye    bool // it is unavailable
	d      server.Delivery

	worn   *outfits // what others see instead; nil: nothing else
	before *note    // what others were told before, if that counts
	end    outfit   // of a presence that was seen, for those who see it no more
}

func (f *Feature) noteFrom(s *server.Session, bye bool, head, tail []byte) note {
	// The class lets a later presence of s replace this one while a client is
	// inactive (XEP-0352).
	d := server.Delivery{Kind: stanza.Presence, Class: server.Status, From: s.JID.String()}
	n := note{outfit: outfit{head: head, tail: tail}, of: s, bye: bye, d: d}
	n.wear(f.coverOf(s.Account), "")
	return n
}

// wear puts a cover over the note of a client that says what show is.
func (n *note) wear(c cover, show string) {
	n.worn = nil
	if c != (cover{}) {
		n.worn = &outfits{cover: c, show: show}
	}
}

// cover is what lies over the note.
func (n *note) cover() cover {
	if n.worn == nil {
		return cover{}
	}
	return n.worn.cover
}

// current is what a session has published, as it is to be seen now.
func (f *Feature) current(s *server.Session, a *server.Availability) note {
	n := f.noteFrom(s, false, a.Head, a.Tail)
	if n.worn != nil {
		n.worn.show = a.Show
	}
	return n
}

// farewell is what is said for a session that is not there any more.
func (f *Feature) farewell(s *server.Session) note {
	o := farewellTo(s.Full())
	return f.noteFrom(s, true, o.head, o.tail)
}

// farewellTo is what is said for an address that is not there any more.
func farewellTo(full string) outfit {
	return outfit{head: append(append([]byte("<presence type='unavailable' from='"), full...), "' to='"...), tail: []byte("'/>")}
}

// send sends the note as its receiver may see it, and reports whether there was
// anything to tell. People's own clients see all as it is.
func (n *note) send(to *server.Session, attr string) bool {
	o := &n.outfit
	if to.Account != n.of.Account {
		if o = n.as(to.JID.Bare()); o == nil {
			return false
		}
	}
	to.Deliver(n.d, o.head, attr, o.tail)
	return true
}

// toAccount sends a note to the available resources of an account that may see
// whose it is.
func (f *Feature) toAccount(n *note, a *server.Account) {
	for _, s := range a.Sessions() {
		switch {
		case s.Availability() == nil:
		case n.bye:
			if f.saw(s, n.of) {
				n.send(s, a.Attr())
			}
		case sees(s, n.of):
			n.send(s, a.Attr())
			if !sees(s, n.of) { // no more: who changed that may have told before
				n := f.farewell(n.of)
				n.send(s, a.Attr())
			}
		}
	}
}

// publish takes initial and subsequent presence (RFC 6121 §4.2.2, §4.4.2).
func (f *Feature) publish(p *server.Packet) error {
	s := p.Sender
	a, err := describe(p.Stanza)
	if err != nil {
		return err
	}
	pin, err := f.pin(s)
	if err != nil {
		return err
	}
	before := s.Availability()
	a.Since = time.Now()
	if before != nil && before.Show == a.Show {
		a.Since = before.Since
	}
	a.Head, a.Tail = split(p.Stanza, s.Full())
	said := f.saying(s, p.Stanza, a)
	if before == nil {
		f.foresee(s, said)
	}
	s.SetAvailability(a)
	n := f.current(s, a)
	if under := n.cover(); before != nil && under.covered != nil && under.told() {
		was := f.noteUnder(s, before, under) // who sees no difference is not told of any
		n.before = &was
	}
	f.broadcast(s, pin, n)
	f.settle(s, pin, a, n.cover())
	f.report(s, said)
	for _, h := range f.published {
		h(s)
	}
	if before == nil {
		f.begin(s, known(pin))
	}
	if a.Priority >= 0 && (before == nil || before.Priority < 0) {
		for _, h := range f.willing {
			h(s)
		}
	}
	return server.Done
}

// split cuts a presence where its receiver's address belongs.
func split(st *stanza.Stanza, from string) (head, tail []byte) {
	const to = " to='"
	b := make([]byte, 0, len(st.Raw)+len(from)+len(" from=''")+len(to)+len("'")+len("/>"))
	b = append(st.AppendTag(b, from, ""), to...)
	n := len(b)
	b = append(b, '\'')
	if st.Close == 0 {
		b = append(b, "/>"...)
	} else {
		b = append(append(b, '>'), st.Raw[st.TagEnd.Hi:]...)
	}
	return b[:n:n], b[n:]
}

// withdraw takes the presence of a client that says goodbye (RFC 6121 §4.5.2).
func (f *Feature) withdraw(p *server.Packet) error {
	s := p.Sender
	pin, _ := s.Get(f.slot).(*roster.Pin)
	head, tail := split(p.Stanza, s.Full())
	n := f.noteFrom(s, true, head, tail)
	if f.leaveAll(s, pin, n) {
		n.send(s, s.Full())
	}
	return server.Done
}

// broadcast sends a note from a session to its subscribers and to the available
// resources of its own account.
func (f *Feature) broadcast(s *server.Session, pin *roster.Pin, n note) {
	f.toOthers(s, pin, n)
	for _, own := range s.Account.Sessions() {
		if own.Availability() != nil {
			n.send(own, own.Full())
		}
	}
}

// toOthers sends a note from a session to its subscribers.
func (f *Feature) toOthers(s *server.Session, pin *roster.Pin, n note) {
	r := known(pin)
	f.spread(r, &n)
	if now := known(pin); now != r {
		f.retract(s, r, now)
	}
}

// spread sends a note to those of a roster's subscribers who are online, and to
// those at annexes.
func (f *Feature) spread(r *roster.Roster, n *note) {
	for j := range r.Subscribers() {
		f.toContact(n, j)
	}
}

// toContact sends a note to a contact. An address elsewhere is online nowhere
// here.
func (f *Feature) toContact(n *note, j jid.Bare) {
	if a := f.srv.Connected(j); a != nil {
		f.toAccount(n, a)
	} else if x := f.annexOf(j); x != nil {
		f.toAnnex(n, x, j.With(""))
	}
}

// retract takes back what was broadcast to somebody whose subscription was
// cancelled meanwhile. Those who were added meanwhile have been sent what was
// in place by then.
func (f *Feature) retract(s *server.Session, before, now *roster.Roster) {
	n := f.farewell(s)
	for j := range before.Subscribers() {
		if !now.State(j).Has(roster.From) {
			f.toContact(&n, j)
		}
	}
}

// begin tells a session that has just become available who else is.
func (f *Feature) begin(s *server.Session, r *roster.Roster) {
	for _, own := range s.Account.Sessions() {
		if own != s {
			f.pass(s, s.Bare(), own)
		}
	}
	var rest []jid.Bare // more than the client can take at once
	var far []jid.Bare  // whom their service shows
	for j := range r.Subscriptions() {
		switch a := f.srv.Connected(j); {
		case a == nil:
			switch x := f.annexOf(j); {
			case x != nil && x.Hosts():
				far = append(far, j)
			case !f.meet(s, s.Bare(), j):
				f.ask(s, r, j)
			}
		case rest != nil || !s.Room(nil):
			rest = append(rest, j)
		default:
			f.introduce(s, a)
		}
	}
	f.askAll(s, r, far)
	f.Refresh(s, rest)
	for _, h := range f.available {
		h(s)
	}
}

// introduce tells a session about a contact who is online. Both rosters are
// kept here, and it is the contact's that counts (RFC 6121 §4.3.2).
func (f *Feature) introduce(s *server.Session, contact *server.Account) {
	theirs, err := f.roster(contact)
	switch {
	case err != nil:
		f.srv.Log().Error("a contact's presence could not be shown", "jid", s.JID, "peer", contact.JID, "err", err)
	case theirs.State(s.Account.JID).Has(roster.From):
		shown := false
		for _, x := range contact.Sessions() {
			shown = f.pass(s, s.Bare(), x) || shown
		}
		if !shown {
			f.meet(s, s.Bare(), contact.JID)
		}
	default:
		f.disown(s.Account.JID, contact.JID, "")
	}
}

// pass passes on the presence of one session to another that may see it, and
// again if it changes meanwhile: its owner's broadcast may have come first. It
// reports whether there was something to see.
func (f *Feature) pass(to *server.Session, attr string, of *server.Session) (shown bool) {
	a := of.Availability()
	if a == nil || !sees(to, of) {
		return false
	}
	var before *note
	for {
		n := f.current(of, a)
		n.before = before
		shown = n.send(to, attr) || shown
		now := of.Availability()
		hidden := !sees(to, of)
		if now == a && !hidden && f.coverOf(of.Account) == n.cover() {
			return shown
		}
		if now == nil || hidden {
			bye := f.farewell(of)
			return bye.send(to, attr) || shown
		}
		a, before = now, &n
	}
}

// Show tells a contact about each available resource of an account here
// (RFC 6121 §3.1.5).
func (f *Feature) Show(owner, contact jid.Bare) {
	f.showStandIn(owner, contact, false)
	a, to := f.srv.Connected(owner), f.srv.Connected(contact)
	if a == nil {
		return
	}
	if x := f.annexOf(contact); x != nil {
		for _, of := range a.Sessions() {
			f.passOut(x, contact.With(""), of)
		}
	}
	if to == nil {
		return
	}
	for _, of := range a.Sessions() {
		for _, s := range to.Sessions() {
			if s.Availability() != nil {
				f.pass(s, to.Attr(), of)
			}
		}
	}
}

// Hide tells a contact that the available resources of an account here are not
// (RFC 6121 §3.2.2).
func (f *Feature) Hide(owner, contact jid.Bare) {
	f.showStandIn(owner, contact, true)
	a := f.srv.Connected(owner)
	if a == nil {
		return
	}
	for _, of := range a.Sessions() {
		if of.Availability() != nil {
			n := f.farewell(of)
			f.toContact(&n, contact)
		}
	}
}
