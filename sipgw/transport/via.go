package transport

import (
	"errors"
	"strings"
)

// A Via is one hop of a message (RFC 3261 §20.42).
type Via struct {
	Transport string // "UDP", as it is written
	Host      string
	Port      uint16 // 0 is none
	Params    Params
}

var errVia = errors.New("a bad Via")

// magic begins every branch that is unique, as RFC 3261 §8.1.1.7 has them.
const magic = "z9hG4bK"

// ParseVia reads one hop.
func ParseVia(s string) (Via, error) {
	var v Via
	var ok [3]bool
	var name, version string
	name, s, ok[0] = strings.Cut(s, "/")
	version, s, ok[1] = strings.Cut(s, "/")
	s = strings.TrimLeft(s, " \t")
	i := strings.IndexAny(s, " \t")
	if ok[2] = i > 0; !ok[0] || !ok[1] || !ok[2] {
		return v, errVia
	}
	if !strings.EqualFold(strings.TrimSpace(name), "SIP") || !isToken(strings.TrimSpace(version)) {
		return v, errVia
	}
	v.Transport, s = s[:i], strings.TrimLeft(s[i:], " \t")
	if !isToken(v.Transport) {
		return v, errVia
	}
	if i := strings.IndexByte(s, ';'); i >= 0 {
		s, v.Params = s[:i], Params(s[i:])
	}
	// RFC 3261 §25.1: blanks may stand around the colon.
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.IndexByte(s[i:], ']') < 0 {
		s = strings.TrimSpace(s[:i]) + ":" + strings.TrimSpace(s[i+1:])
	}
	var err error
	if v.Host, v.Port, err = splitHost(strings.TrimSpace(s)); err != nil {
		return v, errVia
	}
	return v, nil
}

// Branch names the transaction; "" is none.
func (v Via) Branch() string {
	b, _ := v.Params.Get("branch")
	return b
}
