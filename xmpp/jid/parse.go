package jid

import (
	"errors"
	"fmt"
	"strings"

	mellium "mellium.im/xmpp/jid"
)

// ErrMalformed is the kind of every error of this package (RFC 6120
// §8.3.3.8, jid-malformed). Errors never hold what the peer sent.
var ErrMalformed = errors.New("malformed address")

var (
	errLong     = fmt.Errorf("%w: too long", ErrMalformed)
	errLocal    = fmt.Errorf("%w: bad localpart", ErrMalformed)
	errDomain   = fmt.Errorf("%w: bad domain", ErrMalformed)
	errResource = fmt.Errorf("%w: bad resource", ErrMalformed)
)

// maxInput bounds what is looked at. The limits of RFC 7622 hold after
// preparation, and preparation shrinks at most a fullwidth form of three octets
// to one; a decomposed letter shrinks less.
const maxInput = 3 * (3*maxPart + 2)

// settleAfter is how often preparation may change a string before the string is
// refused. RFC 8264 §7 suggests three.
const settleAfter = 3

// Parse returns the canonical form of the address s.
func Parse(s string) (JID, error) {
	if at, slash, ok := canonical(s); ok {
		return JID{s: s, dom: uint16(at + 1), slash: uint16(slash)}, nil
	}
	return prepare(s)
}

// ParseBytes is Parse for bytes, which it copies. For an address that is
// canonical already the copy is the only allocation.
func ParseBytes(b []byte) (JID, error) {
	if at, slash, ok := canonical(b); ok {
		return JID{s: string(b), dom: uint16(at + 1), slash: uint16(slash)}, nil
	}
	if len(b) > maxInput {
		return JID{}, errLong
	}
	return prepare(string(b))
}

// MustParse is Parse for addresses that are known to be good, in tests and
// constants. It panics if the address is malformed.
func MustParse(s string) JID {
	j, err := Parse(s)
	if err != nil {
		panic(fmt.Sprintf("jid: %q: %v", s, err))
	}
	return j
}

// prepare takes the road of every address that the fast path does not know.
func prepare(s string) (JID, error) {
	if len(s) > maxInput {
		return JID{}, errLong
	}
	// RFC 7622 §3.1 and §3.2: the separators are found before any
	// transformation, the first '/' first and then the first '@' before it.
	s, res, hasResource := strings.Cut(s, "/")
	loc, dom, hasLocal := strings.Cut(s, "@")
	if !hasLocal {
		loc, dom = "", s
	}
	var j JID
	var err error
	if hasLocal {
		if loc, err = Local(loc); err != nil {
			return JID{}, err
		}
		loc += "@"
		j.dom = uint16(len(loc))
	}
	if dom, err = Domain(dom); err != nil {
		return JID{}, err
	}
	j.s = loc + dom
	j.slash = uint16(len(j.s))
	if hasResource {
		if res, err = Resource(res); err != nil {
			return JID{}, err
		}
		j.s += "/" + res
	}
	return j, nil
}

// Local prepares a localpart: the UsernameCaseMapped profile of PRECIS without
// the characters that RFC 7622 §3.3.1 forbids.
func Local(s string) (string, error) {
	if plain(s, local) {
		return s, nil
	}
	return settle(s, errLocal, func(s string) (string, error) {
		j, err := mellium.New(s, "x", "")
		return j.Localpart(), err
	})
}

// Resource prepares a resourcepart: the OpaqueString profile of PRECIS.
func Resource(s string) (string, error) {
	if plain(s, resource) {
		return s, nil
	}
	return settle(s, errResource, func(s string) (string, error) {
		j, err := mellium.New("", "x", s)
		return j.Resourcepart(), err
	})
}

// Domain prepares a domainpart: a domain name with U-labels in lower case and
// without a final dot, an IPv4 address, or an IPv6 address in brackets.
func Domain(s string) (string, error) {
	if domainEnd(s, 0) == len(s) {
		return s, nil
	}
	return settle(s, errDomain, func(s string) (string, error) {
		j, err := mellium.New("", s, "")
		d := j.Domainpart()
		if err != nil || !domainShape(s) || !domainShape(d) {
			return "", errDomain
		}
		return d, nil
	})
}

// domainShape refuses what mellium lets through: empty labels (RFC 1034 §3.5),
// and an IPv4-mapped IPv6 address without brackets (RFC 7622 §3.2: a colon may
// stand in an IP-literal only).
func domainShape(d string) bool {
	return d != "" && d[0] != '.' && !strings.Contains(d, "..") && !strings.ContainsAny(d, "@/") &&
		(d[0] == '[' || !strings.Contains(d, ":"))
}

// plain reports whether s is a part that needs no preparation.
func plain(s string, where uint8) bool {
	if s == "" || len(s) > maxPart {
		return false
	}
	for i := 0; i < len(s); i++ {
		if class[s[i]]&where == 0 {
			return false
		}
	}
	return true
}

// settle repeats one preparation until nothing changes.
func settle(s string, malformed error, once func(string) (string, error)) (string, error) {
	if len(s) > maxInput {
		return "", errLong
	}
	for range settleAfter {
		next, err := once(s)
		if err != nil || next == "" || len(next) > maxPart {
			return "", malformed
		}
		if next == s {
			return s, nil
		}
		s = next
	}
	return "", malformed
}
