package sasl

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Limits of what a client may send, in bytes. A name is bounded by RFC 7622, a
// trace by RFC 4505 (255 characters, of at most four bytes). The whole is enough
// for an authzid and a name that are escaped to three times their length.
const (
	maxMessage = 16 << 10
	maxName    = 1023
	maxAuthzid = 2*maxName + 1
	maxNonce   = 512
	maxTrace   = 255
)

// clientFirst is client-first-message of RFC 5802 §7.
type clientFirst struct {
	flag    string // "n", "y" or "p=" and the type
	authzid string // unescaped, "" if there is none
	name    string // unescaped
	nonce   string
	header  string // gs2-header as sent
	bare    string // client-first-message-bare as sent
}

func parseClientFirst(in string) (m clientFirst, err error) {
	if !utf8.ValidString(in) || strings.Contains(in, "\x00") {
		return m, malformed("not text")
	}
	flag, rest, ok1 := strings.Cut(in, ",")
	authzid, bare, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 || !isFlag(flag) {
		return m, malformed("no GS2 header")
	}
	m.flag, m.bare, m.header = flag, bare, in[:len(in)-len(bare)]
	if authzid != "" {
		if m.authzid, err = saslname(authzid, "a=", maxAuthzid); err != nil {
			return m, err
		}
	}
	// RFC 5802 §5.1: m= must make authentication fail, wherever it stands.
	if strings.HasPrefix(bare, "m=") {
		return m, malformed("unknown mandatory extension")
	}
	attrs := strings.Split(bare, ",")
	if len(attrs) < 2 {
		return m, malformed("no name or nonce")
	}
	if m.name, err = saslname(attrs[0], "n=", maxName); err != nil {
		return m, err
	}
	if m.nonce, err = nonce(attrs[1]); err != nil {
		return m, err
	}
	if len(m.nonce) > maxNonce {
		return m, malformed("nonce too long")
	}
	return m, extensions(attrs[2:])
}

// clientFinal is client-final-message of RFC 5802 §7.
type clientFinal struct {
	binding      string // as sent
	nonce        string
	proof        []byte
	withoutProof string // client-final-message-without-proof as sent
}

func parseClientFinal(in string, size int) (m clientFinal, err error) {
	if !utf8.ValidString(in) || strings.Contains(in, "\x00") {
		return m, malformed("not text")
	}
	i := strings.LastIndex(in, ",p=")
	if i < 0 {
		return m, malformed("no proof")
	}
	m.withoutProof = in[:i]
	attrs := strings.Split(m.withoutProof, ",")
	if len(attrs) < 2 {
		return m, malformed("no channel binding or nonce")
	}
	var ok bool
	if m.binding, ok = strings.CutPrefix(attrs[0], "c="); !ok || m.binding == "" {
		return m, malformed("no channel binding")
	}
	if m.nonce, err = nonce(attrs[1]); err != nil {
		return m, err
	}
	if err := extensions(attrs[2:]); err != nil {
		return m, err
	}
	// The decoder skips line breaks, the grammar does not.
	proof := in[i+len(",p="):]
	if m.proof, err = base64.StdEncoding.Strict().DecodeString(proof); err != nil || strings.ContainsAny(proof, "\r\n") {
		return m, malformed("proof is not base64")
	}
	if len(m.proof) != size {
		return m, malformed("proof of the wrong length")
	}
	return m, nil
}

// isFlag checks gs2-cbind-flag.
func isFlag(s string) bool {
	if s == "n" || s == "y" {
		return true
	}
	name, ok := strings.CutPrefix(s, "p=")
	return ok && name != "" && strings.Trim(name, "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

// saslname undoes the escapes of a name: RFC 5802 §5.1 knows "=2C" and "=3D", and
// any other "=" must make authentication fail.
func saslname(attr, prefix string, limit int) (string, error) {
	s, ok := strings.CutPrefix(attr, prefix)
	if !ok || s == "" {
		return "", malformed("no name")
	}
	if strings.Contains(s, "=") {
		rest := strings.NewReplacer("=2C", "", "=3D", "").Replace(s)
		if strings.Contains(rest, "=") {
			return "", malformed("bad escape in a name")
		}
		s = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(s)
	}
	if len(s) > limit {
		return "", malformed("name too long")
	}
	return s, nil
}

// nonce takes "r=" and at least one printable character.
func nonce(attr string) (string, error) {
	s, ok := strings.CutPrefix(attr, "r=")
	if !ok || s == "" {
		return "", malformed("no nonce")
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '!' || s[i] > '~' {
			return "", malformed("nonce is not printable")
		}
	}
	return s, nil
}

// extensions checks what follows the known attributes. RFC 5802 §5.1: unknown
// ones are ignored, except for m=.
func extensions(attrs []string) error {
	for _, a := range attrs {
		switch {
		case len(a) < 3 || a[1] != '=' || !isAlpha(a[0]):
			return malformed("not an attribute")
		case a[0] == 'm':
			return malformed("unknown mandatory extension")
		case strings.IndexByte("acnprsive", a[0]) >= 0:
			return malformed("attribute out of place")
		}
	}
	return nil
}

func isAlpha(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

// plainMessage is the message of RFC 4616 §2.
type plainMessage struct {
	authzid, name, password string
}

func parsePlain(in string) (m plainMessage, err error) {
	if !utf8.ValidString(in) {
		return m, malformed("not text")
	}
	parts := strings.Split(in, "\x00")
	if len(parts) != 3 {
		return m, malformed("not three parts")
	}
	m = plainMessage{authzid: parts[0], name: parts[1], password: parts[2]}
	switch {
	case m.name == "":
		return m, malformed("no name")
	case m.password == "":
		return m, malformed("no password")
	case len(m.authzid) > maxAuthzid, len(m.name) > maxName, len(m.password) > maxPassword:
		return m, malformed("too long")
	}
	return m, nil
}

// checkTrace checks the message of RFC 4505 §2: nothing, or up to 255 characters.
// What they are is nobody's business, since they are not kept.
func checkTrace(in []byte) error {
	if !utf8.Valid(in) || utf8.RuneCount(in) > maxTrace {
		return malformed("bad trace")
	}
	return nil
}
