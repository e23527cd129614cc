package caps

import (
	"container/list"
	"slices"
	"strings"
	"sync"

	"rollcall/xmpp/entity"
)

// Abilities are what a client is and can do. They are never changed.
type Abilities struct {
	identities []entity.Identity
	features   []string // in order
	interests  []string // in order: nodes of which it wants to hear
}

// What is remembered of one client.
const (
	maxBytes     = 16 << 10 // of identities and features; over it the rest is left out
	maxInterests = 64
)

// notify is what stands behind a node's name in the feature that says that a client
// wants to hear of it (XEP-0060 §9.2).
const notify = "+notify"

func newAbilities(i entity.Info) *Abilities {
	a := new(Abilities)
	size := 0
	for _, x := range i.Identities {
		x.Name = "" // nobody decides by that
		if size += len(x.Category) + len(x.Type) + len(x.Lang); size > maxBytes {
			break
		}
		a.identities = append(a.identities, x)
	}
	for _, x := range slices.Sorted(slices.Values(i.Features)) {
		if size += len(x); size > maxBytes {
			break
		}
		a.features = append(a.features, x)
		if node, ok := strings.CutSuffix(x, notify); ok && node != "" && len(a.interests) < maxInterests {
			a.interests = append(a.interests, node)
		}
	}
	slices.Sort(a.interests)
	return a
}

// Has reports whether a client has a feature; nobody knows of nil.
func (a *Abilities) Has(feature string) bool {
	if a == nil {
		return false
	}
	_, ok := slices.BinarySearch(a.features, feature)
	return ok
}

// Is reports whether a client is of a kind: "client", "phone".
func (a *Abilities) Is(category, kind string) bool {
	return a != nil && slices.ContainsFunc(a.identities, func(x entity.Identity) bool { return x.Category == category && x.Type == kind })
}

// maxKnown is how many kinds of clients are remembered. Each version with other
// settings is a kind of its own.
const maxKnown = 500

// cache remembers what hashes stand for; those that were not asked for longest are
// forgotten first.
type cache struct {
	most int // fixed

	mu    sync.Mutex // guards all below
	all   map[sum]*list.Element
	order list.List // of *entry, the latest first
}

type entry struct {
	sum sum
	a   *Abilities
}

func (c *cache) get(s sum) *Abilities {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.all[s]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry).a
}

func (c *cache) put(s sum, a *Abilities) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[sum]*list.Element{}
	}
	if c.all[s] != nil {
		return // whoever was first has been verified as well
	}
	c.all[s] = c.order.PushFront(&entry{s, a})
	if c.order.Len() > c.most {
		last := c.order.Back()
		delete(c.all, last.Value.(*entry).sum)
		c.order.Remove(last)
	}
}
