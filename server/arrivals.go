package server

import (
	"net/netip"
	"time"
)

// Arrivals counts the new connections of each network. The zero value is ready;
// it is not safe for concurrent use.
type Arrivals struct {
	used  map[netip.Prefix]time.Duration
	swept time.Duration
}

// maxArrivals bounds what Arrivals remembers. A network is forgotten as soon as
// its connections do not count any more, so it takes as many connections a
// minute as there are places, times the pace, to fill them all. Then those who
// are not in it are let in: whoever has so many addresses is not held back by a
// limit for one.
const maxArrivals = 1 << 16

// Take counts one, or refuses it.
func (a *Arrivals) Take(p Pace, from netip.Prefix, now time.Duration) bool {
	if !p.Limits() {
		return true
	}
	if a.used == nil {
		a.used = map[netip.Prefix]time.Duration{}
	}
	used, known := a.used[from]
	if p.Wait(used, now) > 0 {
		return false
	}
	if !known && !a.room(now) {
		return true
	}
	a.used[from] = p.Use(used, now)
	return true
}

// room makes room for another network.
func (a *Arrivals) room(now time.Duration) bool {
	if since := now - a.swept; since >= time.Minute || len(a.used) >= maxArrivals && since >= time.Second {
		a.swept = now
		for n, used := range a.used {
			if used <= now {
				delete(a.used, n)
			}
		}
	}
	return len(a.used) < maxArrivals
}
