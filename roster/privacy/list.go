package privacy

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"rollcall/roster"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Traffic is what may pass or not, as a privacy list tells it apart.
type Traffic uint8

// The kinds of traffic (XEP-0016 §2.1). Others is what only an item without a
// kind of its own stops: messages and requests that go out, and subscription
// stanzas both ways.
const (
	MessagesIn Traffic = iota
	QueriesIn          // <iq/> of all types
	PresenceIn         // of no type or "unavailable"
	PresenceOut
	Others
	numTraffic
)

// Kinds is a set of traffic. The zero value stands for all of it.
type Kinds uint8

// KindsOf returns the set of those kinds.
func KindsOf(all ...Traffic) (k Kinds) {
	for _, t := range all {
		k |= 1 << t
	}
	return k
}

// Has reports whether the set holds that kind.
func (k Kinds) Has(t Traffic) bool { return k == 0 || k&(1<<t) != 0 }

// Type says what an item looks at.
type Type uint8

// The types of items (XEP-0016 §2.1).
const (
	Everybody      Type = iota // the fall-through
	Address                    // "jid"
	Group                      // a group of the owner's roster
	BySubscription             // "subscription"
)

var typeNames = [...]string{"", "jid", "group", "subscription"}

// String is the type attribute; "" is none.
func (t Type) String() string { return typeNames[t] }

// ParseType reads a type attribute.
func ParseType(s string) (Type, bool) {
	i := slices.Index(typeNames[:], s)
	return Type(max(i, 0)), i > 0
}

// Item is one rule of a list.
type Item struct {
	Type  Type
	Value string // a canonical address, the name of a group, or "both", "to", "from" or "none"
	Deny  bool
	Order uint32
	Kinds Kinds
}

// Blocks reports whether the item is one of a blocklist: it keeps out an
// address, with everything (XEP-0191 §5).
func (it *Item) Blocks() bool { return it.Type == Address && it.Deny && it.Kinds == 0 }

// List is a privacy list. Its items are in order once it was checked. It is
// never changed after that.
type List struct {
	Name  string
	Items []Item
}

// Relation is how the owner knows the other side.
type Relation struct {
	Subscription roster.Subscription
	Groups       []string
}

// Allows reads the list item by item for traffic with a peer (XEP-0016 §2.2,
// rules 5 to 7): the first one that fits decides, and without one it is allowed.
func (l *List) Allows(t Traffic, peer jid.JID, r Relation) bool {
	for i := range l.Items {
		if it := &l.Items[i]; it.Kinds.Has(t) && it.fits(peer, r) {
			return !it.Deny
		}
	}
	return true
}

// fits reports whether the item is about that peer (XEP-0016 §2.1).
func (it *Item) fits(peer jid.JID, r Relation) bool {
	switch it.Type {
	case Address:
		return it.Value == peer.String() || it.Value == string(peer.Bare()) || it.Value == peer.Domain()
	case Group:
		return slices.Contains(r.Groups, it.Value)
	case BySubscription:
		return it.Value == r.Subscription.String()
	}
	return true
}

// needsRoster reports whether the roster has to be asked.
func (l *List) needsRoster() bool {
	return slices.ContainsFunc(l.Items, func(it Item) bool { return it.Type == Group || it.Type == BySubscription })
}

// Config bounds what an account may keep. A field that is zero has the value
// that [Config.WithDefaults] gives it.
type Config struct {
	MaxLists     int // lists of an account
	MaxItems     int // items of a list
	MaxNameBytes int // of the name of a list
	Cached       int // accounts whose lists are kept in memory while they are not online
}

// WithDefaults fills in the fields that are zero.
func (c Config) WithDefaults() Config {
	for _, f := range []struct {
		field *int
		value int
	}{{&c.MaxLists, 20}, {&c.MaxItems, 1000}, {&c.MaxNameBytes, 255}, {&c.Cached, 10_000}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return c
}

// maxValueBytes bounds an item's value: the longest address has less.
const maxValueBytes = 3071

// Check returns the list as it is kept: its items in order and their addresses
// in canonical form. The error is the stanza error of XEP-0016 §2.1.
func (c Config) Check(l List) (List, error) {
	c = c.WithDefaults()
	switch {
	case l.Name == "" || !utf8.ValidString(l.Name):
		return List{}, stanza.Refuse(stanza.ErrBadRequest, "a list has a name")
	case len(l.Name) > c.MaxNameBytes:
		return List{}, stanza.Refuse(stanza.ErrNotAcceptable, "the name of a list has at most %d bytes", c.MaxNameBytes)
	case len(l.Items) > c.MaxItems:
		return List{}, stanza.Refuse(stanza.ErrNotAcceptable, "a list has at most %d items", c.MaxItems)
	}
	out := List{Name: strings.Clone(l.Name), Items: make([]Item, len(l.Items))}
	for i, it := range l.Items {
		if err := it.check(); err != nil {
			return List{}, err
		}
		it.Value = strings.Clone(it.Value) // not a part of somebody's read buffer
		out.Items[i] = it
	}
	slices.SortFunc(out.Items, func(a, b Item) int { return cmp.Compare(a.Order, b.Order) })
	for i := 1; i < len(out.Items); i++ {
		if out.Items[i].Order == out.Items[i-1].Order {
			return List{}, stanza.Refuse(stanza.ErrBadRequest, "two items have the order %d", out.Items[i].Order)
		}
	}
	return out, nil
}

// check checks an item by itself and puts its value into canonical form.
func (it *Item) check() error {
	if len(it.Value) > maxValueBytes || !utf8.ValidString(it.Value) {
		return stanza.Refuse(stanza.ErrBadRequest, "the value of an item is too long")
	}
	switch it.Type {
	case Address:
		j, err := jid.Parse(it.Value)
		if err != nil {
			return stanza.Refuse(stanza.ErrBadRequest, "the value of an item is no address")
		}
		it.Value = j.String()
	case Group:
		if it.Value == "" {
			return stanza.Refuse(stanza.ErrBadRequest, "a group has a name")
		}
	case BySubscription:
		if !slices.Contains([]string{"both", "to", "from", "none"}, it.Value) {
			return stanza.Refuse(stanza.ErrBadRequest, "a subscription is both, to, from or none")
		}
	default:
		if it.Value != "" {
			return stanza.Refuse(stanza.ErrBadRequest, "an item with a value has a type")
		}
	}
	return nil
}
