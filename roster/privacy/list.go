package privacy

import (
	"slices"
	"strings"
	"sync"

	"rollcall/roster"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Traffic is what a rule can tell apart (XEP-0016 §2.1).
type Traffic uint8

// Four kinds have an element of their own. The rest is what only an item for
// all stanzas covers: subscriptions and probes, and whatever goes out but for
// presence (XEP-0016 §2.13).
const (
	MessageIn Traffic = iota
	IQIn
	PresenceIn
	PresenceOut
	Rest
	traffics
)

// TrafficOf says what a stanza is to a list. For [stanza.Presence] that is a
// notification; subscriptions and probes are [stanza.Other].
func TrafficOf(out bool, k stanza.Kind) Traffic {
	switch {
	case k == stanza.Presence && out:
		return PresenceOut
	case out:
		return Rest
	case k == stanza.Presence:
		return PresenceIn
	case k == stanza.Message:
		return MessageIn
	case k == stanza.IQ:
		return IQIn
	}
	return Rest
}

// Kinds are the kinds of traffic that an item is about, a bit for each; none
// stands for all of them and the rest.
type Kinds uint8

// The children of an item.
const (
	Messages     Kinds = 1 << MessageIn
	IQs          Kinds = 1 << IQIn
	PresencesIn  Kinds = 1 << PresenceIn
	PresencesOut Kinds = 1 << PresenceOut
)

func (k Kinds) covers(t Traffic) bool { return k == 0 || k&(1<<t) != 0 }

// Action is what an item does with what it matches.
type Action uint8

// The actions. Nothing that matches is allowed.
const (
	Allow Action = iota
	Deny
)

// Type is what an item looks at.
type Type uint8

// The types. An item for anybody is the fall-through.
const (
	Anybody Type = iota
	JID
	Group
	Subscription
)

// Item is one rule of a list.
type Item struct {
	Type   Type
	Value  string // a canonical address, a group's name, or "both", "to", "from", "none"
	Action Action
	Order  uint32
	Kinds  Kinds
}

// Peer is who a stanza comes from or goes to, as the owner knows them.
type Peer struct {
	JID          jid.JID
	Subscription roster.Subscription
	Groups       []string
}

// PeerIn returns what a roster says of an address.
func PeerIn(r *roster.Roster, j jid.JID) Peer {
	it, _ := r.Lookup(j.Bare())
	return Peer{JID: j, Subscription: it.Subscription(), Groups: it.Groups}
}

// matches reports whether the item is about the peer (XEP-0016 §2.1).
func (it *Item) matches(p Peer) bool {
	switch it.Type {
	case JID:
		return addresses(it.Value, p.JID)
	case Group:
		return slices.Contains(p.Groups, it.Value)
	case Subscription:
		return it.Value == p.Subscription.String() // strangers have "none"
	}
	return true
}

// addresses reports whether an item's address means j: user@domain/resource and
// domain/resource mean just themselves, user@domain all its resources, and
// domain itself and all that is there.
func addresses(value string, j jid.JID) bool {
	return value == j.String() || value == string(j.Bare()) || value == j.Domain()
}

// List is a privacy list. It never changes; lists are shared by pointer.
type List struct {
	name  string
	items []Item // in their order

	once     sync.Once
	compiled rules
	plain    Filter // the list in force, if it does not look at the roster
}

// NewList makes a list of items, which it sorts and keeps.
func NewList(name string, items []Item) *List {
	slices.SortStableFunc(items, func(a, b Item) int {
		switch {
		case a.Order < b.Order:
			return -1
		case a.Order > b.Order:
			return 1
		}
		return 0
	})
	return &List{name: strings.Clone(name), items: items}
}

// Name returns the list's name.
func (l *List) Name() string { return l.name }

// Items returns the items in their order. The slice belongs to the list.
func (l *List) Items() []Item { return l.items }

// Read goes through the list as XEP-0016 §2.2 has it, rules 5 to 7: the first
// item that matches decides, and without one all is allowed.
func (l *List) Read(t Traffic, p Peer) Action {
	for i := range l.items {
		if it := &l.items[i]; it.Kinds.covers(t) && it.matches(p) {
			return it.Action
		}
	}
	return Allow
}

// CheckGroups refuses a list with a group that the owner's roster does not have
// (XEP-0016 §2.1). Items that were in the list before may stay: the group may
// have gone since, and then nothing else in the list could be changed.
func (l *List) CheckGroups(r *roster.Roster, before *List) error {
	var missing []string
	for _, it := range l.items {
		if it.Type == Group && !before.hasGroup(it.Value) {
			missing = append(missing, it.Value)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	known := map[string]bool{}
	for it := range r.Items() {
		for _, g := range it.Groups {
			known[g] = true
		}
	}
	for _, g := range missing {
		if !known[g] {
			return stanza.Refuse(stanza.ErrItemNotFound, "the roster has no such group")
		}
	}
	return nil
}

func (l *List) hasGroup(name string) bool {
	return l != nil && slices.ContainsFunc(l.items, func(it Item) bool { return it.Type == Group && it.Value == name })
}
