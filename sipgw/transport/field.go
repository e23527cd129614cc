package transport

import (
	"iter"
	"strings"
)

// A Field is one header field, as it stands on one line.
type Field struct{ Name, Value string }

// compact are the header names that have a short form (RFC 3261 §20, and the
// RFCs that define the others), by the letter less 'a'.
var compact = [26]string{
	0:  "Accept-Contact",      // a: RFC 3841 §10
	1:  "Referred-By",         // b: RFC 3892 §3
	2:  "Content-Type",        // c
	3:  "Request-Disposition", // d: RFC 3841 §10
	4:  "Content-Encoding",    // e
	5:  "From",                // f
	8:  "Call-ID",             // i
	9:  "Reject-Contact",      // j: RFC 3841 §10
	10: "Supported",           // k
	11: "Content-Length",      // l
	12: "Contact",             // m
	13: "Identity-Info",       // n: RFC 4474 §9
	14: "Event",               // o: RFC 6665 §8.2.1
	17: "Refer-To",            // r: RFC 3515 §2.1
	18: "Subject",             // s
	19: "To",                  // t
	20: "Allow-Events",        // u: RFC 6665 §8.2.2
	21: "Via",                 // v
	23: "Session-Expires",     // x: RFC 4028 §4
	24: "Identity",            // y: RFC 4474 §9
}

// longName is the full form of a header name: the short one's meaning, or the
// name as it is.
func longName(name string) string {
	if len(name) != 1 {
		return name
	}
	if c := name[0] | 0x20; c >= 'a' && c <= 'z' && compact[c-'a'] != "" {
		return compact[c-'a']
	}
	return name
}

// sameName reports whether two full header names are the same
// (RFC 3261 §7.3.1: case does not matter).
func sameName(a, b string) bool {
	return len(a) == len(b) && (a == b || strings.EqualFold(a, b))
}

// Params are parameters as they stand behind an address or a value, from their
// first semicolon on: ";tag=a;q=0.5". The zero value has none.
type Params string

// All gives the parameters in their order: names as they are written, values
// without quotes.
func (p Params) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for rest := string(p); rest != ""; {
			var part string
			part, rest = cutOutside(rest, ';')
			name, value, _ := strings.Cut(part, "=")
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			if !yield(name, unquote(strings.TrimSpace(value))) {
				return
			}
		}
	}
}

// Get returns a parameter's value without quotes, and whether it is there at
// all. Names are compared without regard to case.
func (p Params) Get(name string) (string, bool) {
	for n, v := range p.All() {
		if sameName(n, name) {
			return v, true
		}
	}
	return "", false
}

// Has reports whether there is a parameter.
func (p Params) Has(name string) bool {
	_, ok := p.Get(name)
	return ok
}

// cutOutside cuts at the first sep that is outside of quotes and brackets.
func cutOutside(s string, sep byte) (before, after string) {
	quoted, inside := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '<':
			inside = true
		case c == '>':
			inside = false
		case c == sep && !inside:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// splitList takes a list apart at its commas. Empty elements are left out.
func splitList(out []string, s string) []string {
	for rest := s; rest != ""; {
		var part string
		part, rest = cutOutside(rest, ',')
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// unquote takes the quotes off, if there are any.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Quote makes a quoted string (RFC 3261 §25.1) of a text. What may not stand
// in one is left out.
func Quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' && c != '\t' || c == 0x7f:
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isToken reports whether s is a token (RFC 3261 §25.1).
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

func isTokenByte(c byte) bool { return tokenBytes[c] }

// tokenBytes are those that a token is made of.
var tokenBytes = func() (is [256]bool) {
	for c := range is {
		c := byte(c)
		is[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-.!%*_+`'~", c) >= 0
	}
	return is
}()

// isClean reports whether a text can stand on a line of a message: nothing in it
// ends one. Other control characters may stand in quotes (RFC 3261 §25.1).
func isClean(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '\n' || c == '\r' || c == 0 {
			return false
		}
	}
	return true
}
