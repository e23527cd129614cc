package presence

import (
	"container/heap"
	"time"
)

// alarms are the subjects of a shard that have something to do at a time, the
// first on top. One timer serves them all.
type alarms struct{ heap byTime }

func (a *alarms) first() time.Time {
	if len(a.heap) == 0 {
		return time.Time{}
	}
	return a.heap[0].due
}

// set has a subject called at a time; zero is never. A time that is put off is
// left alone: a call too early does no harm, and most are put off again.
func (a *alarms) set(en *entry, at time.Time) {
	switch {
	case at.IsZero() && en.index >= 0:
		heap.Remove(&a.heap, int(en.index))
	case at.IsZero():
	case en.index < 0:
		en.due = at
		heap.Push(&a.heap, en)
	case at.Before(en.due):
		en.due = at
		heap.Fix(&a.heap, int(en.index))
	}
}

// pop takes out a subject whose time has come, or returns nil.
func (a *alarms) pop(now time.Time) *entry {
	if len(a.heap) == 0 || a.heap[0].due.After(now) {
		return nil
	}
	return heap.Pop(&a.heap).(*entry)
}

// byTime implements heap.Interface.
type byTime []*entry

func (h byTime) Len() int           { return len(h) }
func (h byTime) Less(i, j int) bool { return h[i].due.Before(h[j].due) }

func (h byTime) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = int32(i), int32(j)
}

func (h *byTime) Push(x any) {
	en := x.(*entry)
	en.index = int32(len(*h))
	*h = append(*h, en)
}

func (h *byTime) Pop() any {
	old := *h
	en := old[len(old)-1]
	old[len(old)-1] = nil
	*h, en.index = old[:len(old)-1], -1
	return en
}
