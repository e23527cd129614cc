package availability

import (
	"context"
	"errors"

	"rollcall/presence"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// StandIn is the resource that stands for somebody who has a phone and no client.
// People read it in their clients.
const StandIn = "desk-phone"

// standIn is the presence of that resource.
type standIn struct {
	full   jid.JID
	state  *presence.Effective
	graded *graded
	d      server.Delivery
	wear   [presence.NumLevels]outfit
}

func newStandIn(who jid.Bare, e *presence.Effective, by *graded) *standIn {
	i := &standIn{full: who.With(StandIn), state: e, graded: by}
	i.d = server.Delivery{Kind: stanza.Presence, Class: server.Status, From: i.full.String()}
	from := stanza.Escape(i.full.String())
	for l := range i.wear {
		shown := by.Show(e, "", presence.Level(l))
		if shown.Unavailable || presence.Level(l) == presence.Hidden {
			i.wear[l] = nothing
			continue
		}
		i.wear[l] = outfit{
			head: append(append([]byte("<presence from='"), from...), "' to='"...),
			// Less than any client's, so that nobody sends messages here.
			tail: append(shown.AppendState(append(appendShown([]byte("'>"), shown.Show, shown.Text, by.Language()), "<priority>-1</priority>"...)), "</presence>"...),
		}
	}
	return i
}

// appendShown appends what people see of a state. lang is that of the text, if it is
// another one than that of the presence.
func appendShown(b []byte, show, text, lang string) []byte {
	if show != "" {
		b = append(append(append(b, "<show>"...), show...), "</show>"...)
	}
	if text != "" {
		b = append(b, "<status"...)
		if lang != "" {
			b = append(append(append(b, " xml:lang='"...), lang...), '\'')
		}
		b = append(stanza.AppendText(append(b, '>'), text), "</status>"...)
	}
	return b
}

// seen returns the presence as a watcher sees it; i may be nil.
func (i *standIn) seen(watcher jid.Bare) *outfit {
	if i == nil {
		return &nothing
	}
	return &i.wear[i.graded.Level(watcher, i.full.Bare())]
}

// tell tells a session what has changed for it, and reports whether it sees
// anything now.
func (i *standIn) tell(to *server.Session, attr string, was *standIn) bool {
	now, before := i.seen(to.JID.Bare()), was.seen(to.JID.Bare())
	switch {
	case now.same(before):
	case !now.hidden:
		to.Deliver(i.d, now.head, attr, now.tail)
	default:
		was.leave(to, attr)
	}
	return !now.hidden
}

// leave tells a session that has seen it that it is gone.
func (i *standIn) leave(to *server.Session, attr string) {
	if i.seen(to.JID.Bare()).hidden {
		return
	}
	bye := farewellTo(stanza.Escape(i.full.String()))
	to.Deliver(i.d, bye.head, attr, bye.tail)
}

// standing returns the state if somebody is to be stood in for: a device of theirs
// takes calls, and no client of theirs is there. After a restart it is not known for a
// while whether the clients of before come back; meanwhile what is done with the device
// is shown, and nothing that rests on them.
func (f *Feature) standing(who jid.Bare, e *presence.Effective) *presence.Effective {
	if e == nil || e.Kind != presence.Person || e.Channels&presence.Voice == 0 {
		return nil
	}
	if e.Channels&presence.Chat != 0 && (covering(e) == nil || !missed(e)) {
		return nil
	}
	if a := f.srv.Connected(who); a != nil && a.Available() {
		return nil // it is not merged yet
	}
	return e
}

// missed reports whether all clients of somebody are known from before a restart only.
func missed(e *presence.Effective) bool {
	for i := range e.All {
		if c := &e.All[i]; c.Channels&presence.Chat != 0 && !c.Stale {
			return false
		}
	}
	return true
}

// stand has somebody stood in for, or no more. The caller holds turn.
func (f *Feature) stand(who jid.Bare, e *presence.Effective) {
	old := f.standIns.get(who)
	e = f.standing(who, e)
	by := f.audience.Load()
	if e == nil && old == nil || e != nil && old != nil && e == old.state && by == old.graded {
		return
	}
	var now *standIn
	if e != nil {
		now = newStandIn(who, e, by)
	}
	a, r, err := f.householder(who)
	if err != nil {
		f.srv.Log().Error("contacts could not be told of somebody's phone", "jid", who, "err", err)
		return
	}
	f.standIns.put(who, now)
	if a == nil {
		return
	}
	for j := range r.Subscribers() {
		switch of := f.srv.Connected(j); {
		case j == who:
		case of != nil:
			for _, s := range of.Sessions() {
				if s.Availability() != nil && seesStandIn(s, a) {
					now.tell(s, of.Attr(), old)
				}
			}
		default:
			if x := f.annexOf(j); x != nil {
				f.tellOut(x, j.With(""), a, now, old)
			}
		}
	}
}

// tellOut is [standIn.tell] for an address at an annex.
func (f *Feature) tellOut(x *server.Annex, to jid.JID, of *server.Account, now, was *standIn) bool {
	o, before := now.seen(to.Bare()), was.seen(to.Bare())
	switch {
	case o.same(before) || server.Denies(of.Filter(), of, true, stanza.Presence, to):
	case !o.hidden:
		f.send(x, o.head, to, o.tail)
	default:
		bye := farewellTo(stanza.Escape(was.full.String()))
		f.send(x, bye.head, to, bye.tail)
	}
	return !o.hidden
}

// meetOut is meet for an address at an annex that is subscribed.
func (f *Feature) meetOut(x *server.Annex, to jid.JID, of *server.Account, r *roster.Roster) bool {
	i := f.standIns.get(of.JID)
	return i != nil && r.State(to.Bare()).Has(roster.From) && f.tellOut(x, to, of, i, nil)
}

// standAnew has all who are stood in for be seen by those who may now. The caller
// holds turn.
func (f *Feature) standAnew() {
	f.standIns.each(func(who jid.Bare, i *standIn) { f.stand(who, i.state) })
}

// householder returns an account that need not be connected, with its roster; nil
// if there is none.
func (f *Feature) householder(who jid.Bare) (*server.Account, *roster.Roster, error) {
	a, exists, err := f.srv.Account(f.srv.Context(), who)
	if err != nil || !exists {
		return nil, nil, err
	}
	r, err := f.roster(a)
	return a, r, err
}

// seesStandIn reports whether the filters of both sides let one see what stands in
// for the other.
func seesStandIn(who *server.Session, of *server.Account) bool {
	return !server.Denies(of.Filter(), of, true, stanza.Presence, who.JID) &&
		!who.Denies(false, stanza.Presence, of.JID.With(StandIn))
}

// meet tells a session of what stands in for a contact, if anything does, and
// reports whether it sees it.
func (f *Feature) meet(s *server.Session, attr string, contact jid.Bare) (shown bool) {
	i := f.standIns.get(contact)
	if i == nil || contact == s.Account.JID {
		return false
	}
	a, r, err := f.householder(contact)
	if err != nil {
		f.srv.Log().Error("a contact's phone could not be shown", "jid", s.JID, "peer", contact, "err", err)
		return false
	}
	if a == nil || !r.State(s.Account.JID).Has(roster.From) || !seesStandIn(s, a) {
		return false
	}
	var was *standIn
	for {
		shown = i.tell(s, attr, was)
		now := f.standIns.get(contact)
		if now == i {
			return shown
		}
		was, i = i, now // it has changed meanwhile, and that may have been told before
	}
}

// remeet is refresh for what stands in for a contact.
func (f *Feature) remeet(s *server.Session, contact jid.Bare) {
	mine, err := f.roster(s.Account)
	if err == nil && mine.State(contact).Has(roster.To) {
		f.meet(s, s.Bare(), contact)
		return
	}
	a, theirs, other := f.householder(contact)
	if err = errors.Join(err, other); err != nil {
		f.srv.Log().Error("a contact's phone could not be taken back", "jid", s.JID, "peer", contact, "err", err)
		return
	}
	if i := f.standIns.get(contact); i != nil && a != nil && !theirs.State(s.Account.JID).Has(roster.From) {
		i.leave(s, s.Bare())
	}
}

// lookAtStandIn changes what t's session sees of what stands in for a contact.
func (t *turn) lookAtStandIn(contact jid.Bare) {
	i := t.f.standIns.get(contact)
	if i == nil {
		return
	}
	switch was, now := t.denied(false, i.full); {
	case was && !now && t.roster.State(contact).Has(roster.To):
		t.f.meet(t.s, t.s.Bare(), contact)
	case !was && now:
		i.leave(t.s, t.s.Bare())
	}
}

// showStandIn tells a contact what stands in for somebody, or that it is gone.
func (f *Feature) showStandIn(owner, contact jid.Bare, gone bool) {
	i := f.standIns.get(owner)
	if i == nil {
		return
	}
	if x := f.annexOf(contact); x != nil {
		f.showStandInOut(x, i, owner, contact, gone)
		return
	}
	a := f.srv.Connected(contact)
	if a == nil {
		return
	}
	for _, s := range a.Sessions() {
		switch {
		case s.Availability() == nil:
		case gone:
			i.leave(s, a.Attr())
		default:
			f.meet(s, a.Attr(), owner)
		}
	}
}

// showStandInOut is showStandIn for an address at an annex.
func (f *Feature) showStandInOut(x *server.Annex, i *standIn, owner, contact jid.Bare, gone bool) {
	a, r, err := f.householder(owner)
	switch {
	case err != nil:
		f.srv.Log().Error("a contact could not be told of somebody's phone", "jid", owner, "peer", contact, "err", err)
	case a == nil:
	case gone:
		f.tellOut(x, contact.With(""), a, nil, i)
	default:
		f.meetOut(x, contact.With(""), a, r)
	}
}

// describeStandIn answers what the resource is to those who may see it.
func (f *Feature) describeStandIn(_ context.Context, r *server.Request) ([]byte, error) {
	who := r.To.Bare()
	i := f.standIns.get(who)
	if i == nil || r.From.Bare() == who || r.Payload.Attr("node") != "" || i.seen(r.From.Bare()).hidden {
		return nil, stanza.ErrServiceUnavailable
	}
	a, theirs, err := f.householder(who)
	if err != nil {
		return nil, err
	}
	if a == nil || !theirs.State(r.From.Bare()).Has(roster.From) || server.Denies(a.Filter(), a, true, stanza.Presence, r.From) {
		return nil, stanza.ErrServiceUnavailable
	}
	name := "Desk phone"
	for _, c := range i.state.All {
		if c.Channels&presence.Voice != 0 && c.Facets.Device != "" {
			name = c.Facets.Device
			break
		}
	}
	b := append([]byte("<query xmlns='"+nsInfo+"'><identity category='client' type='phone'"), " name='"...)
	b = append(stanza.AppendText(b, name), "'/><feature var='"+nsInfo+"'/></query>"...)
	return b, nil
}

const nsInfo = "http://jabber.org/protocol/disco#info"
