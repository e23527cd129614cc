// Package siptest has phones, PBXs and the network between them, for tests: all in
// memory, so that they play inside of a testing/synctest bubble; or on the loopback
// addresses of the machine, where they are to meet the whole program.
package siptest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"rollcall/sipgw/transport"
)

// A Network carries datagrams and connections between addresses that nobody else
// has. It implements transport.Network. The zero value is ready.
type Network struct {
	mu      sync.Mutex // guards what follows
	packets map[netip.AddrPort]*Packets
	streams map[netip.AddrPort]*listener
	last    uint16
	lossy   func(from, to netip.AddrPort, data []byte) bool
	nat     map[netip.AddrPort]netip.AddrPort // inner to outer
}

// Lose has datagrams lost for which f says so; nil loses none.
func (n *Network) Lose(f func(from, to netip.AddrPort, data []byte) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lossy = f
}

// Hide puts a socket behind a NAT: what it sends comes from outer, and what is
// sent to outer reaches it. Nothing else does.
func (n *Network) Hide(inner, outer netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.nat == nil {
		n.nat = map[netip.AddrPort]netip.AddrPort{}
	}
	n.nat[inner] = outer
}

// ListenPacket implements transport.Network. Port 0 takes one that is free.
func (n *Network) ListenPacket(addr string) (transport.PacketConn, error) { return n.Packets(addr) }

// Packets opens a socket for datagrams.
func (n *Network) Packets(addr string) (*Packets, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, err := n.free(addr)
	if err != nil {
		return nil, err
	}
	if n.packets == nil {
		n.packets = map[netip.AddrPort]*Packets{}
	}
	if n.packets[at] != nil {
		return nil, fmt.Errorf("siptest: %s is taken", at)
	}
	p := &Packets{n: n, at: at}
	p.changed = sync.NewCond(&p.mu)
	n.packets[at] = p
	return p, nil
}

// free reads an address and finds a port where none is given; n.mu is held.
func (n *Network) free(addr string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return at, err
	}
	if at.Port() == 0 {
		n.last++
		at = netip.AddrPortFrom(at.Addr(), 40_000+n.last)
	}
	return at, nil
}

// deliver carries a datagram.
func (n *Network) deliver(from, to netip.AddrPort, data []byte) {
	n.mu.Lock()
	if n.lossy != nil && n.lossy(from, to, data) {
		n.mu.Unlock()
		return
	}
	if outer, ok := n.nat[from]; ok {
		from = outer
	}
	p := n.packets[to]
	if _, hidden := n.nat[to]; hidden {
		p = nil
	}
	for inner, outer := range n.nat {
		if outer == to {
			p = n.packets[inner]
		}
	}
	n.mu.Unlock()
	if p != nil {
		p.put(packet{from, append([]byte(nil), data...)})
	}
}

type packet struct {
	from netip.AddrPort
	data []byte
}

// Packets is a socket for datagrams.
type Packets struct {
	n  *Network
	at netip.AddrPort

	mu      sync.Mutex // guards what follows
	changed *sync.Cond
	waiting []packet
	closed  bool
}

func (p *Packets) put(d packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = append(p.waiting, d)
	p.changed.Signal()
}

// ReadFromUDPAddrPort implements transport.PacketConn.
func (p *Packets) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) == 0 && !p.closed {
		p.changed.Wait()
	}
	if p.closed {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	d := p.waiting[0]
	p.waiting = p.waiting[1:]
	return copy(b, d.data), d.from, nil
}

// WriteToUDPAddrPort implements transport.PacketConn.
func (p *Packets) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return 0, net.ErrClosed
	}
	p.n.deliver(p.at, to, b)
	return len(b), nil
}

// LocalAddr implements transport.PacketConn.
func (p *Packets) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(p.at) }

// Close implements transport.PacketConn.
func (p *Packets) Close() error {
	p.mu.Lock()
	p.closed = true
	p.changed.Broadcast()
	p.mu.Unlock()
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	if p.n.packets[p.at] == p {
		delete(p.n.packets, p.at)
	}
	return nil
}

// Listen implements transport.Network.
func (n *Network) Listen(addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, err := n.free(addr)
	if err != nil {
		return nil, err
	}
	if n.streams == nil {
		n.streams = map[netip.AddrPort]*listener{}
	}
	if n.streams[at] != nil {
		return nil, fmt.Errorf("siptest: %s is taken", at)
	}
	l := &listener{n: n, at: at, in: make(chan net.Conn), done: make(chan struct{})}
	n.streams[at] = l
	return l, nil
}

// Dial implements transport.Network.
func (n *Network) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	from, _ := n.free(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.250"), 0).String())
	n.mu.Unlock()
	return n.DialFrom(ctx, from, to)
}

var errRefused = errors.New("siptest: nobody listens there")

// DialFrom opens a connection from an address.
func (n *Network) DialFrom(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	l := n.streams[to]
	if outer, ok := n.nat[from]; ok {
		from = outer
	}
	n.mu.Unlock()
	if l == nil {
		return nil, errRefused
	}
	ours, theirs := pipe(from, to)
	select {
	case l.in <- theirs:
		return ours, nil
	case <-l.done:
		return nil, errRefused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type listener struct {
	n    *Network
	at   netip.AddrPort
	in   chan net.Conn
	once sync.Once
	done chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.n.mu.Lock()
		defer l.n.mu.Unlock()
		delete(l.n.streams, l.at)
	})
	return nil
}

// An end is one end of a connection: a pipe with addresses.
type end struct {
	net.Conn
	local, remote netip.AddrPort
}

func pipe(a, b netip.AddrPort) (net.Conn, net.Conn) {
	x, y := net.Pipe()
	return &end{x, a, b}, &end{y, b, a}
}

func (e *end) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(e.local) }
func (e *end) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(e.remote) }
