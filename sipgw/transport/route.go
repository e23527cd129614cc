package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// A hop is where a message goes next, as a URI says it.
type hop struct {
	kind Kind
	host string
	port uint16
	addr netip.Addr // of host, if it is one
}

// hopOf reads a URI as a place to send to (RFC 3263 §4.1, without NAPTR).
func hopOf(u URI) (hop, error) {
	if !u.IsSIP() {
		return hop{}, fmt.Errorf("%w: %s: is no SIP address", ErrUnreachable, u.Scheme)
	}
	h := hop{kind: UDP, host: u.Host, port: u.Port}
	if name, ok := u.Params.Get("maddr"); ok && isHostname(name) {
		h.host = name
	}
	switch name, _ := u.Params.Get("transport"); strings.ToLower(name) {
	case "", "udp":
	case "tcp":
		h.kind = TCP
	case "tls":
		h.kind = TLS
	default:
		return hop{}, fmt.Errorf("%w: no connection can be opened by %s", ErrUnreachable, name)
	}
	if u.Scheme == "sips" { // RFC 3261 §26.2.2
		h.kind = TLS
	}
	h.addr, _ = netip.ParseAddr(strings.Trim(h.host, "[]"))
	return h, nil
}

// FlowTo finds where a URI leads: a UDP socket, a connection that there is, or a
// new one. Names are not looked up, so it does not wait; see [Transport.Start] for
// those.
func (t *Transport) FlowTo(u URI) (Flow, error) {
	h, err := hopOf(u)
	if err != nil {
		return Flow{}, err
	}
	if !h.addr.IsValid() {
		return Flow{}, fmt.Errorf("%w: %s is a name", ErrUnreachable, h.host)
	}
	return t.flowTo(h)
}

// flowTo finds or opens a flow to an address.
func (t *Transport) flowTo(h hop) (Flow, error) {
	if h.port == 0 {
		h.port = h.kind.port()
	}
	to := netip.AddrPortFrom(h.addr.Unmap(), h.port)
	if h.kind == UDP {
		if u := t.socketFor(to.Addr()); u != nil {
			return Flow{u, to}, nil
		}
		return Flow{}, fmt.Errorf("%w: no UDP socket for it", ErrUnreachable)
	}
	if c := t.conns.to(h.kind, to); c != nil {
		return Flow{c, to}, nil
	}
	return t.dial(h, to)
}

// socketFor picks the UDP socket that can send to an address.
func (t *Transport) socketFor(to netip.Addr) *udpLink {
	var second *udpLink
	for _, u := range t.udp {
		local := u.wire.local.Addr()
		if !(local.Is6() && local.IsUnspecified()) && local.Is4() != to.Is4() {
			continue
		}
		if local.IsUnspecified() || local.IsLoopback() == to.IsLoopback() {
			return u
		}
		if second == nil {
			second = u
		}
	}
	return second
}

// dial opens a connection in the background. What is sent meanwhile waits.
func (t *Transport) dial(h hop, to netip.AddrPort) (Flow, error) {
	w := t.listening(h.kind, to.Addr())
	w.dialed = true
	c := newConn(t, w, to)
	if !t.conns.add(c, t.limits.Load()) {
		return Flow{}, ErrBusy
	}
	begun := t.spawn(func() {
		defer c.end()
		ctx, cancel := t.untilStop(stuckFor)
		defer cancel()
		nc, err := t.connect(ctx, h, to)
		if err != nil {
			t.log.Debug("a SIP connection could not be opened", "peer", to, "err", err)
			return
		}
		defer nc.Close()
		if s, ok := nc.(*tls.Conn); ok {
			if chains := s.ConnectionState().VerifiedChains; len(chains) > 0 {
				c.met(chains[0][0])
			}
		}
		c.ready(nc)
		c.readStream(nc)
	})
	if !begun {
		c.end()
		return Flow{}, ErrStopped
	}
	return Flow{c, to}, nil
}

// listening describes how we are reached by a kind of connection, for those that
// we open.
func (t *Transport) listening(kind Kind, to netip.Addr) wire {
	var found *wire
	for _, l := range t.listeners {
		if l.wire.kind == kind && (found == nil || l.wire.local.Addr().IsLoopback() == to.IsLoopback()) {
			found = &l.wire
		}
	}
	if found != nil {
		return *found
	}
	w := wire{kind: kind, host: t.cfg.Advertise, port: kind.port()}
	if w.host == "" {
		w.host = "0.0.0.0"
		if ws := t.wires(); len(ws) > 0 {
			w.host = ws[0].host
		}
	}
	return w
}

func (t *Transport) connect(ctx context.Context, h hop, to netip.AddrPort) (net.Conn, error) {
	nc, err := t.network.Dial(ctx, to)
	if err != nil || h.kind != TLS {
		return nc, err
	}
	cfg := &tls.Config{}
	if t.trust != nil {
		cfg = t.trust.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = strings.Trim(h.host, "[]")
	}
	c := tls.Client(nc, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// untilStop is a context that ends with the transport, or before.
func (t *Transport) untilStop(most time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	t.spawn(func() {
		select {
		case <-t.done:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

// lookUp finds the address of a name: SRV records where no port is given, and
// then addresses (RFC 3263 §4.2).
func (t *Transport) lookUp(ctx context.Context, h hop) (hop, error) {
	if h.port == 0 {
		scheme, proto := "sip", "udp"
		switch h.kind {
		case TCP:
			proto = "tcp"
		case TLS:
			scheme, proto = "sips", "tcp"
		}
		if _, found, err := t.resolver.LookupSRV(ctx, scheme, proto, h.host); err == nil && len(found) > 0 {
			name := strings.TrimSuffix(found[0].Target, ".")
			if addr, err := t.address(ctx, h.kind, name); err == nil {
				h.addr, h.port = addr, found[0].Port
				return h, nil
			}
		}
	}
	var err error
	h.addr, err = t.address(ctx, h.kind, h.host)
	return h, err
}

// address looks up a name's addresses, and returns one that we can send to.
func (t *Transport) address(ctx context.Context, kind Kind, name string) (netip.Addr, error) {
	all, err := t.resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	for _, a := range all {
		if kind != UDP || t.socketFor(a.Unmap()) != nil {
			return a.Unmap(), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%w: %s has no address that fits", ErrUnreachable, name)
}
