package shelf

import (
	"context"
	"slices"
	"sync/atomic"

	"rollcall/xmpp/jid"
)

// Place is where the value of one owner is. Whoever is online has one for as
// long, so it is small: 64 bytes with a note of 8.
type Place[V, N any] struct {
	Owner jid.Bare // fixed

	now   atomic.Pointer[V] // safe to read; written by who has the turn
	stale atomic.Bool       // now may differ from what is stored

	users int32 // who hold it; guarded by the shard's mu

	Note N // owned by who has the turn

	// Guarded by the shard's mu.
	busy         bool         // somebody has the turn
	older, newer *Place[V, N] // among those that nobody uses, while users is 0
}

// Fresh returns the value unless it has to be read from the store.
func (p *Place[V, N]) Fresh() *V {
	if p.stale.Load() {
		return nil
	}
	return p.now.Load()
}

// Last returns the value that was there last, or nil.
func (p *Place[V, N]) Last() *V { return p.now.Load() }

// Replace puts a value in the place of one that is the same in another form. It
// needs no turn, and reports false if something else is there by now.
func (p *Place[V, N]) Replace(old, now *V) bool { return p.now.CompareAndSwap(old, now) }

// Trust says that the value is about to be read from the store. Whoever doubts
// it from here on is heard. The caller has the turn.
func (p *Place[V, N]) Trust() { p.stale.Store(false) }

// Lock waits for the turn until ctx is done. The caller holds the place.
func (s *Shelf[V, N]) Lock(ctx context.Context, p *Place[V, N]) error {
	sh, _ := s.shard(p.Owner)
	sh.mu.Lock()
	if !p.busy {
		p.busy = true
		sh.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	sh.waiting[p] = append(sh.waiting[p], mine)
	sh.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if i := slices.Index(sh.waiting[p], mine); i >= 0 {
		sh.wait(p, slices.Delete(sh.waiting[p], i, i+1))
	} else { // it was handed over just then
		sh.next(p)
	}
	return ctx.Err()
}

// Unlock hands the turn to who waits for it the longest.
func (s *Shelf[V, N]) Unlock(p *Place[V, N]) {
	sh, _ := s.shard(p.Owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.next(p)
}

// next hands the turn on. The caller holds mu.
func (sh *shard[V, N]) next(p *Place[V, N]) {
	all := sh.waiting[p]
	if len(all) == 0 {
		p.busy = false
		return
	}
	close(all[0])
	sh.wait(p, all[1:])
}

// wait notes who waits for a place's turn. The caller holds mu.
func (sh *shard[V, N]) wait(p *Place[V, N], all []chan struct{}) {
	if len(all) == 0 {
		delete(sh.waiting, p)
	} else {
		sh.waiting[p] = all
	}
}
