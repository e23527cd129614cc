package presence

import (
	"iter"
	"sync/atomic"
)

// table finds the entries of a shard's subjects. One goroutine changes it, anybody
// reads it, and nobody waits: buckets are lists whose nodes never change.
type table struct {
	buckets atomic.Pointer[[]atomic.Pointer[node]]
	count   int // owned by the shard
}

type node struct {
	entry *entry
	next  *node
}

func (t *table) bucket(hash uint64) *atomic.Pointer[node] {
	b := *t.buckets.Load()
	return &b[(hash>>32)&uint64(len(b)-1)]
}

func (t *table) find(hash uint64, subject Subject) *entry {
	if t.buckets.Load() == nil {
		return nil
	}
	for n := t.bucket(hash).Load(); n != nil; n = n.next {
		if n.entry.hash == hash && n.entry.subject == subject {
			return n.entry
		}
	}
	return nil
}

// add takes in an entry whose subject has none.
func (t *table) add(en *entry) {
	if t.buckets.Load() == nil || t.count >= 2*len(*t.buckets.Load()) {
		t.grow()
	}
	t.put(en)
	t.count++
}

func (t *table) put(en *entry) {
	b := t.bucket(en.hash)
	b.Store(&node{en, b.Load()})
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
	for en := range t.all() {
		bigger.put(en)
	}
	t.buckets.Store(&buckets)
}

func (t *table) remove(en *entry) {
	b := t.bucket(en.hash)
	var kept *node
	for n := b.Load(); n != nil; n = n.next {
		if n.entry != en {
			kept = &node{n.entry, kept}
		}
	}
	b.Store(kept)
	t.count--
}

// all returns the entries, in no order.
func (t *table) all() iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		buckets := t.buckets.Load()
		if buckets == nil {
			return
		}
		for i := range *buckets {
			for n := (*buckets)[i].Load(); n != nil; n = n.next {
				if !yield(n.entry) {
					return
				}
			}
		}
	}
}
