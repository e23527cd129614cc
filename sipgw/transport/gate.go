package transport

import (
	"net/netip"
	"sync"
	"time"
)

// A class is a kind of request that is limited by itself, so that a phone whose
// subscriptions run wild can still be called.
type class uint8

const (
	registering class = iota // REGISTER
	subscribing              // SUBSCRIBE
	publishing               // PUBLISH
	messaging                // MESSAGE
	calls                    // INVITE, OPTIONS, REFER and what nobody knows
	inDialog                 // ACK, BYE, CANCEL, NOTIFY and others that need a dialog
	classes
)

func classOf(method []byte) class {
	switch string(method) {
	case "REGISTER":
		return registering
	case "SUBSCRIBE":
		return subscribing
	case "PUBLISH":
		return publishing
	case "MESSAGE":
		return messaging
	case "ACK", "BYE", "CANCEL", "NOTIFY", "PRACK", "UPDATE", "INFO":
		return inDialog
	}
	return calls
}

// A gate lets so many requests through from each source, and then one more for
// each part of a second. What it remembers has a bound: where there are too many
// sources, those that were not heard for longest are forgotten.
type gate struct {
	began time.Time

	mu    sync.Mutex // guards what follows
	ports table[netip.AddrPort, [classes]time.Duration]
	addrs table[netip.Addr, host]
	n     int
	from  netip.AddrPort
}

// A host is what is counted for an IP address, or an IPv6 /64.
type host struct {
	used   time.Duration // of the bucket for all requests
	told   time.Duration // since the start: when it was last told
	spoken bool
}

// How many sources are remembered.
const (
	maxPorts = 1 << 14
	maxAddrs = 1 << 13
)

func newGate(now time.Time) *gate {
	return &gate{began: now, ports: newTable[netip.AddrPort, [classes]time.Duration](maxPorts), addrs: newTable[netip.Addr, host](maxAddrs)}
}

// pass counts a request, and reports whether it is within the limits.
func (g *gate) pass(l *Limits, from netip.AddrPort, c class, now time.Time) bool {
	if l.Rate <= 0 && l.AddressRate <= 0 || l.trusts(from.Addr()) {
		return true
	}
	t := now.Sub(g.began)
	g.mu.Lock()
	defer g.mu.Unlock()
	// The port first: what one phone sends too much is not to cost its neighbours.
	if l.Rate > 0 && !use(&g.ports.get(from)[c], l.Rate, l.Burst, t) ||
		l.AddressRate > 0 && !use(&g.addrs.get(network(from.Addr())).used, l.AddressRate, l.AddressBurst, t) {
		g.n++
		g.from = from
		return false
	}
	return true
}

// mayTell reports whether it is time to tell a source that it sends too much:
// once in a second.
func (g *gate) mayTell(from netip.AddrPort, now time.Time) bool {
	t := now.Sub(g.began)
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.addrs.get(network(from.Addr()))
	if h.spoken && t-h.told < time.Second {
		return false
	}
	h.told, h.spoken = t, true
	return true
}

// refusals tells how many were dropped since it was last asked, and who sent the
// last of them.
func (g *gate) refusals() (n int, from netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, g.n = g.n, 0
	return n, g.from
}

// use is a leaky bucket kept as one number: until when what was used fills it.
func use(used *time.Duration, rate, burst int, now time.Duration) bool {
	step := time.Second / time.Duration(rate)
	next := max(*used, now) + step
	if next-now > step*time.Duration(max(burst, 1)) {
		return false
	}
	*used = next
	return true
}

// network is an address, or its /64 where one customer has as many as they like.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is4() {
		return a
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// A table remembers so many keys. When it is full, a key makes room that was not
// asked for since the hand last came by.
type table[K comparable, V any] struct {
	most  int
	index map[K]int32
	slots []slot[K, V]
	hand  int
}

type slot[K comparable, V any] struct {
	key    K
	value  V
	recent bool
}

func newTable[K comparable, V any](most int) table[K, V] {
	return table[K, V]{most: most, index: map[K]int32{}}
}

// get returns the value of a key, the zero value if it is new. It is good until
// the next call.
func (t *table[K, V]) get(k K) *V {
	if i, ok := t.index[k]; ok {
		t.slots[i].recent = true
		return &t.slots[i].value
	}
	if len(t.slots) < t.most {
		t.slots = append(t.slots, slot[K, V]{key: k})
		t.index[k] = int32(len(t.slots) - 1)
		return &t.slots[len(t.slots)-1].value
	}
	for t.slots[t.hand].recent {
		t.slots[t.hand].recent = false
		t.hand = (t.hand + 1) % t.most
	}
	s := &t.slots[t.hand]
	delete(t.index, s.key)
	*s = slot[K, V]{key: k}
	t.index[k] = int32(t.hand)
	t.hand = (t.hand + 1) % t.most
	return &s.value
}
