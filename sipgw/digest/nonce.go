package digest

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"sync/atomic"
	"time"
)

// A nonce is when it was made (microseconds since 1970), a number that no other
// nonce of this server has, and a signature.
const (
	nonceText      = 16
	nonceSignature = 16
	nonceBytes     = nonceText + nonceSignature
)

// alphabet writes nonces, each in one way: bits that mean nothing have to be zero.
var alphabet = base64.RawURLEncoding.Strict()

// nonceLen is the length of a nonce as it is written.
var nonceLen = alphabet.EncodedLen(nonceBytes)

// nonces makes nonces and knows its own.
type nonces struct {
	sign *signer
	last atomic.Uint64 // number
}

// make returns a new nonce.
func (n *nonces) make(now time.Time) string {
	var text [nonceText]byte
	binary.BigEndian.PutUint64(text[:8], uint64(now.UnixMicro()))
	binary.BigEndian.PutUint64(text[8:], n.last.Add(1))
	signature := n.sign.sign(&text)
	var raw [nonceBytes]byte
	copy(raw[copy(raw[:], text[:]):], signature[:])
	return alphabet.EncodeToString(raw[:])
}

// read says whether a nonce is one of ours, and if so its number and when it was
// made, in microseconds.
func (n *nonces) read(nonce string) (number uint64, made int64, ours bool) {
	if len(nonce) != nonceLen {
		return 0, 0, false
	}
	var written [64]byte
	var raw [nonceBytes]byte
	if _, err := alphabet.Decode(raw[:], append(written[:0], nonce...)); err != nil {
		return 0, 0, false
	}
	text := [nonceText]byte(raw[:nonceText])
	signature := n.sign.sign(&text)
	if subtle.ConstantTimeCompare(signature[:], raw[nonceText:]) != 1 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(text[8:]), int64(binary.BigEndian.Uint64(text[:8])), true
}
