package privacy

import (
	"slices"

	"rollcall/xmpp/jid"
)

// BlocklistName is the name of the default list that is made for somebody who
// blocks and has none.
const BlocklistName = "blocked"

// Blocked are the addresses that the list keeps out with everything, in order
// (XEP-0191 §5).
func (l *List) Blocked() []string {
	if l == nil {
		return nil
	}
	var all []string
	for i := range l.Items {
		if it := &l.Items[i]; it.Blocks() && !slices.Contains(all, it.Value) {
			all = append(all, it.Value)
		}
	}
	return all
}

// blocks reports whether the list has an item that keeps the address out.
func (l *List) blocks(value string) bool {
	return slices.ContainsFunc(l.Items, func(it Item) bool { return it.Blocks() && it.Value == value })
}

// Block returns the list with addresses in front of all else (XEP-0191 §5), and
// those of them that were not in it. Other items keep their order, and get new
// numbers for it where there is no room below the first.
func (l List) Block(who []jid.JID) (List, []jid.JID) {
	var fresh []jid.JID
	for _, j := range who {
		if !l.blocks(j.String()) && !slices.Contains(fresh, j) {
			fresh = append(fresh, j)
		}
	}
	if len(fresh) == 0 {
		return l, nil
	}
	// Those that are blocked already stay in front with the new ones, in case
	// somebody put them behind an item that lets them in.
	items := make([]Item, 0, len(l.Items)+len(fresh))
	for i := range l.Items {
		if l.Items[i].Blocks() {
			items = append(items, l.Items[i])
		}
	}
	for _, j := range fresh {
		items = append(items, Item{Type: Address, Value: j.String(), Deny: true})
	}
	for i := range l.Items {
		if !l.Items[i].Blocks() {
			items = append(items, l.Items[i])
		}
	}
	return List{Name: l.Name, Items: renumber(items)}, fresh
}

// Unblock returns the list without the items that keep addresses out; without
// addresses, without all such items. gone are the addresses that were in it.
func (l List) Unblock(who []jid.JID) (out List, gone []jid.JID) {
	out = List{Name: l.Name, Items: make([]Item, 0, len(l.Items))}
	for i := range l.Items {
		it := &l.Items[i]
		if !it.Blocks() || len(who) > 0 && !slices.ContainsFunc(who, func(j jid.JID) bool { return j.String() == it.Value }) {
			out.Items = append(out.Items, *it)
			continue
		}
		if j, err := jid.Parse(it.Value); err == nil && !slices.Contains(gone, j) {
			gone = append(gone, j)
		}
	}
	return out, gone
}

// renumber numbers items by their places, from 1.
func renumber(items []Item) []Item {
	for i := range items {
		items[i].Order = uint32(i + 1)
	}
	return items
}
