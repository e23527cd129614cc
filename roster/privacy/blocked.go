package privacy

import (
	"slices"
	"strconv"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// findBlocked finds the items that are the blocklist: those that deny an
// address with all its stanzas, so far as no item before them may let some of it
// through. So whoever is in the blocklist is blocked, whatever else the list says.
func (c *rules) findBlocked(items []Item) {
	c.blocks = map[string]struct{}{}
	allowed := map[string]bool{} // every address that allows something, and all that it is a part of
	exact := map[string]bool{}
	for i := range items {
		it := &items[i]
		switch {
		case it.Action == Allow && it.Type != JID:
			return // who can tell whom that lets through
		case it.Action == Allow:
			exact[it.Value] = true
			for _, form := range forms(it.Value) {
				allowed[form] = true
			}
		case it.blocks():
			within := slices.ContainsFunc(forms(it.Value), func(form string) bool { return exact[form] })
			if _, again := c.blocks[it.Value]; !again && !within && !allowed[it.Value] {
				c.blocks[it.Value] = struct{}{}
				c.blocked = append(c.blocked, it.Value)
			}
		}
	}
}

// blocks reports whether the item is what a blocked address is represented as
// (XEP-0191 §5).
func (it *Item) blocks() bool { return it.Type == JID && it.Action == Deny && it.Kinds == 0 }

// forms returns an address and those that stand for it as well.
func forms(value string) []string {
	j, err := jid.Parse(value)
	if err != nil {
		return []string{value}
	}
	return []string{value, string(j.Bare()), j.Domain()}
}

// Blocked returns the blocklist, if this is the default list (XEP-0191 §5), in
// the order of the items. The slice belongs to the list. A nil list has none.
func (l *List) Blocked() []string {
	if l == nil {
		return nil
	}
	return l.rules().blocked
}

// Blocks reports whether an address is in that blocklist, or a part of one that
// is.
func (l *List) Blocks(j jid.JID) bool {
	c := l.rules()
	if len(c.blocks) == 0 {
		return false
	}
	for _, form := range [...]string{j.String(), string(j.Bare()), j.Domain()} {
		if _, found := c.blocks[form]; found {
			return true
		}
	}
	return false
}

// madeByBlocking is the name of the list that is made for somebody who blocks
// and has no default list.
const madeByBlocking = "blocklist"

// Block adds addresses to the blocklist: at the head of the default list
// (XEP-0191 §5), which is made if there is none.
func (l *Lists) Block(addresses []string) (Change, error) {
	list := l.Default()
	var fresh []string
	for _, a := range addresses {
		if !slices.Contains(list.Blocked(), a) && !slices.Contains(fresh, a) {
			fresh = append(fresh, a)
		}
	}
	if len(fresh) == 0 {
		return l.nothing(), nil
	}
	name, old := l.freeName(), []Item(nil)
	if list != nil {
		// An item for one of them that stood where it did not always hold is
		// of no use any more.
		name, old = list.name, without(list.items, fresh)
	}
	return Change{Put: NewList(name, prepend(fresh, old)), Default: name}, nil
}

// freeName is the name for a list that blocking makes.
func (l *Lists) freeName() string {
	name := madeByBlocking
	for n := 2; l.Get(name) != nil; n++ {
		name = madeByBlocking + "-" + strconv.Itoa(n)
	}
	return name
}

// prepend puts items that block addresses in front of others, which keep their
// orders if there is room before them.
func prepend(addresses []string, old []Item) []Item {
	n := uint32(len(addresses))
	items := make([]Item, 0, len(addresses)+len(old))
	first := uint32(1)
	move := len(old) > 0 && old[0].Order <= n
	if len(old) > 0 && !move {
		first = old[0].Order - n
	}
	for i, a := range addresses {
		items = append(items, Item{Type: JID, Value: a, Action: Deny, Order: first + uint32(i)})
	}
	for i, it := range old {
		if move {
			it.Order = n + 1 + uint32(i)
		}
		items = append(items, it)
	}
	return items
}

// Unblock takes addresses off the blocklist; no addresses stand for all of it
// (XEP-0191 §3.3, §3.4). A list that nothing is left of goes away.
func (l *Lists) Unblock(addresses []string) (Change, error) {
	list := l.Default()
	if list == nil {
		return l.nothing(), nil
	}
	if len(addresses) == 0 {
		addresses = list.Blocked()
	}
	left := without(list.items, addresses)
	switch len(left) {
	case len(list.items):
		return l.nothing(), nil
	case 0:
		return Change{Remove: list.name}, nil
	}
	return Change{Put: NewList(list.name, left), Default: list.name}, nil
}

// without returns the items but for those that block one of the addresses.
func without(items []Item, addresses []string) []Item {
	gone := make(map[string]bool, len(addresses))
	for _, a := range addresses {
		gone[a] = true
	}
	return slices.DeleteFunc(slices.Clone(items), func(it Item) bool { return it.blocks() && gone[it.Value] })
}

// ParseAddresses reads the items of <block/> or <unblock/>, each address once.
// What else is in an item, such as a report (XEP-0377), is not for us.
func ParseAddresses(e *stanza.Element) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	for _, c := range e.Elements() {
		if !c.Is(e.Space, "item") {
			continue
		}
		value, found := c.LookupAttr("jid")
		if !found {
			return nil, stanza.Refuse(stanza.ErrBadRequest, "an item has no jid")
		}
		j, err := jid.Parse(value)
		if err != nil {
			return nil, stanza.ErrMalformedJID
		}
		if !seen[j.String()] {
			seen[j.String()] = true
			all = append(all, j.String())
		}
	}
	return all, nil
}
