package transport

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// A udpLink is a UDP socket.
type udpLink struct {
	t    *Transport
	pc   PacketConn
	wire wire
}

func (u *udpLink) about() *wire { return &u.wire }

func (u *udpLink) send(data []byte, to netip.AddrPort) error {
	_, err := u.pc.WriteToUDPAddrPort(data, to)
	return err
}

// read takes datagrams until the socket is closed.
func (u *udpLink) read() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := u.pc.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) || u.t.stopped.Load() {
				return
			}
			// A system out of buffers, say. The socket is still good.
			u.t.log.Warn("a SIP datagram could not be read", "err", err)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		u.datagram(buf[:n], Flow{u, unmap(from)})
	}
}

// datagram takes what came in one datagram.
func (u *udpLink) datagram(data []byte, from Flow) {
	switch {
	case len(data) >= stunHeader && data[0] < 2:
		u.stun(data, from)
	case isKeepAlive(data):
		// Phones keep their NAT open with these, and want no answer.
	case len(data) > u.t.limits.Load().Message:
		if u.t.gate.mayTell(from.remote, time.Now()) {
			u.t.reject(data, from, 513, "")
		}
	default:
		u.t.receive(data, from)
	}
}

// isKeepAlive reports whether there is nothing in it but line ends and NULs.
func isKeepAlive(data []byte) bool {
	if len(data) > 8 {
		return false
	}
	for _, c := range data {
		if c != '\r' && c != '\n' && c != 0 {
			return false
		}
	}
	return true
}
