package floodgate

import (
	"hash/maphash"
	"sync"
	"time"
)

// ledger is what an account has used up of its limits, with all its sessions.
type ledger struct {
	key   string // fixed
	users int    // sessions; guarded by its drawer's mu

	mu   sync.Mutex // guards what follows
	used [numLimits]time.Duration
	seen acquaintances
}

// cost is what a stanza costs.
type cost struct {
	what  limit
	peer  uint64
	fresh bool   // it is for somebody who was not written to before
	crowd *crowd // what its receiver has left; nil if that does not matter
	note  bool   // the receiver is to be remembered
}

// spend takes a cost, whole or not at all: then it says which limit is in the
// way, and how long.
func (l *ledger) spend(r *rules, c cost, now time.Duration) (over limit, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait = r.pace[c.what].Wait(l.used[c.what], now); wait > 0 {
		return c.what, wait
	}
	if c.fresh {
		if wait = r.pace[addresses].Wait(l.used[addresses], now); wait > 0 {
			return addresses, wait
		}
	}
	if c.crowd != nil {
		if wait = c.crowd.take(r.pace[received], c.peer, now); wait > 0 {
			return received, wait
		}
	}
	l.used[c.what] = r.pace[c.what].Use(l.used[c.what], now)
	if c.fresh {
		l.used[addresses] = r.pace[addresses].Use(l.used[addresses], now)
	}
	if c.note {
		l.seen.add(c.peer, now)
	}
	return 0, 0
}

// refused counts a refusal, and reports whether they were too many.
func (l *ledger) refused(r *rules, now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.pace[refusals].Wait(l.used[refusals], now) > 0 {
		return true
	}
	l.used[refusals] = r.pace[refusals].Use(l.used[refusals], now)
	return false
}

// met reports whether the account has written to somebody lately.
func (l *ledger) met(peer uint64, now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen.has(peer, now)
}

// blank reports whether it makes no difference if the ledger is thrown away.
func (l *ledger) blank(now time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, used := range l.used {
		if used > now {
			return false
		}
	}
	return l.seen.none(now)
}

// acquaintances are the strangers that an account has written to lately, by the
// hashes of their addresses: those of this hour and of the one before. The zero
// value is ready.
type acquaintances struct {
	fresh, old map[uint64]struct{}
	turned     time.Duration
}

const (
	remember = time.Hour

	// maxAcquaintances is twice what the configuration can allow in an hour.
	maxAcquaintances = 1 << 17
)

// turn makes old what is so.
func (a *acquaintances) turn(now time.Duration) {
	if now-a.turned < remember {
		return
	}
	a.old = a.fresh
	if now-a.turned >= 2*remember {
		a.old = nil
	}
	a.fresh, a.turned = nil, now
}

// has reports whether somebody is among them, who is then remembered for longer.
func (a *acquaintances) has(peer uint64, now time.Duration) bool {
	a.turn(now)
	if _, ok := a.fresh[peer]; ok {
		return true
	}
	_, ok := a.old[peer]
	if ok {
		a.add(peer, now)
	}
	return ok
}

func (a *acquaintances) add(peer uint64, now time.Duration) {
	a.turn(now)
	if a.fresh == nil {
		a.fresh = map[uint64]struct{}{}
	}
	if len(a.fresh) < maxAcquaintances {
		a.fresh[peer] = struct{}{}
	}
}

func (a *acquaintances) none(now time.Duration) bool {
	a.turn(now)
	return len(a.fresh)+len(a.old) == 0
}

// shelf finds the ledgers of accounts. It is safe.
type shelf struct {
	seed    maphash.Seed // fixed
	drawers [drawers]drawer
}

const drawers = 16

type drawer struct {
	mu  sync.Mutex
	all map[string]*ledger
}

func (s *shelf) drawer(key string) *drawer { return &s.drawers[maphash.String(s.seed, key)%drawers] }

// take returns the ledger for a session, which gives it back in the end.
func (s *shelf) take(key string) *ledger {
	d := s.drawer(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.all[key]
	if l == nil {
		if d.all == nil {
			d.all = map[string]*ledger{}
		}
		l = &ledger{key: key}
		d.all[key] = l
	}
	l.users++
	return l
}

// peek returns the ledger of an account that has one.
func (s *shelf) peek(key string) *ledger {
	d := s.drawer(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all[key]
}

// give takes a ledger back. What was used up stays so: whoever logs in again has
// no more than before.
func (s *shelf) give(l *ledger, now time.Duration) {
	d := s.drawer(l.key)
	d.mu.Lock()
	defer d.mu.Unlock()
	l.users--
	if l.users == 0 && l.blank(now) {
		delete(d.all, l.key)
	}
}

// sweep throws away the ledgers that say nothing any more.
func (s *shelf) sweep(now time.Duration) {
	for i := range s.drawers {
		d := &s.drawers[i]
		d.mu.Lock()
		for key, l := range d.all {
			if l.users == 0 && l.blank(now) {
				delete(d.all, key)
			}
		}
		d.mu.Unlock()
	}
}
