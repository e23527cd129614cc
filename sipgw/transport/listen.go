package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// machine is the network of the machine.
type machine struct{}

func (machine) ListenPacket(addr string) (PacketConn, error) {
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, err
	}
	pc, err := net.ListenUDP("udp", a)
	if err != nil {
		return nil, err
	}
	// A thousand phones that come back at once after a power cut are not to be
	// lost. The system gives what it allows.
	pc.SetReadBuffer(4 << 20)
	pc.SetWriteBuffer(1 << 20)
	return pc, nil
}

func (machine) Listen(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

func (machine) Dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Timeout: stuckFor}
	return d.DialContext(ctx, "tcp", addr.String())
}

// A listener takes connections of one kind.
type listener struct {
	t    *Transport
	ln   net.Listener
	wire wire
}

// open opens the sockets of the configuration.
func (t *Transport) open() error {
	for _, addr := range t.cfg.Listen {
		if err := t.openBoth(addr); err != nil {
			return err
		}
	}
	for _, l := range []struct {
		kind  Kind
		addrs []string
	}{{TLS, t.cfg.ListenTLS}, {WS, t.cfg.ListenWS}, {WSS, t.cfg.ListenWSS}} {
		for _, addr := range l.addrs {
			if err := t.listen(l.kind, addr); err != nil {
				return err
			}
		}
	}
	return nil
}

// triesForPort is how often a port is looked for that both UDP and TCP can have.
const triesForPort = 20

// openBoth opens an address for UDP and TCP. Where the port is 0, TCP gets the one that
// UDP was given; somebody may have that, and then it is another one.
func (t *Transport) openBoth(addr string) error {
	_, port, _ := net.SplitHostPort(addr)
	for try := 1; ; try++ {
		pc, err := t.network.ListenPacket(addr)
		if err != nil {
			return fmt.Errorf("SIP cannot listen at %s: %w", addr, err)
		}
		local, at := addrPort(pc.LocalAddr()), addr
		if port == "0" {
			at = local.String()
		}
		if err := t.listen(TCP, at); err != nil {
			pc.Close()
			if port == "0" && try < triesForPort {
				continue
			}
			return err
		}
		u := &udpLink{t: t, pc: pc, wire: t.wire(UDP, local)}
		u.wire.id = uint64(len(t.udp))
		t.udp = append(t.udp, u)
		return nil
	}
}

func (t *Transport) listen(kind Kind, addr string) error {
	ln, err := t.network.Listen(addr)
	if err != nil {
		return fmt.Errorf("SIP cannot listen at %s: %w", addr, err)
	}
	t.listeners = append(t.listeners, &listener{t, ln, t.wire(kind, addrPort(ln.Addr()))})
	return nil
}

// wire describes a socket. Others are told the configured name, or the address.
func (t *Transport) wire(kind Kind, local netip.AddrPort) wire {
	w := wire{kind: kind, local: local, host: t.cfg.Advertise, port: local.Port()}
	if w.host == "" {
		w.host = hostOf(local.Addr())
	}
	return w
}

// hostOf is an address as it is written in URIs.
func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.WithZone("").String() + "]"
	}
	return a.String()
}

// wires describes all sockets that we are reached at.
func (t *Transport) wires() []*wire {
	var out []*wire
	for _, u := range t.udp {
		out = append(out, &u.wire)
	}
	for _, l := range t.listeners {
		out = append(out, &l.wire)
	}
	return out
}

// Addrs returns the addresses that are listened at, by kind, once they are open.
func (t *Transport) Addrs(kind Kind) (out []netip.AddrPort) {
	for _, w := range t.wires() {
		if w.kind == kind {
			out = append(out, w.local)
		}
	}
	return out
}

func (t *Transport) closeListeners() {
	for _, u := range t.udp {
		u.pc.Close()
	}
	for _, l := range t.listeners {
		l.ln.Close()
	}
}

// accept takes connections until the listener is closed.
func (l *listener) accept() {
	for {
		nc, err := l.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || l.t.stopped.Load() {
				return
			}
			l.t.log.Error("no SIP connection could be taken", "addr", l.ln.Addr(), "err", err)
			select {
			case <-l.t.done:
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		c := newConn(l.t, l.wire, addrPort(nc.RemoteAddr()))
		if !l.t.conns.add(c, l.t.limits.Load()) {
			l.t.nobody.note(c.remote, "too many connections")
			nc.Close()
			continue
		}
		l.t.wg.Go(func() { c.serve(nc) })
	}
}

// serve reads a connection that came in until it ends.
func (c *conn) serve(nc net.Conn) {
	defer c.end()
	defer nc.Close()
	stop := c.t.cutOnStop(nc)
	if c.wire.kind.Secure() {
		t := tls.Server(nc, c.t.serverTLS(c.wire.kind))
		ctx, cancel := context.WithTimeout(context.Background(), stuckFor)
		err := t.HandshakeContext(ctx)
		cancel()
		if err != nil {
			stop()
			c.t.nobody.note(c.remote, "no TLS")
			return
		}
		c.met(c.t.verified(t))
		nc = t
	}
	if c.wire.kind == WS || c.wire.kind == WSS {
		r, err := upgrade(nc, stuckFor)
		stop()
		if err != nil {
			c.t.nobody.note(c.remote, "no WebSocket")
			return
		}
		c.ready(nc)
		c.readWebSocket(r)
		return
	}
	stop()
	c.ready(nc)
	c.readStream(nc)
}

// cutOnStop closes a connection that is not ready yet when the transport stops,
// until it is told not to.
func (t *Transport) cutOnStop(nc net.Conn) (stop func()) {
	over := make(chan struct{})
	t.wg.Go(func() {
		select {
		case <-t.done:
			nc.Close()
		case <-over:
		}
	})
	return func() { close(over) }
}
