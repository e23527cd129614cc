package pep

import (
	"container/list"
	"context"
	"sync"

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
	s := &shelf{size: 100}
	for i := range nodes {
		n := &nodes[i]
		s.nodes = append(s.nodes, n)
		s.size += 300 + len(n.Name) + len(n.Title) + len(n.Last.ID) + len(n.Last.Payload) + 64*(len(n.Affiliations)+len(n.Subscribers))
	}
	return s
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
	turns [64]sync.Mutex // of accounts: held while one is read or changed

	mu    sync.Mutex // guards all below; taken after a turn
	all   map[int64]*list.Element
	order list.List // of *kept, the latest first
	size  int
}

type kept struct {
	account int64
	shelf   *shelf
}

// take waits for an account's turn, which the caller is to give back.
func (s *shelves) take(account int64) *sync.Mutex {
	m := &s.turns[uint64(account)%uint64(len(s.turns))]
	m.Lock()
	return m
}

func (s *shelves) get(account int64) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.all[account]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*kept).shelf
}

// put remembers a shelf; nil forgets what there was. The caller has the turn.
func (s *shelves) put(account int64, sh *shelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.all[account])
	if sh == nil {
		return
	}
	if s.all == nil {
		s.all = map[int64]*list.Element{}
	}
	s.all[account] = s.order.PushFront(&kept{account, sh})
	for s.size += sh.size; s.size > maxShelves && s.order.Len() > 1; {
		s.drop(s.order.Back())
	}
}

func (s *shelves) drop(e *list.Element) {
	if e == nil {
		return
	}
	k := s.order.Remove(e).(*kept)
	delete(s.all, k.account)
	s.size -= k.shelf.size
}

// forget has an account's nodes read again.
func (f *Feature) forget(account int64) {
	defer f.shelves.take(account).Unlock()
	f.shelves.put(account, nil)
}

// shelf returns what an account has.
func (f *Feature) shelf(ctx context.Context, account int64) (*shelf, error) {
	if account == 0 {
		return &shelf{}, nil // an anonymous user has nothing
	}
	if s := f.shelves.get(account); s != nil {
		return s, nil
	}
	defer f.shelves.take(account).Unlock()
	return f.read(ctx, account)
}

// read is shelf for who has the turn.
func (f *Feature) read(ctx context.Context, account int64) (*shelf, error) {
	if s := f.shelves.get(account); s != nil {
		return s, nil
	}
	nodes, err := f.store.Nodes(ctx, account)
	if err != nil {
		return nil, err
	}
	s := newShelf(nodes)
	f.shelves.put(account, s)
	return s, nil
}

// change changes a node, and returns it as it is then, or nil if it is gone. The
// caller has the turn.
func (f *Feature) change(ctx context.Context, account int64, c Change) (*Node, error) {
	c.Limits = Limits{Nodes: f.cfg.MaxNodes, Bytes: f.cfg.MaxAccount}
	if c.Node.MaxItems == 0 || c.Node.MaxItems > f.cfg.MaxItems {
		c.Limits.Items = f.cfg.MaxItems
	} else {
		c.Limits.Items = c.Node.MaxItems
	}
	err := f.store.Change(ctx, account, c)
	f.shelves.put(account, nil) // it may be changed, and only word of that be lost
	if err != nil {
		return nil, err
	}
	s, err := f.read(ctx, account)
	if err != nil {
		return nil, err
	}
	return s.node(c.Node.Name), nil
}
