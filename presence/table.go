package presence

import (
	"iter"
	"sync/atomic"
)

// table finds the slots of a shard's subjects. One goroutine changes it, anybody
// reads it, and nobody waits: buckets are lists whose nodes never change.
type table struct {
	buckets atomic.Pointer[[]atomic.Pointer[node]]
	count   int // owned by the shard
}

type node struct {
	slot *slot
	next *node
}

// slot is what everybody can see of a subject.
type slot struct {
	hash    uint64
	subject Subject
	shown   atomic.Pointer[Effective]
}

func (t *table) bucket(hash uint64) *atomic.Pointer[node] {
	b := *t.buckets.Load()
	return &b[(hash>>32)&uint64(len(b)-1)]
}

func (t *table) find(hash uint64, subject Subject) *slot {
	if t.buckets.Load() == nil {
		return nil
	}
	for n := t.bucket(hash).Load(); n != nil; n = n.next {
		if n.slot.hash == hash && n.slot.subject == subject {
			return n.slot
		}
	}
	return nil
}

// add takes in a slot whose subject has none.
func (t *table) add(s *slot) {
	if t.buckets.Load() == nil || t.count >= 2*len(*t.buckets.Load()) {
		t.grow()
	}
	t.put(s)
	t.count++
}

func (t *table) put(s *slot) {
	b := t.bucket(s.hash)
	b.Store(&node{s, b.Load()})
}

// grow makes room in a table of its own, so that readers see the old one or the
// new one, whole.
func (t *table) grow() {
	size := 16
	if old := t.buckets.Load(); old != nil {
		size = 4 * len(*old)
	}
	buckets := make([]atomic.Pointer[node], size) // a power of two
	var bigger table
	bigger.buckets.Store(&buckets)
	for s := range t.all() {
		bigger.put(s)
	}
	t.buckets.Store(&buckets)
}

func (t *table) remove(s *slot) {
	b := t.bucket(s.hash)
	var kept *node
	for n := b.Load(); n != nil; n = n.next {
		if n.slot != s {
			kept = &node{n.slot, kept}
		}
	}
	b.Store(kept)
	t.count--
}

// all returns the slots, in no order.
func (t *table) all() iter.Seq[*slot] {
	return func(yield func(*slot) bool) {
		buckets := t.buckets.Load()
		if buckets == nil {
			return
		}
		for i := range *buckets {
			for n := (*buckets)[i].Load(); n != nil; n = n.next {
				if !yield(n.slot) {
					return
				}
			}
		}
	}
}
