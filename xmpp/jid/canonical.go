package jid

// What a byte may be part of when it needs no preparation.
const (
	local = 1 << iota
	domain
	resource
)

// class says for each byte where it may stand. RFC 7622 §3.3.1 takes its eight
// characters out of the localpart; RFC 5890's letters, digits and hyphens make
// a domain; a resource may hold spaces.
var class = func() (t [256]uint8) {
	for c := '!'; c <= '~'; c++ {
		t[c] |= resource
		if c < 'A' || c > 'Z' {
			t[c] |= local
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			t[c] |= domain
		}
	}
	for _, c := range `"&'/:<>@` {
		t[c] &^= local
	}
	t[' '] |= resource
	return t
}()

// Limits of RFC 7622 §3.2, §3.3 and §3.4, in octets after preparation. plainDomain
// bounds only what the fast path takes: it is the longest name DNS knows.
const (
	maxPart     = 1023
	plainDomain = 253
)

// Canonical reports whether b is an address in canonical form that needs no
// preparation, and where its parts are: b[:at], b[at+1:slash] and b[slash+1:].
// at is -1 without a localpart, slash is len(b) without a resource. It does not
// allocate. An address for which ok is false may still be good: Parse knows.
func Canonical(b []byte) (at, slash int, ok bool) { return canonical(b) }

func canonical[T string | []byte](b T) (at, slash int, ok bool) {
	at = localEnd(b)
	if at == -2 {
		return -1, len(b), false
	}
	slash = domainEnd(b, at+1)
	if slash < 0 {
		return at, len(b), false
	}
	if slash == len(b) {
		return at, slash, true
	}
	n := len(b) - slash - 1
	if n == 0 || n > maxPart {
		return at, slash, false
	}
	for i := slash + 1; i < len(b); i++ {
		if class[b[i]]&resource == 0 {
			return at, slash, false
		}
	}
	return at, slash, true
}

// localEnd returns where the '@' is, -1 if there is none before the first '/',
// and -2 if what stands before it needs preparation or is no localpart.
func localEnd[T string | []byte](b T) int {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case class[c]&local != 0:
		case c == '@' && i > 0 && i <= maxPart:
			return i
		case c == '/':
			return -1
		default:
			return -2
		}
	}
	return -1
}

// domainEnd returns where the domain that starts at d ends, or -1 if it needs
// preparation. It takes lower-case NR-LDH names only: "--" may be an A-label,
// and a name without a letter may be an IPv4 address.
func domainEnd[T string | []byte](b T, d int) int {
	letter := false
	prev := byte('.')
	i := d
	for ; i < len(b) && b[i] != '/'; i++ {
		c := b[i]
		if class[c]&domain == 0 {
			return -1
		}
		if c < '0' && prev < '0' { // both are '-' or '.'
			return -1
		}
		letter = letter || c >= 'a'
		prev = c
	}
	if i == d || prev < '0' || !letter || i-d > plainDomain {
		return -1
	}
	return i
}
