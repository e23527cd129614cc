// Package news hands on what has happened, in the order in which it happened, with
// no lock held.
package news

import "sync"

// Queue is what has happened and has not been handed on. All its fields belong to
// the mutex of whatever it is about. The zero value is empty.
type Queue[T any] struct {
	waiting []T
	spare   []T // room for what is next
	telling bool
}

// spareMost is how many pieces of news there is room for all the time.
const spareMost = 64

// Add puts something in. The caller holds the mutex.
func (q *Queue[T]) Add(news T) { q.waiting = append(q.waiting, news) }

// Tell hands on all there is. The caller holds the mutex, and does not any more
// afterwards. If somebody else is at it already, they go on with this; so telling
// may cause more news.
func (q *Queue[T]) Tell(mu *sync.Mutex, tell func(*T)) {
	if q.telling || len(q.waiting) == 0 {
		mu.Unlock()
		return
	}
	q.telling = true
	for len(q.waiting) > 0 {
		now := q.waiting
		q.waiting, q.spare = q.spare[:0], nil
		mu.Unlock()
		for i := range now {
			tell(&now[i])
		}
		clear(now)
		mu.Lock()
		if cap(now) <= spareMost {
			q.spare = now
		}
	}
	q.telling = false
	mu.Unlock()
}
