package login

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
)

// By says who has asked: the one whom the request is for, or a proxy on the way.
type By uint8

// 401 comes from a server, 407 from a proxy (RFC 3261 §22.2, §22.3).
const (
	Server By = iota
	Proxy
)

// Header is the name of the header that holds the answer.
func (b By) Header() string { return [...]string{"Authorization", "Proxy-Authorization"}[b] }

// Asks is the name of the header that holds the challenge.
func (b By) Asks() string { return [...]string{"WWW-Authenticate", "Proxy-Authenticate"}[b] }

// Account is who we are at some place. It is safe for use by many goroutines.
type Account struct {
	user, secret string // fixed

	mu   sync.Mutex    // guards what follows
	last [2]*challenge // by who has asked
	used [2]uint32     // how often its nonce has been
}

// New returns an account. Without a user it answers nothing.
func New(user, secret string) *Account { return &Account{user: user, secret: secret} }

// User is the name.
func (a *Account) User() string { return a.user }

// Challenged takes the challenges of a response, one a line. The first that can be
// answered counts, for the better ones stand before (RFC 8760 §2.4). stale says that
// the answer before was right and only too late. ok is false if there is nothing that
// can be answered.
func (a *Account) Challenged(by By, lines []string) (stale, ok bool) {
	if a.user == "" {
		return false, false
	}
	for _, line := range lines {
		c, err := read(line)
		if err != nil {
			continue
		}
		a.mu.Lock()
		a.last[by], a.used[by] = c, 0
		a.mu.Unlock()
		return c.stale, true
	}
	return false, false
}

// Answer returns the value of a header for the next request, "" if nobody has asked
// so far.
func (a *Account) Answer(by By, method, uri string) string {
	a.mu.Lock()
	c := a.last[by]
	a.used[by]++
	count := a.used[by]
	a.mu.Unlock()
	if c == nil {
		return ""
	}
	var raw [8]byte
	rand.Read(raw[:])
	return c.answer(a.user, a.secret, method, uri, hex.EncodeToString(raw[:]), count)
}

// Informed takes an Authentication-Info or Proxy-Authentication-Info: there may be a
// nonce for the next request in it (RFC 7616 §3.5).
func (a *Account) Informed(by By, value string) {
	if len(value) > maxHeader {
		return
	}
	for n := 0; value != "" && n < maxParams; n++ {
		name, text, tail, ok := param(trim(value))
		if !ok {
			return
		}
		if strings.EqualFold(name, "nextnonce") && text != "" {
			a.next(by, text)
		}
		value = tail
	}
}

func (a *Account) next(by By, nonce string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last[by] == nil || a.last[by].nonce == nonce {
		return
	}
	c := *a.last[by]
	c.nonce = nonce
	a.last[by], a.used[by] = &c, 0
}
