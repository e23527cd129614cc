package pep

import (
	"context"
	"strconv"

	"rollcall/server"
	"rollcall/xmpp/entity"
	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// Nodes appends those nodes of an account that whoever asks may see, as items of
// service discovery (XEP-0060 §5.2).
func (f *Feature) Nodes(ctx context.Context, r *server.Request, b []byte) ([]byte, error) {
	a, err := f.asker(ctx, r.From.Bare(), r.Account)
	if err != nil {
		return b, err
	}
	s, err := f.shelf(ctx, r.Account)
	if err != nil {
		return b, err
	}
	for _, n := range s.nodes {
		if n.allows(a) == nil {
			b = append(append(append(b, "<item jid='"...), r.Account.Attr()...), '\'')
			b = stanza.AppendAttr(b, "node", n.Name)
			b = append(stanza.AppendAttr(b, "name", n.Title), "/>"...)
		}
	}
	return b, nil
}

// NodeInfo tells what a node is, to whom may see it (XEP-0060 §5.3, §5.4); others hear
// that there is none.
func (f *Feature) NodeInfo(ctx context.Context, r *server.Request, node string) ([]byte, error) {
	n, err := f.discovered(ctx, r, node)
	if err != nil {
		return nil, err
	}
	meta := form.Form{Type: typeMeta, Fields: []form.Field{
		{Var: prefix + "type", Kind: form.TextSingle, Values: []string{n.Type}},
		{Var: prefix + "title", Kind: form.TextSingle, Values: []string{n.Title}},
		{Var: prefix + "access_model", Kind: form.ListSingle, Values: []string{string(n.Access)}},
		{Var: prefix + "owner", Kind: form.JIDMulti, Values: []string{string(r.Account.JID)}},
		{Var: prefix + "num_subscribers", Kind: form.TextSingle, Values: []string{strconv.Itoa(len(n.Subscribers))}},
	}}
	i := entity.Info{
		Identities: []entity.Identity{{Category: "pubsub", Type: "leaf"}},
		Features:   []string{namespace, entity.NSInfo, entity.NSItems},
		Forms:      []form.Form{meta},
	}
	return i.Append(nil, node), nil
}

// NodeItems lists the items of a node, to whom may see it (XEP-0060 §5.5).
func (f *Feature) NodeItems(ctx context.Context, r *server.Request, node string) ([]byte, error) {
	n, err := f.discovered(ctx, r, node)
	if err != nil {
		return nil, err
	}
	all, _, err := f.store.Items(ctx, n.ID, Page{})
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Payload = nil
	}
	all = fitting(all, false) // who wants them all asks for pages of them
	b := append(entity.Open(nil, entity.NSItems, node), '>')
	for i := range all {
		b = append(append(append(b, "<item jid='"...), r.Account.Attr()...), '\'')
		b = append(stanza.AppendAttr(b, "name", all[i].ID), "/>"...)
	}
	return append(b, "</query>"...), nil
}

func (f *Feature) discovered(ctx context.Context, r *server.Request, node string) (*Node, error) {
	a, err := f.asker(ctx, r.From.Bare(), r.Account)
	if err != nil {
		return nil, err
	}
	n, err := f.visible(ctx, r.Account, node, a)
	if _, refusal := stanza.AsError(err); err != nil && refusal {
		return nil, stanza.ErrItemNotFound // that there is one is not for everybody
	}
	return n, err
}
