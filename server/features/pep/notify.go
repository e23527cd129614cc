package pep

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// notice is news of a node on its way: a place for the address is between head and
// tail. The class lets later news of a node with one item replace this one while a
// client is inactive (XEP-0352).
type notice struct {
	head, tail []byte
	d          server.Delivery
}

// notice puts an event of an account into a message. stamp is when it was, if that is
// not now.
func (f *Feature) notice(of jid.Bare, node string, single bool, event []byte, stamp time.Time) *notice {
	from := stanza.Escape(string(of))
	n := &notice{d: server.Delivery{Kind: stanza.Message, Class: server.Aside}}
	if single {
		n.d.Class, n.d.From = server.Status, string(of)+" "+node
	}
	n.head = strconv.AppendUint([]byte("<message type='headline' id='pep-"), f.count.Add(1), 36)
	n.head = append(append(append(n.head, "' from='"...), from...), "' to='"...)
	n.tail = append([]byte("'><event xmlns='"+nsEvent+"'>"), event...)
	n.tail = append(n.tail, "</event>"...)
	if !stamp.IsZero() {
		n.tail = stanza.AppendDelay(n.tail, from, stamp)
	}
	n.tail = append(n.tail, "</message>"...)
	return n
}

// itemEvent says that an item was published (XEP-0060 §7.1.2.1).
func itemEvent(n *Node, it *Item) []byte {
	b := stanza.AppendAttr([]byte("<items"), "node", n.Name)
	b = stanza.AppendAttr(append(b, "><item"...), "id", it.ID)
	if n.Payloads && len(it.Payload) > 0 {
		b = append(append(append(b, '>'), it.Payload...), "</item>"...)
	} else {
		b = append(b, "/>"...)
	}
	return append(b, "</items>"...)
}

// retractEvent says that items were taken away (XEP-0060 §7.2.2.1).
func retractEvent(n *Node, ids []string) []byte {
	b := append(stanza.AppendAttr([]byte("<items"), "node", n.Name), '>')
	for _, id := range ids {
		b = append(stanza.AppendAttr(append(b, "<retract"...), "id", id), "/>"...)
	}
	return append(b, "</items>"...)
}

// nodeEvent says what became of a node: "purge", "delete".
func nodeEvent(what, node string) []byte {
	return append(stanza.AppendAttr(append([]byte("<"), what...), "node", node), "/>"...)
}

// tell tells all who are to hear of a node what has become of it (XEP-0163 §4.3). The
// caller has the turn.
func (f *Feature) tell(ctx context.Context, of *server.Account, n *Node, event []byte) {
	x := f.notice(of.JID, n.Name, n.MaxItems == 1, event, time.Time{})
	for _, s := range of.Sessions() {
		if f.wants(s, n.Name) {
			s.Deliver(x.d, x.head, s.Full(), x.tail)
		}
	}
	r, err := f.rosters.Of(ctx, of.JID)
	if err != nil {
		if !errors.Is(err, roster.ErrNoAccount) { // it has been removed this very moment
			f.srv.Log().Error("contacts could not be told what was published", "jid", of.JID, "err", err)
		}
		return
	}
	for j := range r.Subscribers() {
		f.toContact(x, of, n, r, j)
	}
	for _, j := range n.Subscribers {
		f.toSubscriber(x, of, n, r, j)
	}
}

// toContact tells a contact who sees the owner's presence.
func (f *Feature) toContact(x *notice, of *server.Account, n *Node, r *roster.Roster, who jid.Bare) {
	a := f.srv.Connected(who)
	if a == nil || who == of.JID {
		return
	}
	allowed := false
	for _, s := range a.Sessions() {
		if !f.wants(s, n.Name) {
			continue
		}
		if !allowed {
			if n.allows(f.contact(r, who, of)) != nil || f.covered(of.JID, n.Name, who) {
				return
			}
			allowed = true
		}
		x.send(s, of)
	}
}

// toSubscriber tells somebody who has subscribed.
func (f *Feature) toSubscriber(x *notice, of *server.Account, n *Node, r *roster.Roster, to jid.JID) {
	who := f.contact(r, to.Bare(), of)
	who.own = to.Bare() == of.JID
	if n.allows(who) == nil && !(who.sees && f.covered(of.JID, n.Name, who.who)) {
		f.post(x, of, n.Name, who, to)
	}
}

// post sends a notice to an address that has subscribed. Clients that say that they
// want to hear have heard already.
func (f *Feature) post(x *notice, of *server.Account, node string, who asker, to jid.JID) {
	if annex := f.srv.Annex(to.Domain()); annex != nil {
		if server.Denies(of.Filter(), of, true, stanza.Message, to) {
			return
		}
		raw := append(append(append([]byte(nil), x.head...), stanza.Escape(to.String())...), x.tail...)
		if err := annex.Send(raw); err != nil {
			f.srv.Log().Debug("a subscriber could not be told what was published", "peer", to, "err", err)
		}
		return
	}
	a := f.srv.Connected(to.Bare())
	if a == nil {
		return
	}
	for _, s := range a.Sessions() {
		v := s.Availability()
		switch {
		case v == nil, to.IsFull() && s.JID != to, to.IsBare() && v.Priority < 0:
		case (who.own || who.sees) && f.wants(s, node):
		default:
			x.send(s, of)
		}
	}
}

// wants reports whether a client is there and wants to hear of a node.
func (f *Feature) wants(s *server.Session, node string) bool {
	if s.Availability() == nil {
		return false
	}
	_, found := slices.BinarySearch(f.clients.Interests(s), node)
	return found
}

// send sends a notice to a session, unless one of the two keeps messages of the other
// away (XEP-0163 §4.3.3, rule 3).
func (x *notice) send(s *server.Session, of *server.Account) {
	if server.Denies(of.Filter(), of, true, stanza.Message, s.JID) || s.Denies(false, stanza.Message, of.JID.With("")) {
		return
	}
	s.Deliver(x.d, x.head, s.Full(), x.tail)
}
