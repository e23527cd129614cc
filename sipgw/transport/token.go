package transport

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
)

// randomID is where the numbers of connections start, so that a token from
// before a restart names none of now.
func randomID() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}

func randomKey() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// signature is the length of what proves that a token is ours (RFC 5626 §5.2).
const signature = 10

// Token names a flow in a form that can stand in the user part of a URI, and that
// nobody else can make (RFC 5626 §5.2). Those of UDP are good after a restart
// with the same key.
func (t *Transport) Token(f Flow) string {
	if f.link == nil {
		return ""
	}
	w := f.link.about()
	b := []byte{byte(w.kind)}
	if w.kind == UDP {
		b = appendAddr(b, w.local)
		b = appendAddr(b, f.remote)
	} else {
		b = binary.BigEndian.AppendUint64(b, w.id)
	}
	return base64.RawURLEncoding.EncodeToString(append(b, t.sign(b)...))
}

// FlowOf returns the flow that a token names, if it is ours and still there.
func (t *Transport) FlowOf(token string) (Flow, bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) <= signature {
		return Flow{}, false
	}
	b, sum := b[:len(b)-signature], b[len(b)-signature:]
	if !hmac.Equal(sum, t.sign(b)) {
		return Flow{}, false
	}
	if Kind(b[0]) != UDP {
		if len(b) != 9 {
			return Flow{}, false
		}
		c := t.conns.find(binary.BigEndian.Uint64(b[1:]))
		if c == nil || c.wire.kind != Kind(b[0]) {
			return Flow{}, false
		}
		return Flow{c, c.remote}, true
	}
	local, b, ok := cutAddr(b[1:])
	remote, _, good := cutAddr(b)
	if !ok || !good {
		return Flow{}, false
	}
	for _, u := range t.udp {
		if u.wire.local == local {
			return Flow{u, remote}, true
		}
	}
	return Flow{}, false
}

func (t *Transport) sign(b []byte) []byte {
	h := hmac.New(sha256.New, t.key)
	h.Write(b)
	return h.Sum(nil)[:signature]
}

// appendAddr writes an address as its length, its bytes and its port.
func appendAddr(b []byte, a netip.AddrPort) []byte {
	s := a.Addr().WithZone("").AsSlice()
	return binary.BigEndian.AppendUint16(append(append(b, byte(len(s))), s...), a.Port())
}

func cutAddr(b []byte) (netip.AddrPort, []byte, bool) {
	if len(b) < 1 || len(b) < int(b[0])+3 {
		return netip.AddrPort{}, nil, false
	}
	n := int(b[0])
	addr, ok := netip.AddrFromSlice(b[1 : 1+n])
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[1+n:])), b[3+n:], ok
}
