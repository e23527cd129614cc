// Package shelf keeps in memory what a store has of people: their rosters, their
// privacy lists.
//
// Everybody has a place. Whoever loads or changes what is there has the turn of
// that place, one after another; reading needs none. What nobody uses is kept up
// to a number, and what was not asked for the longest goes first. A value that
// most people have is remembered by their names alone.
package shelf

import (
	"context"
	"hash/maphash"
	"math/bits"
	"sync"

	"rollcall/xmpp/jid"
)

// Shards is how many parts a shelf has, each with a lock of its own.
const Shards = 16

// Shelf keeps a value V of each owner, with a note N for whoever has the turn.
// It is safe once Init was called.
type Shelf[V, N any] struct {
	seed   maphash.Seed // fixed
	common *V           // fixed; nil: there is none
	shards [Shards]shard[V, N]
}

type shard[V, N any] struct {
	keep int // fixed

	mu      sync.Mutex // guards the fields below, and those that Place names
	all     map[jid.Bare]*Place[V, N]
	idle    int          // of them nobody uses
	oldest  *Place[V, N] // of those; newest at the other end
	newest  *Place[V, N]
	plain   []jid.Bare                       // who has the common value; each can be at one index only
	waiting map[*Place[V, N]][]chan struct{} // for a turn, but for those that nobody waits for
	era     uint64                           // counts what may have become of anybody's value
}

// Init makes the shelf ready. keep is for how many values are kept that nobody
// uses. common, if not nil, is the value that most people have: plain is of how
// many of them it is remembered.
func (s *Shelf[V, N]) Init(keep int, common *V, plain int) {
	s.seed, s.common = maphash.MakeSeed(), common
	for i := range s.shards {
		sh := &s.shards[i]
		sh.keep, sh.all = (keep+Shards-1)/Shards, map[jid.Bare]*Place[V, N]{}
		sh.waiting = map[*Place[V, N]][]chan struct{}{}
		if common != nil {
			sh.plain = make([]jid.Bare, 1<<bits.Len(uint(plain/Shards)))
		}
	}
}

// shard returns the owner's shard, and where the owner is among those with the
// common value.
func (s *Shelf[V, N]) shard(owner jid.Bare) (*shard[V, N], *jid.Bare) {
	h := maphash.String(s.seed, string(owner))
	sh := &s.shards[h%Shards]
	if len(sh.plain) == 0 {
		return sh, nil
	}
	return sh, &sh.plain[h/Shards%uint64(len(sh.plain))]
}

// has reports whether an owner is at an index that may be empty, or not be there.
func has(at *jid.Bare, owner jid.Bare) bool { return at != nil && *at == owner && owner != "" }

// Peek returns the owner's place if there is one, and the value if it is in
// memory. It is only for a look: nothing holds the place.
func (s *Shelf[V, N]) Peek(owner jid.Bare) (*Place[V, N], *V) {
	sh, plain := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	p := sh.all[owner]
	switch {
	case p == nil && has(plain, owner):
		return nil, s.common
	case p == nil:
		return nil, nil
	case p.users == 0:
		sh.leave(p)
		sh.join(p)
	}
	return p, p.Fresh()
}

// Owners returns whose values are in memory, but for the common one: those that
// nobody uses in the order in which they were last used, the earliest first, so
// that going through them keeps it.
func (s *Shelf[V, N]) Owners() (all []jid.Bare) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for owner, p := range sh.all {
			if p.users > 0 {
				all = append(all, owner)
			}
		}
		for p := sh.oldest; p != nil; p = p.newer {
			all = append(all, p.Owner)
		}
		sh.mu.Unlock()
	}
	return all
}

// Len returns how many places there are.
func (s *Shelf[V, N]) Len() (n int) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		n += len(sh.all)
		sh.mu.Unlock()
	}
	return n
}

// Take returns the owner's place and holds it until Give.
func (s *Shelf[V, N]) Take(owner jid.Bare) *Place[V, N] {
	sh, plain := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	p := sh.all[owner]
	switch {
	case p == nil:
		p = &Place[V, N]{Owner: owner}
		sh.all[owner] = p
		if has(plain, owner) {
			p.now.Store(s.common)
			*plain = ""
		}
	case p.users == 0:
		sh.leave(p)
	}
	p.users++
	return p
}

// Give lets a place go.
func (s *Shelf[V, N]) Give(p *Place[V, N]) {
	sh, plain := s.shard(p.Owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if p.users--; p.users > 0 {
		return
	}
	switch v := p.Fresh(); {
	case v == nil: // not loaded, or not to be trusted: nothing worth keeping
		delete(sh.all, p.Owner)
	case v == s.common:
		delete(sh.all, p.Owner)
		*plain = p.Owner
	default:
		sh.join(p)
		for sh.idle > sh.keep {
			last := sh.oldest
			sh.leave(last)
			delete(sh.all, last.Owner)
		}
	}
}

// Turn calls do with the owner's place, which nobody else loads or changes
// meanwhile. It waits for those who came before until ctx is done.
func (s *Shelf[V, N]) Turn(ctx context.Context, owner jid.Bare, do func(*Place[V, N]) error) error {
	p := s.Take(owner)
	defer s.Give(p)
	if err := s.Lock(ctx, p); err != nil {
		return err
	}
	defer s.Unlock(p)
	return do(p)
}

// Set puts a value in a place. The caller has the turn.
func (s *Shelf[V, N]) Set(p *Place[V, N], v *V) {
	sh, _ := s.shard(p.Owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.era++
	p.now.Store(v)
}

// Doubt has a value read again before it is next used: it may differ from what
// is stored. The caller holds the place.
func (s *Shelf[V, N]) Doubt(p *Place[V, N]) {
	sh, _ := s.shard(p.Owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.era++
	p.stale.Store(true)
}

// Forget has the owner's value read again before it is next used.
func (s *Shelf[V, N]) Forget(owner jid.Bare) {
	sh, plain := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.era++
	if has(plain, owner) {
		*plain = ""
	}
	p := sh.all[owner]
	if p == nil {
		return
	}
	p.stale.Store(true)
	if p.users == 0 {
		sh.leave(p)
		delete(sh.all, owner)
	}
}

// Era is for whoever is about to look into the store for Common.
func (s *Shelf[V, N]) Era(owner jid.Bare) uint64 {
	sh, _ := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.era
}

// Common notes that the store was seen to have the common value of an owner, by
// somebody who had asked for the era before looking. It is nothing if the value
// may have become another one since, or if somebody has the place.
func (s *Shelf[V, N]) Common(owner jid.Bare, era uint64) {
	sh, plain := s.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.era == era && sh.all[owner] == nil {
		*plain = owner
	}
}

// join puts a place among those that nobody uses, as the latest used.
func (sh *shard[V, N]) join(p *Place[V, N]) {
	p.older, p.newer = sh.newest, nil
	if sh.newest != nil {
		sh.newest.newer = p
	} else {
		sh.oldest = p
	}
	sh.newest = p
	sh.idle++
}

// leave takes a place out of those that nobody uses.
func (sh *shard[V, N]) leave(p *Place[V, N]) {
	if p.older != nil {
		p.older.newer = p.newer
	} else {
		sh.oldest = p.newer
	}
	if p.newer != nil {
		p.newer.older = p.older
	} else {
		sh.newest = p.older
	}
	p.older, p.newer = nil, nil
	sh.idle--
}
