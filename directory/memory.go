package directory

import (
	"crypto/hmac"
	"crypto/rand"
	"sync"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// maxRemembered bounds how many passwords are remembered.
const maxRemembered = 50_000

// memory remembers which passwords were right lately, in a form that a password
// cannot be read from: the key that SCRAM would store. It is never written down.
// It is safe for concurrent use.
type memory struct {
	lasts time.Duration // fixed; 0 remembers nothing

	mu    sync.Mutex // guards what follows
	known map[jid.Bare]remembered
	era   uint64 // counts what was forgotten: what was checked before is not put in after it
}

type remembered struct {
	keys  sasl.Keys
	until time.Time
}

// right reports whether that password of the account was right lately.
func (m *memory) right(who jid.Bare, password string, now time.Time) bool {
	if m.lasts <= 0 {
		return false
	}
	m.mu.Lock()
	r, found := m.known[who]
	m.mu.Unlock()
	if !found || !now.Before(r.until) {
		return false
	}
	k, err := sasl.Derive(sasl.SHA256, password, r.keys.Salt, r.keys.Iterations)
	return err == nil && hmac.Equal(k.StoredKey, r.keys.StoredKey)
}

// now is to be asked before a password is checked, and given to put after it.
func (m *memory) now() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.era
}

// put remembers a password that was right, unless something was forgotten since
// it was checked.
func (m *memory) put(era uint64, who jid.Bare, password string, now time.Time) {
	if m.lasts <= 0 {
		return
	}
	salt := make([]byte, sasl.SaltSize)
	rand.Read(salt) // never fails
	keys, err := sasl.Derive(sasl.SHA256, password, salt, sasl.MinIterations)
	if err != nil {
		return // it cannot be prepared, and is asked for each time
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if era != m.era {
		return
	}
	if m.known == nil {
		m.known = map[jid.Bare]remembered{}
	}
	for old := range m.known { // any one will do: it is only asked for again
		if len(m.known) < maxRemembered {
			break
		}
		delete(m.known, old)
	}
	m.known[who] = remembered{keys, now.Add(m.lasts)}
}

// forget forgets the passwords of accounts.
func (m *memory) forget(all ...jid.Bare) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.era++
	for _, who := range all {
		delete(m.known, who)
	}
}
