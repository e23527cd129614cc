package transport

import (
	"net/netip"
	"sync"
	"time"
)

// conns are the connections that are open.
type conns struct {
	mu     sync.Mutex // guards what follows
	byID   map[uint64]*conn
	byPeer map[peerKey]*conn
	byAddr map[netip.Addr]int
	last   uint64
	closed bool
}

// A peerKey finds the connection to an address.
type peerKey struct {
	kind Kind
	addr netip.AddrPort
}

func newConns(boot uint64) *conns {
	return &conns{byID: map[uint64]*conn{}, byPeer: map[peerKey]*conn{}, byAddr: map[netip.Addr]int{}, last: boot}
}

// add counts a connection in, unless there are too many.
func (cs *conns) add(c *conn, l *Limits) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	src := network(c.remote.Addr())
	if cs.closed || len(cs.byID) >= l.Connections ||
		!c.wire.dialed && cs.byAddr[src] >= l.ConnectionsPerAddress && !l.trusts(c.remote.Addr()) {
		return false
	}
	cs.last++
	c.wire.id = cs.last
	cs.byID[c.wire.id] = c
	cs.byPeer[peerKey{c.wire.kind, c.remote}] = c
	cs.byAddr[src]++
	return true
}

func (cs *conns) remove(c *conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.byID[c.wire.id] != c {
		return
	}
	delete(cs.byID, c.wire.id)
	if k := (peerKey{c.wire.kind, c.remote}); cs.byPeer[k] == c {
		delete(cs.byPeer, k)
	}
	src := network(c.remote.Addr())
	if cs.byAddr[src]--; cs.byAddr[src] <= 0 {
		delete(cs.byAddr, src)
	}
}

func (cs *conns) find(id uint64) *conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.byID[id]
}

func (cs *conns) to(kind Kind, addr netip.AddrPort) *conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.byPeer[peerKey{kind, addr}]
}

func (cs *conns) all() []*conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	out := make([]*conn, 0, len(cs.byID))
	for _, c := range cs.byID {
		out = append(out, c)
	}
	return out
}

func (cs *conns) closeAll() {
	cs.mu.Lock()
	cs.closed = true
	cs.mu.Unlock()
	for _, c := range cs.all() {
		c.close()
	}
}

// reap closes those that said nothing for too long, or are stuck in the middle of
// a message.
func (cs *conns) reap(now time.Time, idle time.Duration) {
	for _, c := range cs.all() {
		heard := now.Sub(time.Unix(0, c.heard.Load()))
		if heard > idle || c.inside.Load() && heard > stuckFor {
			c.close()
		}
	}
}

// stuckFor is how long a message may take from one piece to the next, and a
// connection to begin.
const stuckFor = 20 * time.Second
