package privacy

import (
	"rollcall/roster"
	"rollcall/xmpp/jid"
)

// place is where in the list an item stands, and what it does: the index times
// two, and one more if it denies. The lowest place decides.
type place uint32

// nowhere is behind all items, and allows.
const nowhere place = 1<<32 - 2

func (p place) action() Action { return Action(p & 1) }

// reach are the first places of items of one kind for each kind of traffic.
type reach [traffics]place

var unreached = reach{nowhere, nowhere, nowhere, nowhere, nowhere}

func (r *reach) add(k Kinds, p place) {
	for t := range traffics {
		if k.covers(t) {
			r[t] = min(r[t], p)
		}
	}
}

// Which forms of address a list has items for.
const (
	forFull uint8 = 1 << iota // with a resource
	forBare
	forDomain
)

// rules are a list as it is looked up.
type rules struct {
	jids     map[string]reach
	forms    uint8
	groups   map[string]reach
	states   [4]reach // by roster.Subscription
	contacts reach    // the first items of all that look at the roster
	anybody  reach
	blocked  []string // see List.Blocked
	blocks   map[string]struct{}
}

// rules compiles the list when it is first in force.
func (l *List) rules() *rules {
	l.once.Do(func() {
		l.compiled.compile(l.items)
		l.plain.list = l
	})
	return &l.compiled
}

func (c *rules) compile(items []Item) {
	c.contacts, c.anybody = unreached, unreached
	for i := range c.states {
		c.states[i] = unreached
	}
	for i := range items {
		it := &items[i]
		p := place(i)<<1 | place(it.Action)
		switch it.Type {
		case JID:
			c.jids = put(c.jids, it, p)
			c.forms |= formOf(it.Value)
		case Group:
			c.groups = put(c.groups, it, p)
			c.contacts.add(it.Kinds, p)
		case Subscription:
			for s := range c.states {
				if roster.Subscription(s).String() == it.Value {
					c.states[s].add(it.Kinds, p)
				}
			}
			c.contacts.add(it.Kinds, p)
		default:
			c.anybody.add(it.Kinds, p)
		}
	}
	c.findBlocked(items)
}

func put(m map[string]reach, it *Item, p place) map[string]reach {
	if m == nil {
		m = map[string]reach{}
	}
	r, found := m[it.Value]
	if !found {
		r = unreached
	}
	r.add(it.Kinds, p)
	m[it.Value] = r
	return m
}

func formOf(value string) uint8 {
	form := forDomain
	for i := range len(value) {
		switch value[i] {
		case '/':
			return forFull
		case '@':
			form = forBare
		}
	}
	return form
}

// LooksAtRoster reports whether what the list says depends on the roster.
func (l *List) LooksAtRoster() bool { return l.rules().contacts != unreached }

// Decide says what [List.Read] says, of a peer that is in the roster or not. It
// does not allocate. The roster may be nil if the list does not look at it.
func (l *List) Decide(t Traffic, peer jid.JID, r *roster.Roster) Action {
	c := l.rules()
	first := c.anybody[t]
	look := func(value string) {
		if r, found := c.jids[value]; found {
			first = min(first, r[t])
		}
	}
	if c.forms&forFull != 0 && peer.IsFull() {
		look(peer.String())
	}
	if c.forms&forBare != 0 {
		look(string(peer.Bare()))
	}
	if c.forms&forDomain != 0 {
		look(peer.Domain())
	}
	if c.contacts[t] >= first {
		return first.action()
	}
	it, _ := r.Lookup(peer.Bare())
	first = min(first, c.states[it.Subscription()][t])
	if c.groups != nil {
		for _, g := range it.Groups {
			if r, found := c.groups[g]; found {
				first = min(first, r[t])
			}
		}
	}
	return first.action()
}
