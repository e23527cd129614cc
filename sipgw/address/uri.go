package address

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// MaxURI is the longest address that is looked at, in bytes. Escaping makes three of
// one, so it is well above what an XMPP address may have.
const MaxURI = 8 << 10

// ErrURI is for what is no address that people or devices can have. It never holds
// what the peer sent.
var ErrURI = errors.New("address: malformed or of an unknown scheme")

// URI is a SIP, SIPS, tel, pres or im URI, taken apart. User is without escapes.
type URI struct {
	Scheme string // in lower case
	User   string
	Host   string // in lower case; an IPv6 address in brackets; "" of a tel
	Port   string
	Params string // with the first semicolon, as they were written
}

// ParseURI reads a URI, or one in angle brackets with a name before it. Headers
// behind a question mark and passwords are left aside.
func ParseURI(s string) (URI, error) {
	if len(s) > MaxURI {
		return URI{}, ErrURI
	}
	if _, inner, ok := strings.Cut(s, "<"); ok {
		// A name in quotes may hold a '<'; the last one opens the address.
		inner = inner[strings.LastIndexByte(inner, '<')+1:]
		if s, _, ok = strings.Cut(inner, ">"); !ok {
			return URI{}, ErrURI
		}
	}
	scheme, rest, ok := strings.Cut(strings.TrimSpace(s), ":")
	u := URI{Scheme: strings.ToLower(scheme)}
	if !ok {
		return URI{}, ErrURI
	}
	switch u.Scheme {
	case "tel":
		return u.tel(rest)
	case "sip", "sips", "pres", "im":
		return u.sip(rest)
	}
	return URI{}, ErrURI
}

func (u URI) tel(rest string) (URI, error) {
	number, params := rest, ""
	if i := strings.IndexByte(rest, ';'); i >= 0 {
		number, params = rest[:i], rest[i:]
	}
	u.User, u.Params = digits(number), params
	if u.User == "" {
		return URI{}, ErrURI
	}
	return u, nil
}

func (u URI) sip(rest string) (URI, error) {
	user, host, ok := strings.Cut(rest, "@") // RFC 7247 §6.4: the first
	if !ok {
		user, host = "", rest
	}
	// Characters that stand unescaped where they may not come from sloppiness, and
	// are taken; those that end the address are not.
	if strings.ContainsAny(rest, " \t\r\n\"<>\x00") {
		return URI{}, ErrURI
	}
	if user, _, _ = strings.Cut(user, ":"); ok && user == "" {
		return URI{}, ErrURI
	}
	var err error
	if u.User, err = unescape(user); err != nil {
		return URI{}, err
	}
	host, _, _ = strings.Cut(host, "?")
	if i := strings.IndexByte(host, ';'); i >= 0 {
		host, u.Params = host[:i], host[i:]
	}
	return u.at(host)
}

// at sets host and port.
func (u URI) at(host string) (URI, error) {
	end := strings.IndexByte(host, ':')
	if strings.HasPrefix(host, "[") {
		if end = strings.IndexByte(host, ']') + 1; end == 0 {
			return URI{}, ErrURI
		}
		if _, err := netip.ParseAddr(host[1 : end-1]); err != nil {
			return URI{}, ErrURI
		}
	}
	if end < 0 {
		end = len(host)
	}
	u.Host = strings.TrimSuffix(strings.ToLower(host[:end]), ".")
	if port := host[end:]; port != "" {
		if len(port) < 2 || len(port) > 6 || port[0] != ':' || strings.Trim(port[1:], "0123456789") != "" {
			return URI{}, ErrURI
		}
		u.Port = port[1:]
	}
	if u.Host == "" || u.Host[0] != '[' && strings.ContainsAny(u.Host, "/\\[]@%#") {
		return URI{}, ErrURI
	}
	return u, nil
}

// Param returns a parameter without escapes, and whether it is there.
func (u URI) Param(name string) (string, bool) {
	for p := range strings.SplitSeq(strings.TrimPrefix(u.Params, ";"), ";") {
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			value, err := unescape(strings.TrimSpace(value))
			return value, err == nil
		}
	}
	return "", false
}

// unescape undoes percent-encoding. What comes out is text: anything else is no
// address.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') >= 0 {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if s[i] != '%' {
				b = append(b, s[i])
				continue
			}
			if i+2 >= len(s) || nibble(s[i+1]) < 0 || nibble(s[i+2]) < 0 {
				return "", ErrURI
			}
			b = append(b, byte(nibble(s[i+1])<<4|nibble(s[i+2])))
			i += 2
		}
		s = string(b)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, control) {
		return "", ErrURI
	}
	return s, nil
}

func control(r rune) bool { return r < 0x20 || r == 0x7f }

func nibble(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// Characters beside letters and digits that a part may hold as they are (RFC 3261
// §25.1).
const (
	mark         = "-_.!~*'()"
	inUser       = mark + "&=+$,;?/"
	inParam      = mark + "[]/:&+$"
	upperHex     = "0123456789ABCDEF"
	numberMarks  = "-.() "
	numberDigits = "0123456789*#"
)

// appendEscaped appends s with all that may not stand in it percent-encoded.
func appendEscaped(dst []byte, s, allowed string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(allowed, c) >= 0 {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}
