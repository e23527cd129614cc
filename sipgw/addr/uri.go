// Package addr reads the addresses of SIP: URIs, and the header fields that have
// a URI and parameters in them (RFC 3261 §19.1, §20.10, §25.1).
//
// It is strict: what it does not understand it refuses, and everything has a
// limit. Whatever it returns shares its bytes with the text that it was given.
package addr

import (
	"errors"
	"strconv"
	"strings"
)

// The limits, in bytes. An address at a PBX has some 80.
const (
	MaxURI   = 512
	maxValue = 4096
)

// URI is a SIP or SIPS URI in parts.
type URI struct {
	Secure   bool   // sips:
	User     string // as it was written, with its escapes; "" is none
	Password string // to be thrown away: it is nobody's business (RFC 3261 §19.1.1)
	Host     string // a name, an IPv4 address, or an IPv6 address in brackets; as it was written
	Port     uint16 // 0 is none
	Params   string // as they were written, from the first semicolon
	Headers  string // as they were written, without the question mark
}

var (
	errScheme = errors.New("it is neither a sip: nor a sips: URI")
	errLong   = errors.New("it is too long")
	errHost   = errors.New("its host is not one")
	errPort   = errors.New("its port is not one")
	errChar   = errors.New("it has a character that may not be there")
	errEscape = errors.New("it has an escape that is none")
)

// Parse takes a SIP or SIPS URI apart. Errors say what is wrong with it and do not
// repeat it.
func Parse(s string) (u URI, err error) {
	if len(s) > MaxURI {
		return URI{}, errLong
	}
	scheme, rest, _ := strings.Cut(s, ":")
	switch {
	case strings.EqualFold(scheme, "sip"):
	case strings.EqualFold(scheme, "sips"):
		u.Secure = true
	default:
		return URI{}, errScheme
	}
	if err := checkText(rest); err != nil {
		return URI{}, err
	}
	// A user may have ; and ? in it, but no @ (RFC 3261 §25.1).
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		u.User, u.Password, _ = strings.Cut(rest[:at], ":")
		rest = rest[at+1:]
		if u.User == "" || strings.IndexByte(rest, '@') >= 0 {
			return URI{}, errChar
		}
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		rest, u.Headers = rest[:i], rest[i+1:]
	}
	if i := strings.IndexByte(rest, ';'); i >= 0 {
		rest, u.Params = rest[:i], rest[i:]
	}
	return u, u.setHost(rest)
}

// checkText refuses what no URI may have, anywhere.
func checkText(s string) error {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\':
			return errChar
		case c == '%' && (i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0):
			return errEscape
		}
	}
	return nil
}

// setHost takes host and port apart.
func (u *URI) setHost(s string) error {
	host, port := s, ""
	if end := strings.IndexByte(s, ']'); end >= 0 {
		host, port = s[:end+1], s[end+1:]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	if port != "" {
		n, err := strconv.ParseUint(strings.TrimPrefix(port, ":"), 10, 16)
		if port[0] != ':' || err != nil || n == 0 {
			return errPort
		}
		u.Port = uint16(n)
	}
	u.Host = host
	if !isHost(host) {
		return errHost
	}
	return nil
}

// isHost says whether s is a name, an IPv4 address, or an IPv6 address in brackets.
// Names may have underscores, which those of containers do.
func isHost(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	v6 := s[0] == '['
	if v6 {
		if len(s) < 4 || s[len(s)-1] != ']' {
			return false
		}
		s = s[1 : len(s)-1]
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z', c == '.':
		case c == ':' && v6, (c == '-' || c == '_') && !v6:
		default:
			return false
		}
	}
	return true
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// Param returns a parameter of the URI. Of one that is there twice it is the first.
func (u URI) Param(name string) (value string, found bool) {
	for rest := u.Params; rest != ""; {
		var p string
		p, rest = nextParam(rest)
		key, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// nextParam cuts the first of parameters off, each of which begins with a
// semicolon.
func nextParam(s string) (p, rest string) {
	s = s[1:]
	if i := strings.IndexByte(s, ';'); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// AOR returns the URI as an address of record: user@host without parameters, port
// and escapes, the host in small letters (RFC 3261 §10.3 step 5). It is "" if there
// is no user.
func (u URI) AOR() string {
	if u.User == "" {
		return ""
	}
	user := u.User
	if strings.IndexByte(user, '%') >= 0 {
		user = unescape(user)
	}
	return user + "@" + strings.ToLower(u.Host)
}

func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c, n := charAt(s, i)
		b = append(b, c)
		i += n - 1
	}
	return string(b)
}

// charAt returns the character at i, unescaped, and how many bytes it is written in.
func charAt(s string, i int) (c byte, n int) {
	if s[i] == '%' && i+2 < len(s) {
		return byte(unhex(s[i+1])<<4 | unhex(s[i+2])), 3
	}
	return s[i], 1
}

// Equal says whether two URIs are the same address (RFC 3261 §19.1.4).
func Equal(a, b URI) bool {
	return a.Secure == b.Secure && a.Port == b.Port &&
		strings.EqualFold(a.Host, b.Host) &&
		sameText(a.User, b.User, false) && sameText(a.Password, b.Password, false) &&
		sameParams(a, b) && sameParams(b, a) && sameHeaders(a.Headers, b.Headers)
}

// SamePlace says whether two URIs have the same user and host, whatever their
// parameters, and the same port, whether the default is written or not.
func SamePlace(a, b URI) bool {
	return a.Secure == b.Secure && a.portOrDefault() == b.portOrDefault() &&
		strings.EqualFold(a.Host, b.Host) && sameText(a.User, b.User, false)
}

func (u URI) portOrDefault() uint16 {
	switch {
	case u.Port != 0:
		return u.Port
	case u.Secure:
		return 5061
	}
	return 5060
}

// sameText compares texts that may be escaped, each in its own way. What is
// reserved is not the same escaped and not, but that never matters here: nobody
// tells two phones apart by it.
func sameText(a, b string, fold bool) bool {
	if a == b {
		return true
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		c, n := charAt(a, i)
		d, m := charAt(b, j)
		if c != d && !(fold && lower(c) == lower(d)) {
			return false
		}
		i, j = i+n, j+m
	}
	return i == len(a) && j == len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// sameParams says whether b has the parameters of a: those that it does not have do
// not matter, but for those that say how to get there.
func sameParams(a, b URI) bool {
	for rest := a.Params; rest != ""; {
		var p string
		p, rest = nextParam(rest)
		key, value, _ := strings.Cut(p, "=")
		other, found := b.Param(key)
		if found && !sameText(value, other, true) || !found && mustMatch(key) {
			return false
		}
	}
	return true
}

func mustMatch(param string) bool {
	for _, name := range [...]string{"user", "ttl", "method", "maddr", "transport"} {
		if strings.EqualFold(param, name) {
			return true
		}
	}
	return false
}

// sameHeaders says whether two lists of headers are the same, in any order. They
// are rare, so it takes its time.
func sameHeaders(a, b string) bool {
	if a == b {
		return true
	}
	x, y := strings.Split(a, "&"), strings.Split(b, "&")
	if len(x) != len(y) {
		return false
	}
	for _, h := range x {
		found := false
		for i := range y {
			if found = sameText(h, y[i], true); found {
				y[i] = y[len(y)-1]
				y = y[:len(y)-1]
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
