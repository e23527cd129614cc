package adhoc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"sync"
	"time"

	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const (
	// lifetime is how long a form may lie about.
	lifetime = 10 * time.Minute

	// maxOwn and maxAll bound the forms that one account, and everybody, may
	// have open.
	maxOwn = 16
	maxAll = 2048
)

// session is a command in progress (XEP-0050 §3.3): a form was sent and waits to
// be filled in.
type session struct {
	id      string
	owner   jid.JID // nobody else can go on with it
	command *Command
	form    *form.Form
	until   time.Time
}

// sessions are those in progress. There is no trace of one that has ended, but
// its id still tells that it was given out here.
type sessions struct {
	key []byte // fixed

	mu   sync.Mutex // guards what follows
	open map[string]*session
}

func (ss *sessions) init() {
	ss.key = make([]byte, sha256.Size)
	rand.Read(ss.key) // never fails
	ss.open = map[string]*session{}
}

// Lengths of the parts of an id, in its letters of five bits.
const idRandom, idSeal = 24, 24

// newID makes an id that nobody can guess, and that only its owner can use.
func (ss *sessions) newID(owner jid.JID) string {
	id := rand.Text()[:idRandom]
	return id + ss.seal(id, owner)
}

func (ss *sessions) seal(id string, owner jid.JID) string {
	mac := hmac.New(sha256.New, ss.key)
	mac.Write([]byte(id + owner.String()))
	return base32.StdEncoding.EncodeToString(mac.Sum(nil))[:idSeal]
}

// issued reports whether an id was given to somebody by this server since it was
// started.
func (ss *sessions) issued(id string, owner jid.JID) bool {
	if len(id) != idRandom+idSeal {
		return false
	}
	return hmac.Equal([]byte(id[idRandom:]), []byte(ss.seal(id[:idRandom], owner)))
}

// begin opens a session. Of one's own the oldest makes room.
func (ss *sessions) begin(owner jid.JID, c *Command, x *form.Form, now time.Time) (*session, error) {
	s := &session{id: ss.newID(owner), owner: owner, command: c, form: x, until: now.Add(lifetime)}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var oldest *session
	own := 0
	for id, o := range ss.open {
		switch {
		case !now.Before(o.until):
			delete(ss.open, id)
		case o.owner.Bare() == owner.Bare():
			own++
			if oldest == nil || o.until.Before(oldest.until) {
				oldest = o
			}
		}
	}
	if own >= maxOwn {
		delete(ss.open, oldest.id)
	}
	if len(ss.open) >= maxAll {
		return nil, stanza.Refuse(stanza.ErrResourceConstraint, "too many commands are being filled in just now")
	}
	ss.open[s.id] = s
	return s, nil
}

// find returns a session in progress, which now has its full time again.
func (ss *sessions) find(id string, owner jid.JID, now time.Time) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.open[id]
	if s == nil || s.owner != owner || !now.Before(s.until) {
		return nil
	}
	s.until = now.Add(lifetime)
	return s
}

// end closes a session.
func (ss *sessions) end(s *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.open, s.id)
}

// drop closes all sessions of a client that is gone.
func (ss *sessions) drop(owner jid.JID) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for id, s := range ss.open {
		if s.owner == owner {
			delete(ss.open, id)
		}
	}
}
