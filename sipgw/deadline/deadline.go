// Package deadline keeps what ends at a time, so that what ends next is at hand.
package deadline

// Heap holds things with the time at which they end. The zero value is empty. It is
// not safe for use by several goroutines.
//
// What ends later than it was to, is not moved: that would cost more than it is
// worth for things that are prolonged all the time. Whoever takes it out puts it in
// again.
type Heap[T any] struct{ items []item[T] }

type item[T any] struct {
	at int64
	it T
}

// Push puts something in that ends at a time, in whatever unit is always used.
func (h *Heap[T]) Push(at int64, it T) {
	h.items = append(h.items, item[T]{at, it})
	i := len(h.items) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if h.items[parent].at <= h.items[i].at {
			return
		}
		h.items[parent], h.items[i] = h.items[i], h.items[parent]
		i = parent
	}
}

// Next says when the next thing ends; false if there is none.
func (h *Heap[T]) Next() (at int64, found bool) {
	if len(h.items) == 0 {
		return 0, false
	}
	return h.items[0].at, true
}

// Pop takes out the next thing that ends at now or before.
func (h *Heap[T]) Pop(now int64) (it T, at int64, found bool) {
	if len(h.items) == 0 || h.items[0].at > now {
		return it, 0, false
	}
	first := h.items[0]
	last := len(h.items) - 1
	h.items[0] = h.items[last]
	h.items[last] = item[T]{}
	h.items = h.items[:last]
	h.sink()
	if cap(h.items) > 64 && len(h.items) < cap(h.items)/4 {
		h.items = append(make([]item[T], 0, cap(h.items)/2), h.items...)
	}
	return first.it, first.at, true
}

// sink moves the first item to where it belongs.
func (h *Heap[T]) sink() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.items); child++ {
			if h.items[child].at < h.items[least].at {
				least = child
			}
		}
		if least == i {
			return
		}
		h.items[i], h.items[least] = h.items[least], h.items[i]
		i = least
	}
}
