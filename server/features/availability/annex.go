package availability

import (
	"context"
	"errors"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// annexOf returns the annex that a contact is at, or nil.
func (f *Feature) annexOf(j jid.Bare) *server.Annex {
	if !f.annexed {
		return nil
	}
	return f.srv.Annex(j.Domain())
}

// send hands an annex a presence, in three parts as a [note] is. Nobody waits for
// an answer.
func (f *Feature) send(x *server.Annex, head []byte, to jid.JID, tail []byte) {
	raw := append(append([]byte(nil), head...), stanza.Escape(to.String())...)
	if err := x.Send(append(raw, tail...)); err != nil && err != server.Done {
		f.srv.Log().Debug("a presence could not be sent", "peer", to, "err", err)
	}
}

// toAnnex sends a note to an address at an annex, if it may see whose it is
// (RFC 6121 §4.2.2, §4.4.2, §4.5.2).
func (f *Feature) toAnnex(n *note, x *server.Annex, to jid.JID) {
	o := n.as(to.Bare())
	switch {
	case o == nil:
	case n.bye:
		if f.showed(n.of, to) {
			f.send(x, o.head, to, o.tail)
		}
	case !n.of.Denies(true, stanza.Presence, to):
		f.send(x, o.head, to, o.tail)
		if n.of.Denies(true, stanza.Presence, to) { // no more: who changed that may have told before
			f.sayFarewell(x, to, n.of)
		}
	}
}

// sayFarewell tells an address at an annex that a session is not there any more.
func (f *Feature) sayFarewell(x *server.Annex, to jid.JID, of *server.Session) {
	n := f.farewell(of)
	if o := n.as(to.Bare()); o != nil {
		f.send(x, o.head, to, o.tail)
	}
}

// passOut is pass for an address at an annex.
func (f *Feature) passOut(x *server.Annex, to jid.JID, of *server.Session) (shown bool) {
	a := of.Availability()
	if a == nil || of.Denies(true, stanza.Presence, to) {
		return false
	}
	var before *note
	for {
		n := f.current(of, a)
		n.before = before
		if o := n.as(to.Bare()); o != nil {
			f.send(x, o.head, to, o.tail)
			shown = true
		}
		now := of.Availability()
		hidden := of.Denies(true, stanza.Presence, to)
		if now == a && !hidden && f.coverOf(of.Account) == n.cover() {
			return shown
		}
		if now == nil || hidden {
			f.sayFarewell(x, to, of)
			return true
		}
		a, before = now, &n
	}
}

// ask asks for a contact's presence on behalf of a session that has just come
// (RFC 6121 §4.3.1), if the contact is at an annex. A service that knows its
// watchers has told already whom shared groups show.
func (f *Feature) ask(s *server.Session, r *roster.Roster, contact jid.Bare) {
	x := f.annexOf(contact)
	if x == nil || x.KnowsWatchers() && r.Shared(contact).Has(roster.To) {
		return
	}
	if !f.lets(s, contact) || x.Introduce(s, []jid.Bare{contact}) {
		return
	}
	f.probe(x, s.Account, contact)
}

// lets reports whether a session may ask for a contact at an annex, and wants to hear.
func (f *Feature) lets(s *server.Session, contact jid.Bare) bool {
	to := contact.With("")
	return !s.Denies(true, stanza.Other, to) && !s.Denies(false, stanza.Presence, to)
}

// atOnce is how many contacts a service shows before it is looked whether the client has
// taken them.
const atOnce = 64

// askAll is ask for contacts whose services show many at once.
func (f *Feature) askAll(s *server.Session, r *roster.Roster, contacts []jid.Bare) {
	list := make([]jid.Bare, 0, min(len(contacts), atOnce))
	for i := 0; i < len(contacts); {
		x := f.annexOf(contacts[i])
		for list = list[:0]; i < len(contacts) && len(list) < atOnce && f.annexOf(contacts[i]) == x; i++ {
			known := x.KnowsWatchers() && r.Shared(contacts[i]).Has(roster.To)
			if !known && f.lets(s, contacts[i]) {
				list = append(list, contacts[i])
			}
		}
		if len(list) > 0 && !x.Introduce(s, list) {
			return // it is gone, and whoever comes is asked
		}
		if i < len(contacts) && !s.Room(nil) {
			f.Refresh(s, contacts[i:])
			return
		}
	}
}

// probe sends a probe. The error is that of the service, which may have no room.
func (f *Feature) probe(x *server.Annex, who *server.Account, contact jid.Bare) error {
	b := append(append([]byte("<presence type='probe' from='"), who.Attr()...), '\'')
	err := x.Send(append(stanza.AppendAttr(b, "to", string(contact)), "/>"...))
	if err != nil && err != server.Done {
		f.srv.Log().Debug("a probe could not be sent", "jid", who.JID, "peer", contact, "err", err)
	}
	return err
}

// probedFrom answers a probe of an annex for an account that exists (RFC 6121
// §4.3.2); of is the resource that it names, if that is there.
func (f *Feature) probedFrom(p *server.Packet, r *roster.Roster, of *server.Session) {
	switch {
	case !r.State(p.From.Bare()).Has(roster.From):
		if of != nil && f.directed.has(of, p.From) && !of.Denies(true, stanza.Presence, p.From) {
			f.answerProbe(p, "") // RFC 6121 §4.6.6: no more than that
			return
		}
		f.unknown(p, nil)
	case p.To.IsFull():
		typ := "unavailable"
		if of != nil && !f.hides(of, p.From.Bare()) && !of.Denies(true, stanza.Presence, p.From) {
			typ = ""
		}
		f.answerProbe(p, typ)
	default:
		shown := false
		for _, s := range p.Account.Sessions() {
			shown = f.passOut(p.Annex, p.From, s) || shown
		}
		if !shown && !f.meetOut(p.Annex, p.From, p.Account, r) {
			f.answerProbe(p, "unavailable") // rule 3
		}
	}
}

// unknown answers a probe of an annex for somebody who lets it see nothing, or is
// not there: nobody can tell which (rule 1). Whoever could see an account that
// does not let it in now gets no answer, since it is a subscriber still.
func (f *Feature) unknown(p *server.Packet, kept *server.Account) {
	if kept != nil {
		if r, err := f.roster(kept); err != nil || r.State(p.From.Bare()).Has(roster.From) {
			return
		}
	}
	f.answerProbe(p, "unsubscribed")
}

// answerProbe answers a probe with a presence that says no more than its type.
func (f *Feature) answerProbe(p *server.Packet, typ string) {
	from, to := p.To, p.From
	if typ == "unsubscribed" {
		from, to = from.Bare().With(""), to.Bare().With("")
	}
	b := stanza.AppendAttr([]byte("<presence"), "from", from.String())
	b = stanza.AppendAttr(b, "type", typ)
	if typ != "" {
		b = stanza.AppendAttr(b, "id", stanza.Text(p.Stanza.ID))
	}
	f.send(p.Annex, append(b, " to='"...), to, []byte("'/>"))
}

// refreshFrom is refresh for a contact at an annex.
func (f *Feature) refreshFrom(s *server.Session, contact jid.Bare) {
	r, err := f.roster(s.Account)
	switch {
	case err != nil:
		f.srv.Log().Error("a contact's presence could not be followed", "jid", s.JID, "peer", contact, "err", err)
	case r.State(contact).Has(roster.To):
		f.ask(s, r, contact)
	default:
		f.lose(s, contact)
	}
}

// lose tells a session that whoever it has seen of a contact at an annex is gone.
func (f *Feature) lose(s *server.Session, contact jid.Bare) {
	f.takeBack(s, func(j jid.JID) bool { return j.Bare() == contact })
}

// takeBack tells a session that those it sees who are meant are not there any
// more.
func (f *Feature) takeBack(s *server.Session, meant func(jid.JID) bool) {
	for _, j := range f.sighted.take(s, meant) {
		from := j.String()
		head := stanza.AppendAttr([]byte("<presence type='unavailable'"), "from", from)
		d := server.Delivery{Kind: stanza.Presence, Class: server.Status, From: from}
		s.Deliver(d, append(head, " to='"...), s.Full(), []byte("'/>"))
	}
}

// shiftOut changes what an address at an annex sees of t's session; still: it is
// subscribed.
func (t *turn) shiftOut(x *server.Annex, to jid.JID, still bool) {
	switch was, now := t.denied(true, to); {
	case was && !now && still:
		t.f.passOut(x, to, t.s)
	case !was && now:
		t.f.sayFarewell(x, to, t.s)
	}
}

// lookOut changes what t's session sees of a contact at an annex.
func (t *turn) lookOut(x *server.Annex, contact jid.Bare) {
	still := t.roster.State(contact).Has(roster.To)
	switch was, now := t.denied(false, contact.With("")); {
	case was && !now && still:
		t.f.probe(x, t.s.Account, contact)
	case !was && now:
		t.f.lose(t.s, contact)
	}
}

// inquire asks a service that has just come about all whom people here see of it,
// as it can take it: what it said before is forgotten.
func (f *Feature) inquire(x *server.Annex) {
	s := x.Service()
	f.srv.Beside(func() {
		asked := map[*server.Account]bool{}
		f.srv.EachSession(func(who *server.Session) {
			if who.Availability() == nil || asked[who.Account] || x.Service() != s {
				return
			}
			asked[who.Account] = true
			r, err := f.roster(who.Account)
			if err != nil {
				f.srv.Log().Error("contacts could not be asked for their presence", "jid", who.JID, "err", err)
				return
			}
			for j := range r.Subscriptions() {
				if f.annexOf(j) == x && !f.askAgain(who, x, s, r, j) {
					return
				}
			}
		})
	})
}

// askAgain is ask for a service that may be busy: then it waits. False: there is
// nobody to ask any more.
func (f *Feature) askAgain(who *server.Session, x *server.Annex, s server.Service, r *roster.Roster, contact jid.Bare) bool {
	to := contact.With("")
	if x.KnowsWatchers() && r.Shared(contact).Has(roster.To) || who.Denies(true, stanza.Other, to) {
		return true
	}
	for errors.Is(f.probe(x, who.Account, contact), stanza.ErrResourceConstraint) {
		if !f.pause() || x.Service() != s || who.Availability() == nil {
			return false
		}
	}
	return true
}

// pause waits for a moment; false if the server is about to end.
func (f *Feature) pause() bool {
	ctx, cancel := context.WithTimeout(f.srv.Context(), 50*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	return f.srv.Context().Err() == nil
}

// abandoned tells people that nobody at an annex is there any more: nothing is
// shown as available on the word of a service that is gone.
func (f *Feature) abandoned(x *server.Annex) {
	f.sighted.each(func(s *server.Session) {
		f.takeBack(s, func(j jid.JID) bool { return j.Domain() == x.Name() })
	})
}
