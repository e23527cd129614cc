package pep

import (
	"context"
	"time"

	"rollcall/xmpp/jid"
)

// Published returns an item of a node and who may see it, for those who do something
// on the owner's behalf; an empty id is the last one. found is false if there is no such
// node. If there is no such item its payload is nil.
func (f *Feature) Published(ctx context.Context, owner jid.Bare, node, id string) (it Item, access Access, found bool, err error) {
	of, exists, err := f.srv.Account(ctx, owner)
	if err != nil || !exists {
		return it, "", false, err
	}
	s, err := f.shelf(ctx, of)
	if err != nil {
		return it, "", false, err
	}
	n := s.node(node)
	if n == nil {
		return it, "", false, nil
	}
	p := Page{Most: 1}
	if id != "" {
		p = Page{IDs: []string{id}}
	}
	all, _, err := f.store.Items(ctx, n.ID, p)
	if err != nil || len(all) == 0 {
		return it, n.Access, true, err
	}
	return all[0], n.Access, true, nil
}

// Publish publishes on the owner's behalf. A node that is not there yet is made for
// those who may see it.
func (f *Feature) Publish(ctx context.Context, owner jid.Bare, node, id string, payload []byte, access Access) error {
	of, exists, err := f.srv.Account(ctx, owner)
	if err != nil || !exists || of.ID == 0 {
		return err
	}
	defer f.shelves.take(of.JID).Unlock()
	s, err := f.read(ctx, of)
	if err != nil {
		return err
	}
	n := s.node(node)
	if n == nil {
		n = &Node{Name: node, Options: defaults(node)}
		n.Access = access
	}
	it := Item{ID: id, Payload: payload, At: time.Now().Truncate(time.Microsecond)}
	return f.put(ctx, of, n, &it, func() {})
}
