package roster

import (
	"container/list"
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"rollcall/xmpp/jid"
)

// held is a place for one account's roster.
type held struct {
	owner jid.Bare // fixed

	now   atomic.Pointer[Roster] // safe to read; written by who holds turn
	stale atomic.Bool            // now may differ from what is stored
	turn  chan struct{}          // holds one token while a load or change is under way
	told  *Directory             // owned by who holds turn: what the owner's clients have been told of; nil before the first load

	// Guarded by the shard's mu.
	users int           // pins, and operations under way
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

// fresh returns the roster unless it has to be read from the store.
func (h *held) fresh() *Roster {
	if h.stale.Load() {
		return nil
	}
	return h.now.Load()
}

const shards = 16

// shelf finds held rosters. Those that nobody uses are kept up to a number for
// each shard; the one that was not asked for the longest goes first.
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

// peek returns the owner's place if there is one, or nil. It is only for a look:
// nothing holds it.
func (s *shelf) peek(owner jid.Bare) *held {
	sh := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h := sh.all[owner]
	if h != nil && h.idle != nil {
		sh.idle.MoveToFront(h.idle)
	}
	return h
}

// owners returns whose rosters are in memory: those that nobody uses in the order
// in which they were last used, the earliest first, so that going through them
// keeps it.
func (s *shelf) owners() (all []jid.Bare) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for owner, h := range sh.all {
			if h.idle == nil {
				all = append(all, owner)
			}
		}
		for e := sh.idle.Back(); e != nil; e = e.Prev() {
			all = append(all, e.Value.(*held).owner)
		}
		sh.mu.Unlock()
	}
	return all
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
	if h.fresh() == nil { // not loaded, or not to be trusted: nothing worth keeping
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

// forget has the owner's roster read again before it is next used.
func (s *shelf) forget(owner jid.Bare) {
	sh := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h := sh.all[owner]
	if h == nil {
		return
	}
	h.stale.Store(true)
	if h.idle != nil {
		sh.idle.Remove(h.idle)
		h.idle = nil
		delete(sh.all, owner)
	}
}
