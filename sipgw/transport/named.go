package transport

import "net/netip"

// Local is the address of our end's socket.
func (f Flow) Local() netip.AddrPort {
	if f.link == nil {
		return netip.AddrPort{}
	}
	return f.link.about().local
}

// Connection is the number of the connection, which no other has, also after a
// restart; 0 for UDP.
func (f Flow) Connection() uint64 {
	if f.link == nil {
		return 0
	}
	if w := f.link.about(); w.kind != UDP {
		return w.id
	}
	return 0
}

// Named finds a flow by what was kept of it: a connection by its number, a flow of
// UDP by the addresses of both ends. It may be there no more.
func (t *Transport) Named(kind Kind, connection uint64, local, remote netip.AddrPort) (Flow, bool) {
	if kind != UDP {
		if c := t.conns.find(connection); c != nil && c.wire.kind == kind {
			return Flow{c, c.remote}, true
		}
		return Flow{}, false
	}
	for _, u := range t.udp {
		if u.wire.local == local {
			return Flow{u, remote}, true
		}
	}
	return Flow{}, false
}
