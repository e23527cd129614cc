package transport

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// A URI is an address of SIP (RFC 3261 §19.1), or one of another scheme, of
// which only the scheme is understood.
type URI struct {
	Scheme   string // in lower case: "sip", "sips", "tel", …
	User     string // as it is written, escapes and all
	Password string // likewise; "" is none
	Host     string // a name, an IPv4 address, or an IPv6 address in brackets
	Port     uint16 // 0 is the default of the transport
	Params   Params // ";transport=tcp;lr"
	Headers  string // what is behind the question mark
	Opaque   string // of other schemes: all behind the colon
}

var (
	errURIEmpty  = errors.New("an empty URI")
	errURIScheme = errors.New("a URI without a scheme")
	errURIUser   = errors.New("a URI with nothing before its @")
	errURIHost   = errors.New("a URI without a good host")
	errURIPort   = errors.New("a URI without a good port")
	errURIChar   = errors.New("a URI with characters that may not be in one")
)

// ParseURI reads a URI without brackets.
func ParseURI(s string) (URI, error) {
	if s == "" {
		return URI{}, errURIEmpty
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"' {
			return URI{}, errURIChar
		}
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !isScheme(scheme) {
		return URI{}, errURIScheme
	}
	u := URI{Scheme: lower(scheme)}
	if !u.IsSIP() {
		if rest == "" {
			return URI{}, errURIHost
		}
		u.Opaque = rest
		return u, nil
	}
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		if at == 0 {
			return URI{}, errURIUser
		}
		u.User, u.Password, _ = strings.Cut(rest[:at], ":")
		if u.User == "" {
			return URI{}, errURIUser
		}
		rest = rest[at+1:]
	}
	rest, u.Headers, _ = strings.Cut(rest, "?")
	if i := strings.IndexByte(rest, ';'); i >= 0 {
		rest, u.Params = rest[:i], Params(rest[i:])
	}
	var err error
	u.Host, u.Port, err = splitHost(rest)
	return u, err
}

// splitHost reads a host with a port or without. A host is a name, an IPv4
// address or an IPv6 address in brackets; 0 is no port.
func splitHost(s string) (host string, port uint16, err error) {
	host, tail := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, errURIHost
		}
		if a, err := netip.ParseAddr(s[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return "", 0, errURIHost
		}
		host, tail = s[:end+1], s[end+1:]
	} else {
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, tail = s[:i], s[i:]
		}
		if !isHostname(host) {
			return "", 0, errURIHost
		}
	}
	if tail == "" {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(tail, ":"), 10, 16)
	if err != nil || n == 0 || tail[0] != ':' {
		return "", 0, errURIPort
	}
	return host, uint16(n), nil
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if letter := c >= 'a' && c <= 'z'; !letter && (i == 0 || !(s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return s != ""
}

// isHostname is generous: phones write underscores, and others write names
// beyond ASCII.
func isHostname(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if ok := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == '_' || c >= 0x80; !ok {
			return false
		}
	}
	return s != ""
}

// lower is strings.ToLower for ASCII, and does not copy what is low already.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}

// IsSIP reports whether the scheme is sip or sips.
func (u URI) IsSIP() bool { return u.Scheme == "sip" || u.Scheme == "sips" }

// IsZero reports whether there is no URI at all.
func (u URI) IsZero() bool { return u.Scheme == "" }

// String is the URI as it goes into messages.
func (u URI) String() string { return string(u.append(nil)) }

func (u URI) append(b []byte) []byte {
	b = append(append(b, u.Scheme...), ':')
	if !u.IsSIP() {
		return append(b, u.Opaque...)
	}
	if u.User != "" {
		b = append(b, u.User...)
		if u.Password != "" {
			b = append(append(b, ':'), u.Password...)
		}
		b = append(b, '@')
	}
	b = append(b, u.Host...)
	if u.Port != 0 {
		b = strconv.AppendUint(append(b, ':'), uint64(u.Port), 10)
	}
	b = append(b, u.Params...)
	if u.Headers != "" {
		b = append(append(b, '?'), u.Headers...)
	}
	return b
}

// AOR is the address of record (RFC 3261 §10.3): scheme, user and host, with
// needless escapes undone and the host in lower case. What is behind a
// semicolon in the user part belongs to it.
func (u URI) AOR() string {
	if !u.IsSIP() {
		number, _, _ := strings.Cut(u.Opaque, ";")
		return u.Scheme + ":" + number
	}
	if u.User == "" {
		return u.Scheme + ":" + lower(u.Host)
	}
	return u.Scheme + ":" + plain(u.User) + "@" + lower(u.Host)
}

// plain undoes the escapes of characters that need none in a user part, and
// writes the others with capitals.
func plain(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				if c := byte(n); isUserByte(c) {
					b.WriteByte(c)
				} else {
					b.WriteString("%" + strings.ToUpper(s[i+1:i+3]))
				}
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isUserByte reports whether c can stand in a user part as it is
// (RFC 3261 §25.1: unreserved and user-unreserved).
func isUserByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.!~*'()&=+$,;?/", c) >= 0
}

// Unescape undoes all escapes of a user part. What is no escape stays.
func Unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// EscapeUser makes a user part of a text.
func EscapeUser(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; isUserByte(c) {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
		}
	}
	return b.String()
}

// Equal reports whether two URIs are the same by RFC 3261 §19.1.4.
func (u URI) Equal(v URI) bool {
	if u.Scheme != v.Scheme || !u.IsSIP() {
		return u.Scheme == v.Scheme && strings.EqualFold(u.Opaque, v.Opaque)
	}
	if plain(u.User) != plain(v.User) || u.Password != v.Password || !strings.EqualFold(u.Host, v.Host) || u.Port != v.Port {
		return false
	}
	return agree(u.Params, v.Params) && agree(v.Params, u.Params) && u.Headers == v.Headers
}

// agree reports whether what a says does not contradict b: a parameter that
// both have must be the same, and of these four neither may have one that the
// other lacks.
func agree(a, b Params) bool {
	for name, value := range a.All() {
		other, ok := b.Get(name)
		switch {
		case ok && !strings.EqualFold(value, other):
			return false
		case !ok && (sameName(name, "user") || sameName(name, "ttl") || sameName(name, "method") || sameName(name, "maddr")):
			return false
		}
	}
	return true
}
