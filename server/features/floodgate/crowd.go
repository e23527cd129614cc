package floodgate

import (
	"sync/atomic"
	"time"

	"rollcall/server"
)

// crowd is what addresses have got from strangers lately: all that could be
// addresses, whether or not there are such accounts. It is of a fixed size. An
// address has two of its places, shared with others, and the one that less came
// to counts. So it suffers for the crowds of others only if two of them have
// just its places.
type crowd struct{ places [1 << 16]atomic.Int64 }

// take counts one more for an address, or says how long it has to wait.
func (c *crowd) take(p server.Pace, to uint64, now time.Duration) time.Duration {
	a, b := &c.places[to&(1<<16-1)], &c.places[to>>48]
	used := time.Duration(min(a.Load(), b.Load()))
	if wait := p.Wait(used, now); wait > 0 {
		return wait
	}
	after := int64(p.Use(used, now))
	raise(a, after)
	raise(b, after)
	return 0
}

// raise makes a place no less than v.
func raise(place *atomic.Int64, v int64) {
	for {
		was := place.Load()
		if was >= v || place.CompareAndSwap(was, v) {
			return
		}
	}
}
