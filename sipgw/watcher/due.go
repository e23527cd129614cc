package watcher

import (
	"container/heap"
	"time"

	"rollcall/sipgw/event"
)

// agenda holds the subscriptions by the time when they are to be looked at.
type agenda []*leg

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a agenda) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].index, a[j].index = i, j
}

// Push implements heap.Interface.
func (a *agenda) Push(x any) {
	g := x.(*leg)
	g.index = len(*a)
	*a = append(*a, g)
}

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	old := *a
	g := old[len(old)-1]
	old[len(old)-1] = nil
	*a = old[:len(old)-1]
	g.index = -1
	return g
}

// schedule has a subscription looked at; the zero time is never.
func (w *Watcher) schedule(g *leg, at time.Time) {
	switch {
	case g.gone, at.IsZero():
		if g.index >= 0 {
			heap.Remove(&w.agenda, g.index)
		}
		return
	case g.index >= 0:
		g.at = at
		heap.Fix(&w.agenda, g.index)
	default:
		g.at = at
		heap.Push(&w.agenda, g)
	}
}

// Intervals of those that somebody has refused, or does not know: a line may be
// entered tomorrow, and a phone may get another program.
const (
	againPBX   = time.Hour
	againPhone = 24 * time.Hour
)

// due works off what is due, and returns the requests that are to be sent.
func (w *Watcher) due(now time.Time) (out []sending) {
	for len(w.agenda) > 0 && !w.agenda[0].at.After(now) {
		g := heap.Pop(&w.agenda).(*leg)
		if g.flying {
			continue // its answer will have it looked at
		}
		if g.m.Standing == event.Over {
			w.reborn(g)
		}
		if !g.sends(now) {
			g.paced = false
			before := g.m.Failures
			_, next := g.m.Tick(now)
			if g.m.Failures > before {
				w.touch(g.of)
			}
			w.settle(g, next, now)
			continue
		}
		if w.mayLeave(g, now) {
			if s, ok := w.subscribe(g, now); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// reborn begins a subscription that was over.
func (w *Watcher) reborn(g *leg) {
	g.m = event.Subscriber{Asks: w.cfg.Expires, Seed: g.m.Seed + 1, Failures: g.m.Failures}
}

// settle has a subscription looked at when its machine says so. A fork that has come to
// its end is gone.
func (w *Watcher) settle(g *leg, next, now time.Time) {
	over := g.m.Standing == event.Over
	switch {
	case g.fork && (over || g.m.Standing == event.Waiting || g.m.Failures > 0 && !now.Before(g.m.Expires)):
		w.dropFork(g)
	case over && !g.gone:
		again := againPBX
		if g.of.at.here {
			again = againPhone
		}
		w.schedule(g, now.Add(event.Spread(again, g.m.Seed)))
	default:
		w.schedule(g, next)
	}
}

// next is when the machine of a subscription wants to be looked at.
func next(g *leg) time.Time {
	if g.m.Standing == event.Waiting && g.m.Next.IsZero() {
		return time.Unix(1, 0)
	}
	a, b := g.m.Next, g.m.Deadline
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
