package jid

import "strings"

// Bare is a canonical bare address: "alice@example.org", or a domain alone. It
// comes from [JID.Bare] or from a place that keeps canonical addresses, such as
// the database. The empty value is no address.
type Bare string

// String returns the address as it is written on the wire, before XML escaping.
func (b Bare) String() string { return string(b) }

// Local returns the localpart, or "" for a domain.
func (b Bare) Local() string {
	local, _, found := strings.Cut(string(b), "@")
	if !found {
		return ""
	}
	return local
}

// Domain returns the domainpart.
func (b Bare) Domain() string {
	// Neither part can hold an '@': RFC 7622 §3.3.1 forbids it in the localpart
	// and no domain name has one.
	return string(b[strings.IndexByte(string(b), '@')+1:])
}

// IsDomain reports whether the address is a domain without a localpart.
func (b Bare) IsDomain() bool {
	return b != "" && strings.IndexByte(string(b), '@') < 0
}

// With returns the address of one resource. The resource must be canonical: see
// [Resource]. An empty resource gives the bare address as a JID.
func (b Bare) With(resource string) JID {
	j := JID{
		s:     string(b),
		dom:   uint16(strings.IndexByte(string(b), '@') + 1),
		slash: uint16(len(b)),
	}
	if resource != "" && b != "" {
		j.s += "/" + resource
	}
	return j
}

// JID is a canonical address, bare or full. The zero value is no address. Two
// addresses are the same when == says so.
type JID struct {
	s     string
	dom   uint16 // where the domainpart starts: 0, or one past the '@'
	slash uint16 // where the domainpart ends: the first '/', or len(s)
}

// String returns the address as it is written on the wire, before XML escaping.
func (j JID) String() string { return j.s }

// Bare returns the address without its resource. It does not allocate.
func (j JID) Bare() Bare { return Bare(j.s[:j.slash]) }

// Local returns the localpart, or "" if there is none.
func (j JID) Local() string {
	if j.dom == 0 {
		return ""
	}
	return j.s[:j.dom-1]
}

// Domain returns the domainpart.
func (j JID) Domain() string { return j.s[j.dom:j.slash] }

// Resource returns the resourcepart, or "" if there is none.
func (j JID) Resource() string {
	if int(j.slash) == len(j.s) {
		return ""
	}
	return j.s[j.slash+1:]
}

// IsZero reports whether this is no address at all.
func (j JID) IsZero() bool { return j.s == "" }

// IsBare reports whether the address is there and has no resource.
func (j JID) IsBare() bool { return j.s != "" && int(j.slash) == len(j.s) }

// IsFull reports whether the address has a resource.
func (j JID) IsFull() bool { return int(j.slash) < len(j.s) }

// IsDomain reports whether the address has neither localpart nor resource.
func (j JID) IsDomain() bool { return j.dom == 0 && j.IsBare() }
