package siptest

import (
	"context"
	"net"
	"net/netip"

	"rollcall/sipgw/transport"
)

// Wires are what phones are plugged into: a [Network] in memory, or [Loopback].
type Wires interface {
	// ListenPacket opens a socket for datagrams.
	ListenPacket(addr string) (transport.PacketConn, error)
	// DialFrom opens a connection from an address.
	DialFrom(ctx context.Context, from, to netip.AddrPort) (net.Conn, error)
}

// Loopback is the network of this machine, for tests of the whole program: all
// addresses of 127.0.0.0/8 are at hand there.
type Loopback struct{}

// ListenPacket implements Wires.
func (Loopback) ListenPacket(addr string) (transport.PacketConn, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
}

// DialFrom implements Wires. The port is whichever is free, as it is of real phones:
// that of a connection which has just ended cannot be had again at once.
func (Loopback) DialFrom(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from.Addr(), 0))}
	return d.DialContext(ctx, "tcp", to.String())
}
