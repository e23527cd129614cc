package transport

import (
	"net"
	"net/netip"
)

// A Flow is one of our sockets and the address at its other end: where a message
// came from, and where others can be sent (RFC 5626 §2). Flows can be compared,
// and kept. The zero value is none.
type Flow struct {
	link   link
	remote netip.AddrPort
}

// A link is a socket: one for datagrams to everywhere, or one connection.
type link interface {
	// send hands over a message, which is not kept. It never waits.
	send(data []byte, to netip.AddrPort) error
	// about says what does not change.
	about() *wire
}

// A wire is what is fixed about a link.
type wire struct {
	kind   Kind
	local  netip.AddrPort // of the socket
	host   string         // what others are told: in Via, Contact, Record-Route
	port   uint16
	id     uint64 // of a connection, never used again; of a UDP socket its place in the list
	dialed bool   // by us: nobody listens at the local end
}

// Kind is a way to carry messages.
type Kind uint8

// The ways to carry messages.
const (
	UDP Kind = iota
	TCP
	TLS
	WS  // RFC 7118
	WSS // RFC 7118 over TLS
)

var kindNames = [...]string{UDP: "UDP", TCP: "TCP", TLS: "TLS", WS: "WS", WSS: "WSS"}

// String is the name in Via.
func (k Kind) String() string { return kindNames[k] }

// Param is the name in the transport parameter of a URI.
func (k Kind) Param() string {
	return [...]string{UDP: "udp", TCP: "tcp", TLS: "tls", WS: "ws", WSS: "wss"}[k]
}

// Reliable reports whether nothing has to be sent twice.
func (k Kind) Reliable() bool { return k != UDP }

// Secure reports whether it is encrypted.
func (k Kind) Secure() bool { return k == TLS || k == WSS }

// port is the usual port (RFC 3261 §19.1.2, RFC 7118 §5).
func (k Kind) port() uint16 {
	switch k {
	case TLS:
		return 5061
	case WS:
		return 80
	case WSS:
		return 443
	}
	return 5060
}

// IsZero reports whether there is no flow.
func (f Flow) IsZero() bool { return f.link == nil }

// Kind is the way that the flow carries messages.
func (f Flow) Kind() Kind { return f.link.about().kind }

// Remote is the address at the other end.
func (f Flow) Remote() netip.AddrPort { return f.remote }

// Open reports whether the connection is still there. UDP always is.
func (f Flow) Open() bool {
	if f.link == nil {
		return false
	}
	c, ok := f.link.(*conn)
	return !ok || !c.isClosed()
}

// String is for people: "UDP 192.0.2.7:5060".
func (f Flow) String() string {
	if f.link == nil {
		return "none"
	}
	return f.Kind().String() + " " + f.remote.String()
}

// addrPort is an address of the net package as ours, with IPv4 as IPv4.
func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return unmap(ap)
}

func unmap(ap netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
