package login

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
)

// The limits of a challenge.
const (
	maxHeader = 2048 // bytes
	maxParams = 32
)

// What can be wrong with a challenge.
var (
	ErrChallenge = errors.New("login: the challenge cannot be read")
	ErrUnknown   = errors.New("login: the challenge is in no algorithm that is known here")
)

// challenge is what a server wants an answer to.
type challenge struct {
	realm, nonce, opaque string
	algorithm            string // as it was written; "" is MD5
	hash                 func() hash.Hash
	auth                 bool // qop=auth; without it the answer is that of RFC 2069
	stale                bool // only the nonce was too old
}

// algorithms are those that are known (RFC 8760 §2.2), in capitals.
var algorithms = map[string]func() hash.Hash{
	"": md5.New, "MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256,
}

// read reads the value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3).
func read(value string) (*challenge, error) {
	scheme, rest, _ := strings.Cut(trim(value), " ")
	if len(value) > maxHeader || !strings.EqualFold(scheme, "Digest") {
		return nil, ErrChallenge
	}
	c, qop, asked := new(challenge), "", false
	for n := 0; rest != ""; n++ {
		name, text, tail, ok := param(rest)
		if !ok || n == maxParams {
			return nil, ErrChallenge
		}
		switch strings.ToLower(name) {
		case "realm":
			c.realm = text
		case "nonce":
			c.nonce = text
		case "opaque":
			c.opaque = text
		case "algorithm":
			c.algorithm = text
		case "qop":
			qop, asked = text, true
		case "stale":
			c.stale = strings.EqualFold(text, "true")
		}
		rest = tail
	}
	for word := range strings.SplitSeq(qop, ",") {
		c.auth = c.auth || strings.EqualFold(trim(word), "auth")
	}
	c.hash = algorithms[strings.ToUpper(c.algorithm)]
	switch {
	case c.nonce == "":
		return nil, ErrChallenge
	case c.hash == nil, asked && !c.auth:
		return nil, ErrUnknown
	}
	return c, nil
}

// param cuts "name=value" off, and the comma behind it.
func param(s string) (name, value, tail string, ok bool) {
	name, s, ok = strings.Cut(s, "=")
	if name, s = trim(name), trim(s); !ok || name == "" {
		return "", "", "", false
	}
	if !strings.HasPrefix(s, `"`) {
		value, tail, _ = strings.Cut(s, ",")
		value = trim(value)
		return name, value, trim(tail), value != "" && printable(value)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			tail = trim(s[i+1:])
			if tail != "" && tail[0] != ',' {
				return "", "", "", false
			}
			return name, b.String(), trim(strings.TrimPrefix(tail, ",")), printable(b.String())
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", "", false
}

// printable wants nothing that ends a line.
func printable(s string) bool { return !strings.ContainsAny(s, "\r\n\x00") }

func trim(s string) string { return strings.Trim(s, " \t") }

// answer makes the value of Authorization (RFC 7616 §3.4). count is how often the
// nonce has been used, this time included.
func (c *challenge) answer(user, secret, method, uri, cnonce string, count uint32) string {
	h := c.hash()
	sum := func(parts ...string) string {
		h.Reset()
		for i, p := range parts {
			if i > 0 {
				h.Write([]byte{':'})
			}
			h.Write([]byte(p))
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	a1, a2 := sum(user, c.realm, secret), sum(method, uri)
	b := make([]byte, 0, 512)
	b = append(b, "Digest username="...)
	b = appendQuoted(b, user)
	b = appendQuoted(append(b, ", realm="...), c.realm)
	b = appendQuoted(append(b, ", nonce="...), c.nonce)
	b = appendQuoted(append(b, ", uri="...), uri)
	if c.auth {
		nc := hex.EncodeToString([]byte{byte(count >> 24), byte(count >> 16), byte(count >> 8), byte(count)})
		b = appendQuoted(append(b, ", response="...), sum(a1, c.nonce, nc, cnonce, "auth", a2))
		b = appendQuoted(append(append(append(b, ", qop=auth, nc="...), nc...), ", cnonce="...), cnonce)
	} else {
		b = appendQuoted(append(b, ", response="...), sum(a1, c.nonce, a2))
	}
	if c.algorithm != "" {
		b = append(append(b, ", algorithm="...), c.algorithm...)
	}
	if c.opaque != "" {
		b = appendQuoted(append(b, ", opaque="...), c.opaque)
	}
	return string(b)
}

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}
