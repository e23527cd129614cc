package registrar

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"rollcall/sipgw/addr"
)

// Transport is how messages travel.
type Transport uint8

// The transports. All but UDP have connections.
const (
	UDP Transport = iota
	TCP
	TLS
	WS
	WSS
)

// String returns the name that the transport has in URIs.
func (t Transport) String() string { return [...]string{"udp", "tcp", "tls", "ws", "wss"}[t%5] }

// Stream says whether the transport has connections.
func (t Transport) Stream() bool { return t != UDP }

// Flow is where a device's messages come from, and where messages to it go (RFC
// 5626 §3.1).
type Flow struct {
	Transport Transport
	Remote    netip.AddrPort // that the network shows, whatever the device believes

	// Local is the socket that datagrams come to.
	Local netip.AddrPort

	// ID names the connection. 0 is one that is no more, of before a restart; and UDP
	// has none.
	ID uint64
}

// Binding says that an address of record can be reached at a contact. It is never
// changed once it is made.
type Binding struct {
	ID  uint64 // the same for as long as the binding lasts; no other has it
	AOR string // user@host, see [addr.URI.AOR]

	Contact   string   // the URI
	Params    string   // those of the Contact header field, as they were written
	Q         uint16   // preference, in thousandths
	Instance  string   // +sip.instance, or ""
	RegID     uint32   // reg-id, if outbound is in use (RFC 5626 §6); or 0
	Path      []string // to be the Route of requests to it (RFC 3327 §5.4)
	CallID    string   // of the REGISTER
	CSeq      uint32
	UserAgent string
	Flow      Flow

	Created   time.Time // when it was first registered
	Refreshed time.Time // when it was last
	Expires   time.Time // until when it was granted; it is kept [Grace] longer
}

// header returns the value of a Contact header field for the answer.
func (b *Binding) header(now time.Time) string {
	left := max(b.Expires.Sub(now), 0)
	out := make([]byte, 0, len(b.Contact)+len(b.Params)+20)
	out = append(append(append(out, '<'), b.Contact...), '>')
	for rest := b.Params; rest != ""; {
		var p addr.Param
		p, rest = addr.CutParam(rest)
		if !strings.EqualFold(p.Name, "expires") && p.Name != "" {
			out = append(append(out, ';'), p.Text...)
		}
	}
	out = append(out, ";expires="...)
	return string(strconv.AppendInt(out, int64((left+time.Second-1)/time.Second), 10))
}

// keepTexts puts copies of all texts of a binding into one piece of memory, or uses
// those of the binding that it follows where they are the same. The request that
// they come from can be forgotten then.
func (b *Binding) keepTexts(old *Binding) {
	if old != nil && b.sameTexts(old) {
		b.AOR, b.Contact, b.Params, b.Instance = old.AOR, old.Contact, old.Params, old.Instance
		b.CallID, b.UserAgent, b.Path = old.CallID, old.UserAgent, old.Path
		return
	}
	texts := []*string{&b.Contact, &b.Params, &b.Instance, &b.CallID, &b.UserAgent}
	if len(b.Path) > 0 {
		b.Path = append([]string(nil), b.Path...)
		for i := range b.Path {
			texts = append(texts, &b.Path[i])
		}
	}
	n := 0
	for _, s := range texts {
		n += len(*s)
	}
	var all strings.Builder
	all.Grow(n)
	for _, s := range texts {
		all.WriteString(*s)
	}
	rest := all.String()
	for _, s := range texts {
		*s, rest = rest[:len(*s)], rest[len(*s):]
	}
}

func (b *Binding) sameTexts(old *Binding) bool {
	return b.Contact == old.Contact && b.Params == old.Params && b.Instance == old.Instance &&
		b.CallID == old.CallID && b.UserAgent == old.UserAgent && samePath(b.Path, old.Path)
}

func samePath(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// ends is when the binding is gone unless it is refreshed.
func (b *Binding) ends() time.Time { return b.Expires.Add(Grace) }
