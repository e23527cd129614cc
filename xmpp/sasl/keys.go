package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
)

// Hash is the hash function of a SCRAM mechanism. The zero value is none.
type Hash int

// The hash functions that SCRAM is offered with.
const (
	SHA1 Hash = iota + 1
	SHA256
	SHA512
)

// Hashes are all of them, the best first: what to make keys for.
func Hashes() []Hash { return []Hash{SHA512, SHA256, SHA1} }

// plainHash is what PLAIN is verified with.
const plainHash = SHA256

// String names the mechanism without channel binding, "SCRAM-SHA-256". Stores
// keep keys under this name.
func (h Hash) String() string {
	switch h {
	case SHA1:
		return "SCRAM-SHA-1"
	case SHA256:
		return "SCRAM-SHA-256"
	case SHA512:
		return "SCRAM-SHA-512"
	}
	return "no hash"
}

// HashOf is the inverse of String.
func HashOf(name string) (Hash, bool) {
	for _, h := range Hashes() {
		if h.String() == name {
			return h, true
		}
	}
	return 0, false
}

// maker returns the function that makes an instance, or nil.
func (h Hash) maker() func() hash.Hash {
	switch h {
	case SHA1:
		return sha1.New
	case SHA256:
		return sha256.New
	case SHA512:
		return sha512.New
	}
	return nil
}

// Size is the length in bytes of the hash, and so of the keys.
func (h Hash) Size() int { return h.size() }

// size is the length of the hash, and so of the keys and the proof.
func (h Hash) size() int { return h.maker()().Size() }

// Keys verify a password for one hash function without knowing it (RFC 5802
// §3). They are secret: whoever has a StoredKey can guess passwords, and whoever
// also saw a login can log in.
type Keys struct {
	Salt, StoredKey, ServerKey []byte
	Iterations                 int
}

// usable reports whether the store gave keys of the right form.
func (k Keys) usable(h Hash) bool {
	return len(k.StoredKey) == h.size() && len(k.ServerKey) == h.size() && len(k.Salt) > 0 && k.Iterations > 0
}

const (
	// SaltSize is the length of the salts that are made here.
	SaltSize = 16
	// MinIterations is the least that RFC 5802 §5.1 allows to announce.
	MinIterations = 4096
	// MaxIterations is the most that is believed to be meant.
	MaxIterations = 10_000_000
	// DefaultIterations is used where the configuration has none.
	DefaultIterations = 10_000
)

// ErrPassword is a password that cannot be used: empty, too long, or with
// characters that cannot be typed everywhere.
var ErrPassword = errors.New("unusable password")

// Derive makes the keys of a password. The password is prepared as SASLprep
// does: see the comment on preparePassword for how far.
func Derive(h Hash, password string, salt []byte, iterations int) (Keys, error) {
	if h.maker() == nil {
		return Keys{}, errors.New("sasl: no such hash function")
	}
	if len(salt) == 0 || iterations < MinIterations || iterations > MaxIterations {
		return Keys{}, fmt.Errorf("sasl: a salt and %d to %d iterations are needed", MinIterations, MaxIterations)
	}
	p, ok := preparePassword(password)
	if !ok {
		return Keys{}, ErrPassword
	}
	salted, err := saltPassword(h, p, salt, iterations)
	if err != nil {
		return Keys{}, err
	}
	return Keys{
		Salt:       salt,
		StoredKey:  storedKey(h, salted),
		ServerKey:  mac(h, salted, "Server Key"),
		Iterations: iterations,
	}, nil
}

// NewKeys makes what to store for a new password: keys for every hash function,
// each with a salt of its own.
func NewKeys(password string, iterations int) (map[Hash]Keys, error) {
	all := make(map[Hash]Keys)
	for _, h := range Hashes() {
		salt := make([]byte, SaltSize)
		rand.Read(salt) // never fails
		k, err := Derive(h, password, salt, iterations)
		if err != nil {
			return nil, err
		}
		all[h] = k
	}
	return all, nil
}

// saltPassword is Hi of RFC 5802 §2.2, which is PBKDF2. It is the only slow step.
func saltPassword(h Hash, prepared string, salt []byte, iterations int) ([]byte, error) {
	salted, err := pbkdf2.Key(h.maker(), prepared, salt, iterations, h.size())
	if err != nil {
		return nil, fmt.Errorf("salting a password: %w", err)
	}
	return salted, nil
}

// storedKey is H(HMAC(salted, "Client Key")) of RFC 5802 §3.
func storedKey(h Hash, salted []byte) []byte {
	return digest(h, mac(h, salted, "Client Key"))
}

func digest(h Hash, b []byte) []byte {
	d := h.maker()()
	d.Write(b)
	return d.Sum(nil)
}

func mac(h Hash, key []byte, message string) []byte {
	m := hmac.New(h.maker(), key)
	m.Write([]byte(message))
	return m.Sum(nil)
}
