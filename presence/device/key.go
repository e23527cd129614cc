package device

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"

	"rollcall/xmpp/stanza"
)

// Key is what SIP's digest needs of a secret (RFC 7616 §3.4.2): the hashes of the
// user, the realm and the secret. It is good for that user and realm only. It is
// not the secret, but whoever has it can register as the device.
type Key struct {
	Realm  string
	MD5    string // 32 digits of lower-case hexadecimal
	SHA256 string // 64 of them; "" if only the other is known
}

const (
	minSecret = 8
	maxSecret = 128
)

// NewKey returns the key that a secret makes for a SIP user.
func NewKey(user, realm, secret string) (Key, error) {
	switch odd := func(r rune) bool { return r <= ' ' || r > '~' }; {
	case len(secret) < minSecret:
		return Key{}, stanza.Refuse(stanza.ErrNotAcceptable, "a device's secret has at least %d characters", minSecret)
	case len(secret) > maxSecret:
		return Key{}, stanza.Refuse(stanza.ErrNotAcceptable, "a device's secret has at most %d characters", maxSecret)
	case strings.ContainsFunc(secret, odd):
		// Phones do not agree on how others are to be encoded.
		return Key{}, stanza.Refuse(stanza.ErrNotAcceptable, "a device's secret is of ASCII letters, digits and signs, without blanks")
	}
	text := []byte(user + ":" + realm + ":" + secret)
	weak, strong := md5.Sum(text), sha256.Sum256(text)
	return Key{Realm: realm, MD5: hex.EncodeToString(weak[:]), SHA256: hex.EncodeToString(strong[:])}, nil
}

// NewSecret makes a secret of 100 random bits that can be typed on a device: no
// letter looks like a digit.
func NewSecret() string {
	raw := make([]byte, 13)
	rand.Read(raw) // never fails
	s := strings.ToLower(base32.StdEncoding.EncodeToString(raw))[:20]
	return s[:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:]
}

// Set reports whether there is a key at all.
func (k Key) Set() bool { return k.MD5 != "" }

// hexadecimal reports whether a hash has so many digits and no other characters.
func hexadecimal(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}
