package deadline

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever the order in which things are put in, they come out by their time, and
// none before it.
func TestHeap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h Heap[int64]
	if _, found := h.Next(); found {
		t.Error("an empty heap has something")
	}
	var want []int64
	for range 1000 {
		at := r.Int64N(500)
		h.Push(at, at*10)
		want = append(want, at)
	}
	slices.Sort(want)
	for now := int64(0); len(want) > 0; now += 7 {
		for {
			it, at, found := h.Pop(now)
			if !found {
				break
			}
			if at != want[0] || it != at*10 {
				t.Fatalf("%d came out at %d, want %d", it, at, want[0])
			}
			want = want[1:]
		}
		next, found := h.Next()
		if found != (len(want) > 0) || found && (next != want[0] || next <= now) {
			t.Fatalf("at %d the next is %d, %v", now, next, found)
		}
	}
	if cap(h.items) > 64 {
		t.Errorf("an empty heap has room for %d", cap(h.items))
	}
}
