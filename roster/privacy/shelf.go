package privacy

import (
	"container/list"
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"rollcall/xmpp/jid"
)

// held is a place for one account's lists.
type held struct {
	owner jid.Bare // fixed

	now  atomic.Pointer[Lists] // nil: to be read; written by who holds turn, or forgets
	era  atomic.Uint32         // counts what was forgotten
	turn chan struct{}         // holds one token while a load or change is under way

	// Guarded by the shard's mu.
	users int           // operations under way
	idle  *list.Element // place in the shard's idle list while users is 0
}

func (h *held) lock(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *held) unlock() { <-h.turn }

const shards = 16

// shelf finds held lists. So many are kept in each shard; those that were not
// asked for the longest go first.
type shelf struct {
	seed   maphash.Seed // fixed
	shards [shards]shard
}

type shard struct {
	keep int // fixed

	mu   sync.Mutex // guards the fields below, and those that held names
	all  map[jid.Bare]*held
	idle list.List // of *held, the latest used in front
}

func (s *shelf) init(keep int) {
	s.seed = maphash.MakeSeed()
	for i := range s.shards {
		s.shards[i].keep = (keep + shards - 1) / shards
		s.shards[i].all = make(map[jid.Bare]*held)
	}
}

func (s *shelf) shard(owner jid.Bare) *shard {
	return &s.shards[maphash.String(s.seed, string(owner))%shards]
}

// peek returns lists that are in memory, or nil.
func (s *shelf) peek(owner jid.Bare) *Lists {
	sh := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h := sh.all[owner]
	if h == nil {
		return nil
	}
	if h.idle != nil {
		sh.idle.MoveToFront(h.idle)
	}
	return h.now.Load()
}

// take returns the owner's place and holds it until give.
func (s *shelf) take(owner jid.Bare) *held {
	sh := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h := sh.all[owner]
	if h == nil {
		h = &held{owner: owner, turn: make(chan struct{}, 1)}
		sh.all[owner] = h
	}
	if h.idle != nil {
		sh.idle.Remove(h.idle)
		h.idle = nil
	}
	h.users++
	return h
}

func (s *shelf) give(h *held) {
	sh := s.shard(h.owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h.users--
	if h.users > 0 {
		return
	}
	if h.now.Load() == nil { // not loaded, or not to be trusted: nothing worth keeping
		delete(sh.all, h.owner)
		return
	}
	h.idle = sh.idle.PushFront(h)
	for sh.idle.Len() > sh.keep {
		last := sh.idle.Remove(sh.idle.Back()).(*held)
		last.idle = nil
		delete(sh.all, last.owner)
	}
}

// forget has the owner's lists read again before they are next used.
func (s *shelf) forget(owner jid.Bare) {
	sh := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h := sh.all[owner]
	if h == nil {
		return
	}
	h.era.Add(1)
	h.now.Store(nil)
	if h.idle != nil {
		sh.idle.Remove(h.idle)
		h.idle = nil
		delete(sh.all, owner)
	}
}
