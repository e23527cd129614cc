package transport

import (
	"net/netip"
	"time"
)

// Gate is a gate for tests.
type Gate struct {
	g *gate
	l Limits
}

// NewGate makes a gate.
func NewGate(l Limits, now time.Time) *Gate { return &Gate{newGate(now), l} }

// Pass counts a REGISTER.
func (g *Gate) Pass(from netip.AddrPort, now time.Time) bool {
	return g.g.pass(&g.l, from, registering, now)
}

// Size is how many sources are remembered.
func (g *Gate) Size() (ports, addrs int) { return len(g.g.ports.index), len(g.g.addrs.index) }
