package sasl

import (
	"container/list"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Throttle holds back whoever keeps failing to log in, by account and by
// address. It knows the most recent keys up to its size and forgets the rest. It
// decides and does not wait: what becomes of an attempt that is held back is the
// caller's choice. It is safe for concurrent use.
//
// Attempts that are under way at the same time do not know of each other's
// failures yet. How many there can be is bounded by the connections that an
// address may have.
type Throttle struct {
	// fixed
	after int
	max   time.Duration
	size  int
	seed  maphash.Seed

	// guarded by mu
	mu    sync.Mutex
	byKey map[uint64]*list.Element // of failing
	order *list.List               // the last to fail first
}

// failing is one key that failed lately. A key is its hash, so that an entry is
// small whatever was sent as a name.
type failing struct {
	key      uint64
	failures int
	last     time.Time
}

// NewThrottle holds back the next attempt after so many failures in a row: for a
// second at first, then for twice as long each time, at most for max. It keeps up
// to size keys. With after or max below 1 it never holds anybody back.
func NewThrottle(after int, max time.Duration, size int) *Throttle {
	if after < 1 || max <= 0 {
		size = 0
	}
	return &Throttle{
		after: after, max: max, size: size, seed: maphash.MakeSeed(),
		byKey: make(map[uint64]*list.Element), order: list.New(),
	}
}

// Allow returns how long the keys have to wait before the next attempt: the
// longest wait of any of them, and 0 if they may go on.
func (t *Throttle) Allow(now time.Time, keys ...string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait time.Duration
	for _, key := range keys {
		if e, ok := t.byKey[t.hash(key)]; ok {
			f := e.Value.(*failing)
			wait = max(wait, f.last.Add(delay(f.failures, t.after, t.max)).Sub(now))
		}
	}
	return wait
}

// Failed notes a failure for each of the keys.
func (t *Throttle) Failed(now time.Time, keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.size < 1 {
		return
	}
	for _, key := range keys {
		k := t.hash(key)
		e, ok := t.byKey[k]
		if !ok {
			e = t.order.PushFront(&failing{key: k})
			t.byKey[k] = e
		}
		f := e.Value.(*failing)
		f.failures = min(t.forgiven(f, now)+1, t.most())
		f.last = now
		t.order.MoveToFront(e)
		if t.order.Len() > t.size {
			oldest := t.order.Back()
			t.order.Remove(oldest)
			delete(t.byKey, oldest.Value.(*failing).key)
		}
	}
}

// Succeeded forgets the failures of the keys. Give it the account, and never the
// address: whoever guesses passwords could clear his address with an account of
// his own.
func (t *Throttle) Succeeded(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		if e, ok := t.byKey[t.hash(key)]; ok {
			t.order.Remove(e)
			delete(t.byKey, e.Value.(*failing).key)
		}
	}
}

// forgiven counts the failures that are left: one is forgiven for each time of
// the longest wait that passed without another.
func (t *Throttle) forgiven(f *failing, now time.Time) int {
	quiet := int64(now.Sub(f.last) / t.max)
	return int(int64(f.failures) - min(max(quiet, 0), int64(f.failures)))
}

// most is the count at which the delay has reached its maximum. Counting on would
// only make forgiveness take longer.
func (t *Throttle) most() int {
	n := t.after
	for delay(n, t.after, t.max) < t.max {
		n++
	}
	return n
}

func (t *Throttle) hash(key string) uint64 { return maphash.String(t.seed, key) }

// delay is how long to wait after so many failures.
func delay(failures, after int, longest time.Duration) time.Duration {
	if failures < after {
		return 0
	}
	d := time.Second
	for ; failures > after && d < longest; failures-- {
		d *= 2
	}
	return min(d, longest)
}

// AddressKey is the key of a network address: an IPv6 /64 counts as one, because
// its holder can use all of it.
func AddressKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().String()
	}
	return a.String()
}
