package registrar

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/sipgw/addr"
)

// The limits of one REGISTER, in numbers and bytes.
const (
	maxContacts = 8
	maxParams   = 512
	maxCallID   = 255
	maxAgent    = 128
	maxPaths    = 8
	maxPath     = 512
)

// Contact is a value of a Contact header field of a REGISTER.
type Contact struct {
	URI      string
	Params   string // as they were written
	Q        uint16 // in thousandths
	Expires  int64  // seconds; -1: it does not say
	Instance string
	RegID    uint32 // 0: none

	uri addr.URI
}

var (
	errContact  = errors.New("a Contact cannot be understood")
	errContacts = errors.New("there are too many Contacts")
	errStar     = errors.New("a Contact of * has to be the only one")
	errPath     = errors.New("the Path cannot be understood")
)

// ParseContacts reads the Contact header fields of a REGISTER. star says that there
// is one and it is "*".
func ParseContacts(values []string) (contacts []Contact, star bool, err error) {
	for _, value := range values {
		addr.Split(value, func(s string) bool {
			if s == "*" {
				star = true
				return true
			}
			if len(contacts) == maxContacts {
				err = errContacts
				return false
			}
			var c Contact
			if err = c.parse(s); err != nil {
				return false
			}
			contacts = append(contacts, c)
			return true
		})
		if err != nil {
			return nil, false, err
		}
	}
	if star && len(contacts) > 0 {
		return nil, false, errStar
	}
	return contacts, star, nil
}

func (c *Contact) parse(s string) error {
	f, err := addr.ParseField(s)
	if err != nil || len(f.Params) > maxParams || !utf8.ValidString(f.Params) {
		return errContact
	}
	if c.uri, err = addr.Parse(f.URI); err != nil {
		return errContact
	}
	c.URI, c.Params, c.Q, c.Expires = f.URI, f.Params, 1000, -1
	for rest := f.Params; rest != ""; {
		var p addr.Param
		p, rest = addr.CutParam(rest)
		if !c.set(p) {
			return errContact
		}
	}
	return nil
}

// set takes up a parameter. An expires that is no number counts as not there: RFC
// 3261 §20.10 has 3600 for it, which is what is granted at most.
func (c *Contact) set(p addr.Param) bool {
	switch {
	case addr.Is(p.Name, "expires"):
		c.Expires = ParseSeconds(p.Value)
	case addr.Is(p.Name, "q"):
		q, ok := parseQ(p.Value)
		c.Q = q
		return ok
	case addr.Is(p.Name, "+sip.instance"):
		c.Instance = p.Value
	case addr.Is(p.Name, "reg-id"):
		n, err := strconv.ParseUint(p.Value, 10, 31)
		c.RegID = uint32(n)
		return err == nil && n > 0
	}
	return true
}

// ParseSeconds reads the value of an Expires header field or parameter: -1 if it is
// no number of seconds. Numbers beyond 2³²-1 are that (RFC 3261 §20.19).
func ParseSeconds(s string) int64 {
	n, err := strconv.ParseUint(s, 10, 32)
	if errors.Is(err, strconv.ErrRange) {
		return 1<<32 - 1
	}
	if err != nil {
		return -1
	}
	return int64(n)
}

// parseQ reads a preference from 0 to 1 with up to three decimals (RFC 3261 §25.1).
func parseQ(s string) (thousandths uint16, ok bool) {
	if s == "" || len(s) > 5 || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	q, unit := uint16(s[0]-'0')*1000, uint16(100)
	for i := 2; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		q += uint16(s[i]-'0') * unit
		unit /= 10
	}
	return q, q <= 1000
}

// ParsePath reads the Path header fields of a REGISTER: the URIs with their
// parameters, in order.
func ParsePath(values []string) (path []string, err error) {
	for _, value := range values {
		addr.Split(value, func(s string) bool {
			f, bad := addr.ParseField(s)
			if bad == nil {
				_, bad = addr.Parse(f.URI)
			}
			if bad != nil || len(s) > maxPath || !utf8.ValidString(s) || len(path) == maxPaths {
				err = errPath
				return false
			}
			path = append(path, s)
			return true
		})
	}
	return path, err
}

// firstHopKnowsOutbound says whether the proxy that the device talks to keeps its
// flow: whether the first URI of the Path says so (RFC 5626 §6).
func firstHopKnowsOutbound(path []string) bool {
	if len(path) == 0 {
		return false
	}
	f, err := addr.ParseField(path[0])
	if err != nil {
		return false
	}
	uri, err := addr.Parse(f.URI)
	if err != nil {
		return false
	}
	_, found := uri.Param("ob")
	return found
}

// isText says whether s can be stored and shown: it is UTF-8 without control
// characters.
func isText(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// agent is what is kept of a User-Agent: so much of it, as text.
func agent(s string) string {
	cut := s[:min(len(s), maxAgent)]
	if isText(cut) {
		return cut
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, cut)
}
