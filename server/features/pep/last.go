package pep

import (
	"context"
	"slices"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// heard is what a session's client has been told since it became available.
type heard struct {
	interests []string // of these it has heard the last items
	counted   bool     // among those who want to hear of activities
}

// Available hears that a session has become available: it is told of the last item of
// what it wants to hear of, its own and its contacts' (XEP-0163 §4.3.4). It is to be
// called on the goroutine that reads the stream.
func (f *Feature) Available(s *server.Session) {
	if h, ok := s.Get(f.slot).(*heard); ok {
		h.interests = nil
	}
	f.Learned(s)
}

// Learned hears that a session's client wants to hear of other nodes than before.
func (f *Feature) Learned(s *server.Session) {
	all := f.clients.Interests(s)
	h, _ := s.Get(f.slot).(*heard)
	if h == nil {
		if len(all) == 0 {
			return
		}
		h = new(heard)
		s.Put(f.slot, h)
	}
	if counts := slices.Contains(all, nodeActivity); counts != h.counted {
		h.counted = counts
		f.overlay.count(counts)
	}
	if s.Availability() == nil {
		return
	}
	var fresh []string
	for _, node := range all {
		if !slices.Contains(h.interests, node) {
			fresh = append(fresh, node)
		}
	}
	if h.interests = all; len(fresh) == 0 {
		return
	}
	of, err := f.rosters.Of(f.srv.Context(), s.Account.JID)
	if err != nil { // an anonymous user has no contacts
		return
	}
	list := []jid.Bare{s.Account.JID}
	for j := range of.Subscriptions() {
		if j != s.Account.JID {
			list = append(list, j)
		}
	}
	f.catchUp(s, list, fresh, 0)
}

// ended lets go of a session.
func (f *Feature) ended(s *server.Session) {
	if h, ok := s.Get(f.slot).(*heard); ok && h.counted {
		f.overlay.count(false)
	}
	s.Put(f.slot, nil)
}

// Show tells a contact of the last items of an account whose presence they begin to
// see.
func (f *Feature) Show(owner, contact jid.Bare) {
	a := f.srv.Connected(contact)
	if a == nil {
		return
	}
	for _, s := range a.Sessions() {
		f.Refresh(s, []jid.Bare{owner})
	}
}

// Refresh tells a session of the last items of those contacts whom it sees.
func (f *Feature) Refresh(s *server.Session, contacts []jid.Bare) {
	if s.Availability() == nil {
		return
	}
	if all := f.clients.Interests(s); len(all) > 0 {
		f.catchUp(s, contacts, all, 0)
	}
}

// catchUp tells a session of the last items of some accounts, as its client takes
// them. Of the first it has been told what is in those nodes that
// come before nodes[at].
func (f *Feature) catchUp(s *server.Session, list []jid.Bare, nodes []string, at int) {
	for len(list) > 0 {
		if s.Availability() == nil {
			return
		}
		if !s.Room(nil) {
			again := func() { f.srv.Beside(func() { f.catchUp(s, list, nodes, at) }) }
			if s.Room(again) {
				again() // it has just taken something
			}
			return
		}
		n, err := f.lastOf(s, list[0], nodes[at:])
		if err != nil {
			f.srv.Log().Error("somebody could not be told what a contact has published", "jid", s.JID, "peer", list[0], "err", err)
		}
		if at += n; err != nil || at == len(nodes) {
			list, at = list[1:], 0
		}
	}
}

// lastOf tells a session of the last items of an account, and returns of how many nodes,
// if its client has yet to take something before there is room for those of all.
func (f *Feature) lastOf(s *server.Session, owner jid.Bare, nodes []string) (told int, err error) {
	if f.srv.Annex(owner.Domain()) != nil {
		return len(nodes), nil
	}
	ctx := f.srv.Context()
	if some, err := f.promises(ctx, owner, nodes); err != nil || !some {
		return len(nodes), err
	}
	of, exists, err := f.srv.Account(ctx, owner)
	if err != nil || !exists || of.ID == 0 {
		return len(nodes), err
	}
	a := asker{own: true, who: owner}
	if owner != s.Account.JID {
		r, err := f.rosters.Of(ctx, owner)
		if err != nil {
			return 0, err
		}
		if a = f.contact(r, s.Account.JID, of); !a.sees {
			return len(nodes), nil
		}
	}
	// In the account's turn, so that what is published next comes after it.
	defer f.shelves.take(of.JID).Unlock()
	shelf, err := f.read(ctx, of)
	if err != nil {
		return 0, err
	}
	for i, node := range nodes {
		if i > 0 && !s.Room(nil) {
			return i, nil // an account has room for more than an outbox
		}
		if err := f.lastOn(ctx, s, of, shelf, node, a); err != nil {
			return i, err
		}
	}
	return len(nodes), nil
}

// promises reports whether there may be something to tell of an account's nodes. Of
// most contacts of somebody who comes there is not, and nobody has to look further.
func (f *Feature) promises(ctx context.Context, owner jid.Bare, nodes []string) (bool, error) {
	if f.there.View(owner) != nil && slices.Contains(nodes, nodeActivity) {
		return true, nil
	}
	s := f.shelves.get(owner)
	if s == nil {
		return f.owners.has(ctx, f.store, owner)
	}
	return slices.ContainsFunc(nodes, func(node string) bool {
		n := s.node(node)
		return n != nil && n.tellsLast(SendOnPresence)
	}), nil
}

// tellsLast reports whether there is a last item that somebody is to be told of who has
// subscribed just now, or come. Who is told of nothing is not told of that either
// (XEP-0060 §8.2, deliver_notifications).
func (n *Node) tellsLast(when SendLast) bool {
	return n.Items > 0 && n.Notify && (n.SendLast == SendOnPresence || n.SendLast == when)
}

// lastOn tells a session of the last item of a node. The caller has the turn.
func (f *Feature) lastOn(ctx context.Context, s *server.Session, of *server.Account, shelf *shelf, node string, a asker) error {
	n := shelf.node(node)
	if node == nodeActivity && !a.own {
		if over := f.activity(of.JID, a.who); over != "" {
			if n != nil && n.allows(a) != nil {
				n = nil
			}
			it := overItem(n, nil, over)
			f.notice(of.JID, node, true, itemEvent(&overNode, &it), it.At).send(s, of)
			return nil
		}
	}
	if n == nil || !n.tellsLast(SendOnPresence) || n.allows(a) != nil {
		return nil
	}
	x, err := f.lastNotice(ctx, of, n)
	if err == nil {
		x.send(s, of)
	}
	return err
}

// lastNotice is the news of the last item of a node.
func (f *Feature) lastNotice(ctx context.Context, of *server.Account, n *Node) (*notice, error) {
	it := n.Last
	if it.Payload == nil && n.Payloads { // too large to be remembered
		all, _, err := f.store.Items(ctx, n.ID, Page{IDs: []string{it.ID}})
		if err != nil {
			return nil, err
		}
		if len(all) == 1 {
			it = all[0]
		}
	}
	return f.notice(of.JID, n.Name, n.MaxItems == 1, itemEvent(n, &it), it.At), nil
}

// last tells somebody who has just subscribed of the last item (XEP-0060 §6.1.7). The
// caller has the turn.
func (f *Feature) last(ctx context.Context, r *server.Request, n *Node, a asker) {
	if a.sees && f.covered(r.Account.JID, n.Name, a.who) {
		return // they are told when nothing lies over it any more
	}
	x, err := f.lastNotice(ctx, r.Account, n)
	if err != nil {
		f.srv.Log().Error("a subscriber could not be told what was published", "jid", r.Account.JID, "peer", r.From, "err", err)
		return
	}
	if r.Session != nil {
		x.send(r.Session, r.Account)
		return
	}
	if annex := f.srv.Annex(r.From.Domain()); annex != nil {
		raw := append(append(append([]byte(nil), x.head...), stanza.Escape(r.From.String())...), x.tail...)
		if err := annex.Send(raw); err != nil {
			f.srv.Log().Debug("a subscriber could not be told what was published", "peer", r.From, "err", err)
		}
	}
}
