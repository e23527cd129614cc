package pep

import (
	"container/list"
	"context"
	"hash/maphash"
	"slices"
	"sync"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// shelf is all nodes of an account, without the items but the last of each. It never
// changes.
type shelf struct {
	nodes []*Node // in order of their names
	size  int     // about how much memory it takes
}

// node returns the node of a name, or nil.
func (s *shelf) node(name string) *Node {
	for _, n := range s.nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

func newShelf(nodes []Node) *shelf {
	s := &shelf{size: 300} // with its place among the others
	for i := range nodes {
		n := &nodes[i]
		s.nodes = append(s.nodes, n)
		s.size += n.size()
	}
	return s
}

// size is about how much memory a node takes.
func (n *Node) size() int {
	size := 400 + len(n.Name) + len(n.Title) + len(n.Type) + len(n.Last.ID) + len(n.Last.Payload)
	for _, g := range n.Groups {
		size += 16 + len(g)
	}
	for _, a := range n.Affiliations {
		size += 48 + len(a.JID)
	}
	for _, j := range n.Subscribers {
		size += 48 + len(j.String())
	}
	return size
}

// Errors of a store.
var (
	// ErrTooManyNodes says that an account has as many nodes as it may.
	ErrTooManyNodes error = stanza.Refuse(stanza.ErrResourceConstraint, "there are as many nodes as there may be")

	// ErrFull says that an account keeps as much as it may.
	ErrFull error = stanza.Refuse(stanza.ErrResourceConstraint, "there is no room left for what your clients publish")

	// ErrNoNode says that a node is no more.
	ErrNoNode error = stanza.ErrItemNotFound

	// ErrNoItem says that there are no such items.
	ErrNoItem error = stanza.ErrItemNotFound
)

// maxShelves bounds what is remembered of accounts, in bytes.
const maxShelves = 32 << 20

// shelves remember what accounts have, those longest that were asked for last.
type shelves struct {
	seed  maphash.Seed   // fixed
	turns [64]sync.Mutex // of accounts: held while one is read or changed

	mu    sync.Mutex // guards all below; taken after a turn
	all   map[jid.Bare]*list.Element
	order list.List // of *kept, the latest first
	size  int
}

type kept struct {
	owner jid.Bare
	shelf *shelf
}

// take waits for an account's turn, which the caller is to give back.
func (s *shelves) take(owner jid.Bare) *sync.Mutex {
	m := &s.turns[maphash.String(s.seed, string(owner))%uint64(len(s.turns))]
	m.Lock()
	return m
}

func (s *shelves) get(owner jid.Bare) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.all[owner]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*kept).shelf
}

// put remembers a shelf; nil forgets what there was. The caller has the turn.
func (s *shelves) put(owner jid.Bare, sh *shelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.all[owner])
	if sh == nil {
		return
	}
	if s.all == nil {
		s.all = map[jid.Bare]*list.Element{}
	}
	s.all[owner] = s.order.PushFront(&kept{owner, sh})
	for s.size += sh.size; s.size > maxShelves && s.order.Len() > 1; {
		s.drop(s.order.Back())
	}
}

// naming returns whose shelves name somebody: a member, an outcast or a subscriber.
func (s *shelves) naming(who jid.Bare) (all []jid.Bare) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for owner, e := range s.all {
		if slices.ContainsFunc(e.Value.(*kept).shelf.nodes, func(n *Node) bool { return n.names(who) }) {
			all = append(all, owner)
		}
	}
	return all
}

func (n *Node) names(who jid.Bare) bool {
	return n.affiliation(who) != "" || slices.ContainsFunc(n.Subscribers, func(j jid.JID) bool { return j.Bare() == who })
}

func (s *shelves) drop(e *list.Element) {
	if e == nil {
		return
	}
	k := s.order.Remove(e).(*kept)
	delete(s.all, k.owner)
	s.size -= k.shelf.size
}

// forget has an account's nodes read again.
func (f *Feature) forget(owner jid.Bare) {
	defer f.shelves.take(owner).Unlock()
	f.shelves.put(owner, nil)
}

// shelf returns what an account has.
func (f *Feature) shelf(ctx context.Context, of *server.Account) (*shelf, error) {
	if of.ID == 0 {
		return &shelf{}, nil // an anonymous user has nothing
	}
	if s := f.shelves.get(of.JID); s != nil {
		return s, nil
	}
	defer f.shelves.take(of.JID).Unlock()
	return f.read(ctx, of)
}

// read is shelf for who has the turn.
func (f *Feature) read(ctx context.Context, of *server.Account) (*shelf, error) {
	if s := f.shelves.get(of.JID); s != nil {
		return s, nil
	}
	nodes, err := f.store.Nodes(ctx, of.ID)
	if err != nil {
		return nil, err
	}
	s := newShelf(nodes)
	f.shelves.put(of.JID, s)
	return s, nil
}

// change changes a node, and returns it as it is then, or nil if it is gone. The
// caller has the turn.
func (f *Feature) change(ctx context.Context, of *server.Account, c Change) (*Node, error) {
	c.Limits = Limits{Nodes: f.cfg.MaxNodes, Bytes: f.cfg.MaxAccount}
	if c.Node.MaxItems == 0 || c.Node.MaxItems > f.cfg.MaxItems {
		c.Limits.Items = f.cfg.MaxItems
	} else {
		c.Limits.Items = c.Node.MaxItems
	}
	if c.Options {
		f.owners.add(of.JID) // before anybody could find it there
	}
	err := f.store.Change(ctx, of.ID, c)
	f.shelves.put(of.JID, nil) // it may be changed, and only word of that be lost
	if err != nil {
		return nil, err
	}
	s, err := f.read(ctx, of)
	if err != nil {
		return nil, err
	}
	return s.node(c.Node.Name), nil
}
