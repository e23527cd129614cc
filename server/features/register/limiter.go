package register

import (
	"net/netip"
	"sync"
	"time"

	"rollcall/server"
)

// A window is how long what an address did is held against it.
const window = time.Hour

// An account costs as much as so many names that turn out to be taken. A few of
// those are usual for people with a common name; many are a search for who has
// an account.
const accountCost = 10

// maxAddresses bounds what the limiter remembers.
const maxAddresses = 1 << 16

// limiter counts what each address has done in its window. The zero value is
// ready.
type limiter struct {
	mu    sync.Mutex // guards all below
	used  map[netip.Prefix]usage
	swept time.Time
}

type usage struct {
	since time.Time
	cost  int
}

// take charges an address for one account, or refuses. most is how many
// accounts it may make in a window; 0 sets no limit.
func (l *limiter) take(from netip.Addr, most int, now time.Time) bool {
	if most <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := server.Network(from)
	u, known := l.used[at]
	if !known || now.Sub(u.since) >= window {
		u = usage{since: now}
	}
	if u.cost+accountCost > most*accountCost {
		return false
	}
	if !known && !l.room(now) {
		return false
	}
	u.cost += accountCost
	l.used[at] = u
	return true
}

// giveBack takes back most of a charge: the name was taken.
func (l *limiter) giveBack(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := server.Network(from)
	if u, ok := l.used[at]; ok {
		u.cost -= accountCost - 1
		l.used[at] = u
	}
}

// room makes room for another address. The caller holds mu.
func (l *limiter) room(now time.Time) bool {
	if l.used == nil {
		l.used = map[netip.Prefix]usage{}
	}
	if now.Sub(l.swept) >= window || len(l.used) >= maxAddresses && now.Sub(l.swept) >= time.Second {
		l.swept = now
		for at, u := range l.used {
			if now.Sub(u.since) >= window {
				delete(l.used, at)
			}
		}
	}
	return len(l.used) < maxAddresses
}
