package server

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Account is a local user. The one with sessions is in the directory; for
// others a value is made as needed.
type Account struct {
	JID      jid.Bare
	ID       int64 // the number it is stored under; 0 for an anonymous user
	attr     string
	admitted uint64 // while it is bound: the era that Admit has looked in, and 1
	filter   atomic.Pointer[Filter]
	sessions atomic.Pointer[[]*Session]
}

// NewAccount returns an account without sessions.
func NewAccount(j jid.Bare, id int64) *Account {
	return &Account{JID: j, ID: id, attr: stanza.Escape(string(j))}
}

// Attr returns the account's address escaped for an attribute in single quotes.
func (a *Account) Attr() string { return a.attr }

// Sessions returns the bound resources; the slice is not to be changed.
func (a *Account) Sessions() []*Session {
	if p := a.sessions.Load(); p != nil {
		return *p
	}
	return nil
}

// Session returns the session with that resource, or nil.
func (a *Account) Session(resource string) *Session {
	for _, s := range a.Sessions() {
		if s.JID.Resource() == resource {
			return s
		}
	}
	return nil
}

// Available reports whether any resource is available.
func (a *Account) Available() bool {
	for _, s := range a.Sessions() {
		if s.Availability() != nil {
			return true
		}
	}
	return false
}

// ErrTooManySessions refuses to bind one more resource (RFC 6120 §7.6.2.1).
var ErrTooManySessions error = stanza.Refuse(stanza.ErrResourceConstraint, "too many clients of this account are connected")

// directory knows who is connected.
type directory struct {
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	mu       sync.RWMutex
	accounts map[jid.Bare]*Account
}

func newDirectory() *directory {
	d := &directory{seed: maphash.MakeSeed()}
	for i := range d.shards {
		d.shards[i].accounts = map[jid.Bare]*Account{}
	}
	return d
}

func (d *directory) shard(j jid.Bare) *shard {
	return &d.shards[maphash.String(d.seed, string(j))%uint64(len(d.shards))]
}

// lookup returns the account if it has sessions, else nil.
func (d *directory) lookup(j jid.Bare) *Account {
	sh := d.shard(j)
	sh.mu.RLock()
	a := sh.accounts[j]
	sh.mu.RUnlock()
	return a
}

// add puts a session in, and returns the one that has its resource already
// instead, if any. The filter is for an account that had none.
func (d *directory) add(s *Session, id int64, f Filter, most int) (taken *Session, err error) {
	j := s.JID.Bare()
	sh := d.shard(j)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	a := sh.accounts[j]
	if a == nil {
		a = NewAccount(j, id)
		a.SetFilter(f)
	}
	if taken = a.Session(s.JID.Resource()); taken != nil {
		return taken, nil
	}
	if most > 0 && len(a.Sessions()) >= most {
		return nil, ErrTooManySessions
	}
	sh.accounts[j] = a
	s.Account = a
	all := append(append([]*Session(nil), a.Sessions()...), s)
	a.sessions.Store(&all)
	return nil, nil
}

func (d *directory) remove(s *Session) {
	sh := d.shard(s.Account.JID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var rest []*Session
	for _, x := range s.Account.Sessions() {
		if x != s {
			rest = append(rest, x)
		}
	}
	s.Account.sessions.Store(&rest)
	if len(rest) == 0 && sh.accounts[s.Account.JID] == s.Account {
		delete(sh.accounts, s.Account.JID)
	}
}

// each calls f for all sessions, without a lock held.
func (d *directory) each(f func(*Session)) {
	var all []*Account
	for i := range d.shards {
		sh := &d.shards[i]
		all = all[:0]
		sh.mu.RLock()
		for _, a := range sh.accounts {
			all = append(all, a)
		}
		sh.mu.RUnlock()
		for _, a := range all {
			for _, s := range a.Sessions() {
				f(s)
			}
		}
	}
}
