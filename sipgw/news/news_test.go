package news

import (
	"slices"
	"sync"
	"testing"
)

// Whoever adds, and from wherever, everything is told once, in order, by one at a
// time, and without the lock.
func TestOrder(t *testing.T) {
	const people, each = 8, 2000
	var (
		mu   sync.Mutex
		q    Queue[int]
		next int // guarded by mu
		got  []int
		work sync.WaitGroup
	)
	add := func() {
		mu.Lock()
		q.Add(next)
		next++
		q.Tell(&mu, func(n *int) { got = append(got, *n) })
	}
	for range people {
		work.Go(func() {
			for range each {
				add()
			}
		})
	}
	work.Wait()
	if len(got) != people*each || !slices.IsSorted(got) {
		t.Errorf("%d were told, sorted: %v", len(got), slices.IsSorted(got))
	}
}

// Who is told something may cause more of it.
func TestNested(t *testing.T) {
	var mu sync.Mutex
	var q Queue[int]
	var got []int
	var tell func(*int)
	tell = func(n *int) {
		got = append(got, *n)
		if *n < 3 {
			for range 2 {
				mu.Lock()
				q.Add(*n + 1)
				q.Tell(&mu, tell)
			}
		}
	}
	mu.Lock()
	q.Add(1)
	q.Tell(&mu, tell)
	if want := []int{1, 2, 2, 3, 3, 3, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
