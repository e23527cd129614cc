package pep

import (
	"context"
	"slices"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// maxAnswer bounds what one answer holds, in bytes. Who wants more asks for the next
// page.
const maxAnswer = 256 << 10

// items answers what is in a node (XEP-0060 §6.5).
func (f *Feature) items(ctx context.Context, r *server.Request, c *command, a asker) ([]byte, error) {
	n, err := f.visible(ctx, r.Account, c.node, a)
	if c.node == nodeActivity && !a.own && a.sees {
		if over := f.activity(r.Account.JID, a.who); over != "" {
			it := overItem(n, err, over)
			if len(c.ids) > 0 && !slices.Contains(c.ids, it.ID) {
				return nil, stanza.ErrItemNotFound
			}
			return appendItems(c.node, []Item{it}, nil), nil
		}
	}
	if err != nil {
		return nil, err
	}
	if len(c.ids) > 0 {
		return f.named(ctx, n, c.ids)
	}
	most := c.most
	if c.page != nil {
		most = 0 // all, of which a part is sent
	}
	all, total, err := f.store.Items(ctx, n.ID, Page{Most: most})
	if err != nil {
		return nil, err
	}
	part, at, forward := all, total-len(all), false
	if c.page != nil {
		var ok bool
		if part, at, ok = c.page.cut(all); !ok {
			return nil, stanza.ErrItemNotFound // XEP-0059 §2.2
		}
		forward = !c.page.last
	}
	sent := fitting(part, forward)
	if !forward {
		at += len(part) - len(sent)
	}
	if c.page == nil && len(sent) == len(part) {
		return appendItems(n.Name, sent, nil), nil
	}
	return appendItems(n.Name, sent, appendSet(nil, sent, at, total)), nil
}

// named answers with some items by their ids.
func (f *Feature) named(ctx context.Context, n *Node, ids []string) ([]byte, error) {
	all, _, err := f.store.Items(ctx, n.ID, Page{IDs: ids})
	if err != nil {
		return nil, err
	}
	if all = fitting(all, true); len(all) == 0 {
		return nil, stanza.ErrItemNotFound
	}
	return appendItems(n.Name, all, nil), nil
}

// fitting returns what fits into an answer: the first items, or the last.
func fitting(all []Item, first bool) []Item {
	size := 0
	for i := range all {
		it := &all[i]
		if !first {
			it = &all[len(all)-1-i]
		}
		if size += len(it.Payload) + len(it.ID) + 32; size > maxAnswer && i > 0 {
			if first {
				return all[:i]
			}
			return all[len(all)-i:]
		}
	}
	return all
}

// appendItems writes an answer; set is about the page, if it is one.
func appendItems(node string, all []Item, set []byte) []byte {
	b := stanza.AppendAttr([]byte("<pubsub xmlns='"+namespace+"'><items"), "node", node)
	b = append(b, '>')
	for i := range all {
		b = stanza.AppendAttr(append(b, "<item"...), "id", all[i].ID)
		b = append(append(append(b, '>'), all[i].Payload...), "</item>"...)
	}
	return append(append(append(b, "</items>"...), set...), "</pubsub>"...)
}
