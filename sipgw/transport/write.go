package transport

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

var crlf = []byte("\r\n")

// buffers hold messages while they are written.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// release gives a buffer back, unless it has grown out of proportion.
func release(b *[]byte) {
	if cap(*b) <= 16<<10 {
		*b = (*b)[:0]
		buffers.Put(b)
	}
}

// newTag makes a tag (RFC 3261 §19.3 wants 32 random bits at least).
func newTag() string { return base32(rand.Uint64()) }

// newBranch makes a branch. Whoever cannot see our requests cannot answer them:
// it is as hard to guess as the generator's state is to find.
func newBranch() string { return magic + base32(rand.Uint64()) }

// base32 is a number in 13 letters and digits.
func base32(n uint64) string {
	const digits = "abcdefghijklmnopqrstuvwxyz234567"
	var b [13]byte
	for i := range b {
		b[i] = digits[n&31]
		n >>= 5
	}
	return string(b[:])
}

// NewCallID makes a Call-ID for a dialog of ours.
func NewCallID() string { return base32(rand.Uint64()) + base32(rand.Uint64()) }

// NewTag makes a tag for a dialog of ours.
func NewTag() string { return newTag() }

func appendField(b []byte, name, value string) []byte {
	b = append(append(append(b, name...), ": "...), value...)
	return append(b, crlf...)
}

// appendFields leaves out what could not stand on a line, so that nobody can
// bring in lines of their own by a value that was copied from elsewhere.
func appendFields(b []byte, fields []Field) []byte {
	for _, f := range fields {
		if isToken(f.Name) && isClean(f.Value) {
			b = appendField(b, f.Name, f.Value)
		}
	}
	return b
}

// appendBody ends the headers and adds the body.
func appendBody(b []byte, contentType string, body []byte) []byte {
	if len(body) > 0 && contentType != "" && isClean(contentType) {
		b = appendField(b, "Content-Type", contentType)
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10)
	return append(append(b, "\r\n\r\n"...), body...)
}

func appendStatus(b []byte, status int, reason string) []byte {
	b = strconv.AppendInt(append(b, "SIP/2.0 "...), int64(status), 10)
	return append(append(append(b, ' '), reason...), crlf...)
}

// appendReply writes a response to r (RFC 3261 §8.2.6).
func (r *Request) appendReply(b []byte, p *Reply, software string) []byte {
	b = appendStatus(b, p.Status, reasonFor(p.Status, p.Reason))
	b = r.appendVias(b)
	for _, f := range r.fields {
		switch {
		case sameName(f.Name, "From"), sameName(f.Name, "Call-ID"), sameName(f.Name, "CSeq"):
			b = appendField(b, f.Name, f.Value)
		case sameName(f.Name, "To"):
			b = append(append(b, "To: "...), f.Value...)
			if p.Status > 100 && r.to.Tag() == "" {
				b = append(append(b, ";tag="...), r.LocalTag()...)
			}
			b = append(b, crlf...)
		case sameName(f.Name, "Record-Route"):
			if r.makesDialog(p.Status) {
				b = appendField(b, "Record-Route", f.Value)
			}
		case sameName(f.Name, "Timestamp"):
			if p.Status == 100 { // RFC 3261 §8.2.6.1
				b = appendField(b, "Timestamp", f.Value)
			}
		}
	}
	b = appendFields(b, p.Fields)
	if software != "" {
		b = appendField(b, "Server", software)
	}
	return appendBody(b, p.ContentType, p.Body)
}

// makesDialog reports whether a response can make a dialog, and has to tell the
// route of it (RFC 3261 §12.1.1).
func (r *Request) makesDialog(status int) bool {
	if status <= 100 || status >= 300 {
		return false
	}
	switch r.method {
	case "INVITE", "SUBSCRIBE", "NOTIFY", "REFER", "UPDATE":
		return true
	}
	return false
}

// appendVias writes the Via headers as they came, the topmost with the address
// that the request came from.
func (r *Request) appendVias(b []byte) []byte {
	first := true
	for _, f := range r.fields {
		if !sameName(f.Name, "Via") {
			continue
		}
		b = append(b, "Via: "...)
		if first {
			b = r.appendStamped(b, f.Value)
			first = false
		} else {
			b = append(b, f.Value...)
		}
		b = append(b, crlf...)
	}
	return b
}

// appendStamped writes a Via header whose first element gets received and rport
// (RFC 3261 §18.2.1, RFC 3581 §4).
func (r *Request) appendStamped(b []byte, value string) []byte {
	top, rest := cutOutside(value, ',')
	src := r.flow.remote
	if !src.IsValid() {
		return append(b, value...)
	}
	head, _, _ := strings.Cut(top, ";")
	b = append(b, strings.TrimSpace(head)...)
	port, wantsPort := r.via.Params.Get("rport")
	wantsPort = wantsPort && port == ""
	for name, v := range r.via.Params.All() {
		if sameName(name, "received") || wantsPort && sameName(name, "rport") {
			continue
		}
		b = append(append(b, ';'), name...)
		if v != "" {
			b = appendParam(append(b, '='), v)
		}
	}
	if wantsPort || !r.via.isAt(src.Addr()) {
		b = src.Addr().AppendTo(append(b, ";received="...))
	}
	if wantsPort {
		b = strconv.AppendUint(append(b, ";rport="...), uint64(src.Port()), 10)
	}
	if rest != "" {
		b = append(append(b, ", "...), strings.TrimSpace(rest)...)
	}
	return b
}

// appendParam writes a parameter's value, with quotes if it needs them.
func appendParam(b []byte, v string) []byte {
	for i := 0; i < len(v); i++ {
		if !isTokenByte(v[i]) && v[i] != '[' && v[i] != ']' && v[i] != ':' {
			return append(b, Quote(v)...)
		}
	}
	return append(b, v...)
}

// isAt reports whether the sender wrote the address that it has.
func (v Via) isAt(a netip.Addr) bool {
	host := v.Host
	if strings.HasPrefix(host, "[") {
		host = host[1 : len(host)-1]
	}
	if len(host) == 0 || host[0] > '9' && !strings.Contains(host, ":") {
		return false // a name; asking the DNS would cost more than it gives
	}
	h, err := netip.ParseAddr(host)
	return err == nil && h.Unmap() == a
}

// returnTo is where responses go (RFC 3261 §18.2.2, RFC 3581 §4). Who is not
// where its Via says is behind a NAT, and the port that it writes is not one that
// we could reach: the one that the request came from is used, asked for or not.
func (r *Request) returnTo() netip.AddrPort {
	src := r.flow.remote
	if r.flow.Kind().Reliable() || r.via.Params.Has("rport") || !r.via.isAt(src.Addr()) {
		return src
	}
	port := r.via.Port
	if port == 0 {
		port = UDP.port()
	}
	return netip.AddrPortFrom(src.Addr(), port)
}
