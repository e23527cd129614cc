package pep

import (
	"context"
	"slices"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// manage answers what only an owner may ask (XEP-0060 §8).
func (f *Feature) manage(ctx context.Context, r *server.Request, c *command) ([]byte, error) {
	if c.verb == "default" {
		o := defaults(c.node)
		return wrap(nsOwner, "default", "", o.form(typeConfig).AppendForm(nil)), nil
	}
	if c.node == "" {
		return nil, refuse(stanza.ErrBadRequest, "nodeid-required", "the request names no node")
	}
	defer f.shelves.take(r.Account.JID).Unlock()
	n, err := f.existing(ctx, r, c.node)
	if err != nil {
		return nil, err
	}
	switch c.verb {
	case "delete":
		return nil, f.remove(ctx, r, n)
	case "purge":
		return nil, f.purge(ctx, r, n)
	case "configure":
		if r.Set {
			return nil, f.configure(ctx, r, n, c)
		}
		return wrap(nsOwner, c.verb, n.Name, n.form(typeConfig).AppendForm(nil)), nil
	case "affiliations":
		if r.Set {
			return nil, f.affiliate(ctx, r, n, c)
		}
		return wrap(nsOwner, c.verb, n.Name, n.appendAffiliations(nil, r.Account.JID)), nil
	}
	if r.Set {
		return nil, f.unseat(ctx, r, n, c)
	}
	var b []byte
	for _, j := range n.Subscribers {
		b = append(stanza.AppendAttr(append(b, "<subscription subscription='subscribed'"...), "jid", j.String()), "/>"...)
	}
	return wrap(nsOwner, c.verb, n.Name, b), nil
}

// wrap puts what an answer holds into its elements.
func wrap(space, name, node string, in []byte) []byte {
	b := append([]byte("<pubsub xmlns='"+space+"'><"), name...)
	b = append(stanza.AppendAttr(b, "node", node), '>')
	return append(append(append(append(b, in...), "</"...), name...), "></pubsub>"...)
}

// configure changes a node's options (XEP-0060 §8.2).
func (f *Feature) configure(ctx context.Context, r *server.Request, n *Node, c *command) error {
	switch {
	case !c.form:
		return stanza.Refuse(stanza.ErrBadRequest, "there is no form")
	case c.options.Cancelled:
		return nil
	}
	now := *n
	if err := now.apply(c.options, f.cfg.MaxItems, false); err != nil {
		return err
	}
	_, err := f.change(ctx, r.Account, Change{Node: now, Options: true, Purge: !now.Persist})
	return err
}

// affiliate changes what others are to a node (XEP-0060 §8.9.2).
func (f *Feature) affiliate(ctx context.Context, r *server.Request, n *Node, c *command) error {
	after := len(n.Affiliations)
	for _, a := range c.all {
		if a.JID == r.Account.JID {
			return stanza.Refuse(stanza.ErrNotAcceptable, "the owner stays the owner")
		}
		if n.affiliation(a.JID) == "" {
			after++
		}
	}
	if after > f.cfg.MaxSubscribers {
		return stanza.Refuse(stanza.ErrResourceConstraint, "a node has at most %d members and outcasts", f.cfg.MaxSubscribers)
	}
	_, err := f.change(ctx, r.Account, Change{Node: *n, Affiliate: c.all})
	return err
}

func (n *Node) appendAffiliations(b []byte, owner jid.Bare) []byte {
	b = append(stanza.AppendAttr(append(b, "<affiliation affiliation='owner'"...), "jid", string(owner)), "/>"...)
	for _, a := range n.Affiliations {
		b = stanza.AppendAttr(append(b, "<affiliation"...), "affiliation", string(a.Kind))
		b = append(stanza.AppendAttr(b, "jid", string(a.JID)), "/>"...)
	}
	return b
}

// unseat takes subscriptions of others away (XEP-0060 §8.8.2). Nobody is subscribed
// by somebody else.
func (f *Feature) unseat(ctx context.Context, r *server.Request, n *Node, c *command) error {
	var leave []jid.JID
	for _, s := range c.subscribe {
		there := slices.Contains(n.Subscribers, s.jid)
		switch {
		case s.kind == "none":
			leave = append(leave, s.jid)
		case !there:
			return stanza.Refuse(stanza.ErrNotAllowed, "people subscribe by themselves")
		}
	}
	_, err := f.change(ctx, r.Account, Change{Node: *n, Leave: leave})
	return err
}

// mayActFor reports whether whoever asks may subscribe an address (XEP-0060 §6.1.3.1).
func mayActFor(who, as jid.JID) bool {
	return as == who || as.IsBare() && as.Bare() == who.Bare()
}

// subscribe subscribes somebody to a node (XEP-0060 §6.1).
func (f *Feature) subscribe(ctx context.Context, r *server.Request, c *command, a asker) ([]byte, error) {
	if !mayActFor(r.From, c.jid) {
		return nil, refuse(stanza.ErrBadRequest, "invalid-jid", "people subscribe themselves")
	}
	if r.Session != nil && r.Session.Account.ID == 0 {
		// Nobody comes back to that address, and it would take up room for ever.
		return nil, stanza.Refuse(stanza.ErrNotAllowed, "who has no account does not subscribe")
	}
	defer f.shelves.take(r.Account.JID).Unlock()
	s, err := f.read(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	n := s.node(c.node)
	if n == nil {
		return nil, stanza.ErrItemNotFound
	}
	if err := n.allows(a); err != nil {
		return nil, err
	}
	if !slices.Contains(n.Subscribers, c.jid) {
		if err := n.room(c.jid, f.cfg.MaxSubscribers); err != nil {
			return nil, err
		}
		if n, err = f.change(ctx, r.Account, Change{Node: *n, Subscribe: []jid.JID{c.jid}}); err != nil {
			return nil, err
		}
	}
	b := append([]byte("<pubsub xmlns='"+namespace+"'>"), appendSubscription(nil, n.Name, c.jid)...)
	r.Reply(append(b, "</pubsub>"...))
	if n.tellsLast(SendOnSub) {
		f.last(ctx, r, n, a)
	}
	return nil, nil
}

// maxOwn is how many addresses of one account may subscribe to a node, so that nobody
// takes up all the room.
const maxOwn = 5

// room says whether one more address may subscribe to a node.
func (n *Node) room(who jid.JID, most int) error {
	own := 0
	for _, j := range n.Subscribers {
		if j.Bare() == who.Bare() {
			own++
		}
	}
	if len(n.Subscribers) >= most || own >= maxOwn {
		return refuse(stanza.ErrPolicyViolation, "too-many-subscriptions", "a node has at most %d subscribers, and %d of one account", most, maxOwn)
	}
	return nil
}

func appendSubscription(b []byte, node string, who jid.JID) []byte {
	b = stanza.AppendAttr(append(b, "<subscription subscription='subscribed'"...), "node", node)
	return append(stanza.AppendAttr(b, "jid", who.String()), "/>"...)
}

// unsubscribe ends a subscription (XEP-0060 §6.2).
func (f *Feature) unsubscribe(ctx context.Context, r *server.Request, c *command, a asker) error {
	if !mayActFor(r.From, c.jid) {
		return stanza.ErrForbidden
	}
	defer f.shelves.take(r.Account.JID).Unlock()
	s, err := f.read(ctx, r.Account)
	if err != nil {
		return err
	}
	n := s.node(c.node)
	if n == nil {
		return stanza.ErrItemNotFound
	}
	if !slices.Contains(n.Subscribers, c.jid) {
		if err := n.allows(a); err != nil {
			return err
		}
		return refuse(stanza.ErrUnexpectedRequest, "not-subscribed", "there is no such subscription")
	}
	_, err = f.change(ctx, r.Account, Change{Node: *n, Leave: []jid.JID{c.jid}})
	return err
}

// each calls do for those nodes that a request is about and that whoever asks may see.
func (f *Feature) each(ctx context.Context, r *server.Request, c *command, a asker, do func(*Node)) error {
	s, err := f.shelf(ctx, r.Account)
	if err != nil {
		return err
	}
	if c.node != "" {
		n, err := f.visible(ctx, r.Account, c.node, a)
		if err == nil {
			do(n)
		}
		return err
	}
	for _, n := range s.nodes {
		if n.allows(a) == nil {
			do(n)
		}
	}
	return nil
}

// subscriptions lists those of whoever asks (XEP-0060 §5.6).
func (f *Feature) subscriptions(ctx context.Context, r *server.Request, c *command, a asker) ([]byte, error) {
	if !a.own && !a.sees {
		return nil, stanza.ErrServiceUnavailable
	}
	var b []byte
	err := f.each(ctx, r, c, a, func(n *Node) {
		for _, j := range n.Subscribers {
			if j.Bare() == a.who {
				b = appendSubscription(b, n.Name, j)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return wrap(namespace, c.verb, c.node, b), nil
}

// affiliations lists those of whoever asks (XEP-0060 §5.7).
func (f *Feature) affiliations(ctx context.Context, r *server.Request, c *command, a asker) ([]byte, error) {
	if !a.own && !a.sees {
		return nil, stanza.ErrServiceUnavailable
	}
	var b []byte
	err := f.each(ctx, r, c, a, func(n *Node) {
		kind := n.affiliation(a.who)
		if a.own {
			kind = "owner"
		}
		if kind != "" {
			b = stanza.AppendAttr(append(b, "<affiliation"...), "node", n.Name)
			b = append(stanza.AppendAttr(b, "affiliation", string(kind)), "/>"...)
		}
	})
	if err != nil {
		return nil, err
	}
	return wrap(namespace, c.verb, c.node, b), nil
}
