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

// maxRemembered bounds how many a budget remembers.
const maxRemembered = 1 << 16

// budget counts what each of many has done in its window. The zero value is
// ready.
type budget[K comparable] struct {
	mu    sync.Mutex // guards all below
	used  map[K]usage
	swept time.Time
}

type usage struct {
	since time.Time
	cost  int
}

// spend charges somebody a cost, or refuses if that were more than most in the
// window.
func (b *budget[K]) spend(who K, cost, most int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	u, known := b.used[who]
	if !known || now.Sub(u.since) >= window {
		u = usage{since: now}
	}
	if u.cost+cost > most {
		return false
	}
	if !known && !b.room(now) {
		return false
	}
	u.cost += cost
	b.used[who] = u
	return true
}

// giveBack takes back a part of a charge.
func (b *budget[K]) giveBack(who K, cost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u, ok := b.used[who]; ok {
		u.cost -= cost
		b.used[who] = u
	}
}

// room makes room for another one. The caller holds mu.
func (b *budget[K]) room(now time.Time) bool {
	if b.used == nil {
		b.used = map[K]usage{}
	}
	if now.Sub(b.swept) >= window || len(b.used) >= maxRemembered && now.Sub(b.swept) >= time.Second {
		b.swept = now
		for who, u := range b.used {
			if now.Sub(u.since) >= window {
				delete(b.used, who)
			}
		}
	}
	return len(b.used) < maxRemembered
}

// limiter counts what each address has done in its window. The zero value is
// ready.
type limiter struct{ budget[netip.Prefix] }

// take charges an address for one account, or refuses. most is how many
// accounts it may make in a window; 0 sets no limit.
func (l *limiter) take(from netip.Addr, most int, now time.Time) bool {
	return most <= 0 || l.spend(server.Network(from), accountCost, most*accountCost, now)
}

// taken takes back most of a charge: there was an account of that name.
func (l *limiter) taken(from netip.Addr) { l.giveBack(server.Network(from), accountCost-1) }
