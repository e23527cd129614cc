package digest

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"sync"
)

// Algorithm is a way to make an answer.
type Algorithm uint8

// The algorithms that are offered, the better one first (RFC 8760 §2.3). Those
// with -sess are not.
const (
	SHA256 Algorithm = iota
	MD5
)

// String returns the name that the algorithm has in headers.
func (a Algorithm) String() string {
	if a == SHA256 {
		return "SHA-256"
	}
	return "MD5"
}

// hexLen is the length of an answer.
func (a Algorithm) hexLen() int {
	if a == SHA256 {
		return 2 * sha256.Size
	}
	return 2 * md5.Size
}

// Secrets are what is kept of a secret: the hash H(A1) for each algorithm (RFC 7616
// §3.4.2), in small hexadecimal digits, as answers are made of it. They hold for one
// user name in one realm. One that is not known is "", and lets nobody in.
type Secrets struct{ MD5, SHA256 string }

// HA1 returns what is to be kept of a secret. None of user and realm may have a
// colon in it (see [ValidUser]), or two users could have the same.
func HA1(user, realm, secret string) Secrets {
	text := []byte(user + ":" + realm + ":" + secret)
	return Secrets{MD5: string(MD5.appendHash(nil, text)), SHA256: string(SHA256.appendHash(nil, text))}
}

// ReadSecrets takes hashes as they are kept, in small hexadecimal digits; "" is one that
// is not known.
func ReadSecrets(md5Hash, sha256Hash string) (Secrets, error) {
	if md5Hash != "" && !isHash(md5Hash, MD5) || sha256Hash != "" && !isHash(sha256Hash, SHA256) {
		return Secrets{}, errHash
	}
	return Secrets{MD5: md5Hash, SHA256: sha256Hash}, nil
}

func isHash(s string, a Algorithm) bool { return len(s) == a.hexLen() && isLowerHex(s) }

var errHash = errors.New("digest: a hash of a secret is not of the length that it has to have, in hexadecimal")

// of is the hash for an algorithm.
func (s *Secrets) of(a Algorithm) string {
	if a == SHA256 {
		return s.SHA256
	}
	return s.MD5
}

// knows says whether there is a hash for an algorithm. One that is empty would be one
// that everybody knows.
func (s *Secrets) knows(a Algorithm) bool { return s.of(a) != "" }

// ValidUser says whether somebody can log in by a name: it is not empty, not
// longer than [MaxUser], and has neither colons nor control characters.
func ValidUser(user string) bool {
	if user == "" || len(user) > MaxUser {
		return false
	}
	for i := 0; i < len(user); i++ {
		if user[i] < ' ' || user[i] == ':' || user[i] == 0x7f {
			return false
		}
	}
	return true
}

// scratch is where a text to be hashed is put together. A text that is longer than
// the room goes elsewhere, and costs an allocation.
type scratch [768]byte

// appendHash appends the hash of text, in hexadecimal.
func (a Algorithm) appendHash(to, text []byte) []byte {
	if a == SHA256 {
		sum := sha256.Sum256(text)
		return hex.AppendEncode(to, sum[:])
	}
	sum := md5.Sum(text)
	return hex.AppendEncode(to, sum[:])
}

// answers says whether the credentials hold the answer that follows from the
// secrets (RFC 7616 §3.4.1; without qop as in RFC 2069). It takes the same time
// whether they do or not.
func (s *Secrets) answers(c *Credentials, method string) bool {
	var a2Room, room scratch
	var a2Hash, want [2 * sha256.Size]byte
	a2 := append(append(append(a2Room[:0], method...), ':'), c.URI...)
	ha2 := c.Algorithm.appendHash(a2Hash[:0], a2)

	text := append(room[:0], s.of(c.Algorithm)...)
	text = append(append(append(text, ':'), c.Nonce...), ':')
	if c.QOP {
		text = append(append(text, c.count...), ':')
		text = append(append(text, c.CNonce...), ":auth:"...)
	}
	text = append(text, ha2...)
	expect := c.Algorithm.appendHash(want[:0], text)
	return subtle.ConstantTimeCompare(expect, []byte(c.Response)) == 1
}

// signer makes and checks signatures. It is safe for use by many goroutines.
type signer struct{ pool sync.Pool }

func newSigner(key []byte) *signer {
	s := &signer{}
	s.pool.New = func() any { return &signing{hash: hmac.New(sha256.New, key)} }
	return s
}

// signing is the state of one signature in the making.
type signing struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

// sign returns the signature of a text.
func (s *signer) sign(text *[nonceText]byte) (signature [nonceSignature]byte) {
	w := s.pool.Get().(*signing)
	w.hash.Reset()
	w.hash.Write(text[:])
	w.hash.Sum(w.sum[:0])
	copy(signature[:], w.sum[:])
	s.pool.Put(w)
	return signature
}
