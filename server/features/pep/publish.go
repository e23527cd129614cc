package pep

import (
	"context"
	"crypto/rand"
	"time"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// publish keeps an item and tells of it (XEP-0060 §7.1).
func (f *Feature) publish(ctx context.Context, r *server.Request, c *command) ([]byte, error) {
	if len(c.item.Payload) > f.cfg.MaxItem {
		return nil, refuse(stanza.ErrNotAcceptable, "payload-too-big", "an item has at most %d bytes, this one %d", f.cfg.MaxItem, len(c.item.Payload))
	}
	if c.item.ID == "" {
		c.item.ID = rand.Text()
	}
	c.item.At = time.Now().Truncate(time.Microsecond)
	defer f.shelves.take(r.Account.JID).Unlock()
	n, err := f.open(ctx, r, c)
	if err == nil {
		err = f.mayTell(r, n)
	}
	if err != nil {
		return nil, err
	}
	return nil, f.put(ctx, r.Account, n, &c.item, func() {
		b := stanza.AppendAttr([]byte("<pubsub xmlns='"+namespace+"'><publish"), "node", c.node)
		b = stanza.AppendAttr(append(b, "><item"...), "id", c.item.ID)
		r.Reply(append(b, "/></publish></pubsub>"...))
	})
}

// mayTell says whether an owner may tell contacts something of a node just now.
func (f *Feature) mayTell(r *server.Request, n *Node) error {
	if f.gate == nil || n.Access == Whitelist {
		return nil
	}
	return f.gate(r.Session)
}

// put keeps an item, answers, and tells of it. The caller has the turn.
func (f *Feature) put(ctx context.Context, of *server.Account, n *Node, it *Item, answer func()) (err error) {
	ch := Change{Node: *n, Options: n.ID == 0}
	if n.Persist {
		ch.Put = it
	}
	if ch.Options || ch.Put != nil {
		if n, err = f.change(ctx, of, ch); err != nil {
			return err
		}
	}
	answer()
	if n.Notify {
		f.tell(ctx, of, n, itemEvent(n, it))
	}
	f.news(of, n.Name)
	return nil
}

// open returns the node that is published in, or what it is to be. The caller has
// the turn.
func (f *Feature) open(ctx context.Context, r *server.Request, c *command) (*Node, error) {
	s, err := f.read(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	n := s.node(c.node)
	switch {
	case n == nil:
		n = &Node{Name: c.node, Options: defaults(c.node)}
		if c.form {
			err = n.apply(c.options, f.cfg.MaxItems, true)
		}
	case c.form:
		err = n.meets(c.options, f.cfg.MaxItems)
	}
	return n, err
}

// news tells those who follow what people publish.
func (f *Feature) news(of *server.Account, node string) {
	for _, h := range f.changed {
		h(of.JID, node)
	}
}

// existing returns a node of whoever asks. The caller has the turn.
func (f *Feature) existing(ctx context.Context, r *server.Request, name string) (*Node, error) {
	s, err := f.read(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	if n := s.node(name); n != nil {
		return n, nil
	}
	return nil, stanza.ErrItemNotFound
}

// create makes a node (XEP-0060 §8.1).
func (f *Feature) create(ctx context.Context, r *server.Request, c *command) ([]byte, error) {
	defer f.shelves.take(r.Account.JID).Unlock()
	s, err := f.read(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	if s.node(c.node) != nil {
		return nil, stanza.Refuse(stanza.ErrConflict, "the node is there already")
	}
	n := Node{Name: c.node, Options: defaults(c.node)}
	if c.form {
		if err := n.apply(c.options, f.cfg.MaxItems, false); err != nil {
			return nil, err
		}
	}
	_, err = f.change(ctx, r.Account, Change{Node: n, Options: true})
	return nil, err
}

// retract takes items away (XEP-0060 §7.2).
func (f *Feature) retract(ctx context.Context, r *server.Request, c *command) error {
	defer f.shelves.take(r.Account.JID).Unlock()
	n, err := f.existing(ctx, r, c.node)
	if err == nil {
		err = f.mayTell(r, n)
	}
	if err != nil {
		return err
	}
	now, err := f.change(ctx, r.Account, Change{Node: *n, Retract: c.ids})
	if err != nil {
		return err
	}
	r.Reply(nil)
	if c.loud || n.NotifyRetract && !c.silent {
		f.tell(ctx, r.Account, now, retractEvent(now, c.ids))
	}
	f.news(r.Account, n.Name)
	return nil
}

// purge takes all items away (XEP-0060 §8.5).
func (f *Feature) purge(ctx context.Context, r *server.Request, n *Node) error {
	if err := f.mayTell(r, n); err != nil {
		return err
	}
	now, err := f.change(ctx, r.Account, Change{Node: *n, Purge: true})
	if err != nil {
		return err
	}
	r.Reply(nil)
	if n.NotifyRetract {
		f.tell(ctx, r.Account, now, nodeEvent("purge", n.Name))
	}
	f.news(r.Account, n.Name)
	return nil
}

// remove takes a node away (XEP-0060 §8.4).
func (f *Feature) remove(ctx context.Context, r *server.Request, n *Node) error {
	if err := f.mayTell(r, n); err != nil {
		return err
	}
	if _, err := f.change(ctx, r.Account, Change{Node: *n, Delete: true}); err != nil {
		return err
	}
	r.Reply(nil)
	if n.NotifyDelete {
		f.tell(ctx, r.Account, n, nodeEvent("delete", n.Name))
	}
	f.news(r.Account, n.Name)
	return nil
}
