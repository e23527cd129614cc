package privacy

import (
	"strconv"
	"strings"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Namespace is that of XEP-0016.
const Namespace = "jabber:iq:privacy"

// Parse reads a <list/> with its items (XEP-0016 §2.1). One without items is a
// list to be removed. That the roster has its groups is for [List.CheckGroups].
func (c Config) Parse(e *stanza.Element) (*List, error) {
	c = c.WithDefaults()
	name := e.Attr("name")
	if err := c.checkName(name); err != nil {
		return nil, err
	}
	var items []Item
	orders := map[uint32]bool{}
	for _, x := range e.Elements() {
		if !x.Is(Namespace, "item") {
			return nil, stanza.Refuse(stanza.ErrBadRequest, "a list has items and nothing else")
		}
		if len(items) == c.MaxItems {
			return nil, tooManyItems(c.MaxItems)
		}
		it, err := parseItem(x)
		if err != nil {
			return nil, err
		}
		if orders[it.Order] {
			return nil, stanza.Refuse(stanza.ErrBadRequest, "two items have the order %d", it.Order)
		}
		orders[it.Order] = true
		items = append(items, it)
	}
	return NewList(name, items), nil
}

func parseItem(e *stanza.Element) (it Item, err error) {
	switch e.Attr("action") {
	case "allow":
	case "deny":
		it.Action = Deny
	default:
		return it, stanza.Refuse(stanza.ErrBadRequest, "an item's action is allow or deny")
	}
	order, err := strconv.ParseUint(e.Attr("order"), 10, 32)
	if err != nil {
		return it, stanza.Refuse(stanza.ErrBadRequest, "an item's order is a whole number from 0 to 4294967295")
	}
	it.Order = uint32(order)
	if err := it.parseType(e); err != nil {
		return it, err
	}
	return it, it.parseKinds(e)
}

// parseType reads what an item looks at.
func (it *Item) parseType(e *stanza.Element) error {
	typ, typed := e.LookupAttr("type")
	value, valued := e.LookupAttr("value")
	if !typed {
		if valued {
			// As a fall-through it would mean everybody, which is not what was
			// meant.
			return stanza.Refuse(stanza.ErrBadRequest, "an item with a value has a type")
		}
		return nil
	}
	switch typ {
	case "jid":
		j, err := jid.Parse(value)
		if err != nil {
			return stanza.ErrMalformedJID
		}
		it.Type, it.Value = JID, j.String()
	case "group":
		if value == "" {
			return stanza.Refuse(stanza.ErrBadRequest, "an item does not say which group")
		}
		it.Type, it.Value = Group, value
	case "subscription":
		switch value {
		case "both", "to", "from", "none":
		default:
			return stanza.Refuse(stanza.ErrBadRequest, "a subscription is both, to, from or none")
		}
		it.Type, it.Value = Subscription, value
	default:
		return stanza.Refuse(stanza.ErrBadRequest, "an item's type is jid, group or subscription")
	}
	it.Value = strings.Clone(it.Value) // not a part of somebody's read buffer
	return nil
}

// kindNames are the children of an item, in the order of the bits of Kinds.
var kindNames = [...]string{"message", "iq", "presence-in", "presence-out"}

func (it *Item) parseKinds(e *stanza.Element) error {
children:
	for _, x := range e.Elements() {
		if x.Space != Namespace {
			continue
		}
		for bit, name := range kindNames {
			if x.Local == name {
				it.Kinds |= 1 << bit
				continue children
			}
		}
		// Without it the item could mean all stanzas.
		return stanza.Refuse(stanza.ErrBadRequest, "an item is about message, iq, presence-in or presence-out")
	}
	return nil
}

// Append appends the <list/> with its items, as it stands in a result.
func (l *List) Append(dst []byte) []byte {
	dst = append(stanza.AppendAttr(append(dst, "<list"...), "name", l.name), '>')
	for i := range l.items {
		dst = l.items[i].append(dst)
	}
	return append(dst, "</list>"...)
}

func (it *Item) append(dst []byte) []byte {
	dst = append(dst, "<item"...)
	if it.Type != Anybody {
		dst = stanza.AppendAttr(dst, "type", [...]string{JID: "jid", Group: "group", Subscription: "subscription"}[it.Type])
		dst = stanza.AppendAttr(dst, "value", it.Value)
	}
	dst = stanza.AppendAttr(dst, "action", [...]string{Allow: "allow", Deny: "deny"}[it.Action])
	dst = strconv.AppendUint(append(dst, " order='"...), uint64(it.Order), 10)
	if it.Kinds == 0 {
		return append(dst, "'/>"...)
	}
	dst = append(dst, "'>"...)
	for bit, name := range kindNames {
		if it.Kinds&(1<<bit) != 0 {
			dst = append(append(append(dst, '<'), name...), "/>"...)
		}
	}
	return append(dst, "</item>"...)
}
