package offline

import (
	"context"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// box is what is known of an account's waiting messages. It is guarded by the
// feature's mu.
type box struct {
	owner   jid.Bare
	known   bool      // count is right, but for what another program does
	count   int       // messages stored, about to be stored, or claimed
	counted time.Time // when the store was asked last

	claimed map[int64]claim            // by id
	takers  map[*server.Session]*taker // those who get some
	readers int                        // who look into the store just now
	gone    []int64                    // claimed still, for readers who may have seen it before
}

// claim is a message's.
type claim struct {
	by   *server.Session // nil: it has been delivered and is about to be removed
	size int
	gone bool // it is removed
}

// taker is a session that offline messages are handed to.
type taker struct {
	busy     bool // somebody is handing out
	more     bool // there may be more than was handed out
	messages int  // handed out, and not known to have reached the client
	bytes    int
}

// full reports that the client has to take something first.
func (t *taker) full() bool { return t.messages >= windowMessages || t.bytes >= windowBytes }

// low reports that it is worth while to look for more.
func (t *taker) low() bool { return 2*t.messages <= windowMessages && 2*t.bytes <= windowBytes }

func (t *taker) add(c claim) { t.messages++; t.bytes += c.size }

func (t *taker) remove(c claim) { t.messages--; t.bytes -= c.size }

const (
	// maxBoxes bounds how many accounts' counts are remembered.
	maxBoxes = 50_000

	// recountAfter is how often a full box is counted anew.
	recountAfter = 10 * time.Second
)

// box returns an account's box, and makes it if need be. The caller holds mu.
func (f *Feature) box(a *server.Account) *box {
	b := f.boxes[a.ID]
	if b == nil {
		for id, other := range f.boxes {
			if len(f.boxes) < maxBoxes {
				break
			}
			if other.quiet() {
				delete(f.boxes, id)
			}
		}
		b = &box{}
		f.boxes[a.ID] = b
	}
	b.owner = a.JID
	return b
}

// quiet reports that nobody hands out what is in the box.
func (b *box) quiet() bool { return len(b.claimed) == 0 && len(b.takers) == 0 && b.readers == 0 }

// admit makes room for one more message, or refuses it when there are so many
// already (XEP-0160 §2, step 3).
func (f *Feature) admit(ctx context.Context, a *server.Account, most int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.box(a)
	if !b.known || b.count >= most && time.Since(b.counted) > recountAfter {
		f.mu.Unlock()
		n, err := f.parts.Store.Count(ctx, a.ID)
		f.mu.Lock()
		if err != nil {
			return err
		}
		b = f.box(a)
		b.known, b.count, b.counted = true, n, time.Now()
	}
	if b.count >= most {
		return stanza.Refuse(stanza.ErrServiceUnavailable, "too many messages wait for this account")
	}
	b.count++
	return nil
}

// Waits hears from the store that a message waits, or could not be stored. If
// its recipient has come meanwhile, it is handed out now: whoever comes looks
// into the store after becoming available, and here it is the other way round,
// so that one of the two sees the other.
func (f *Feature) Waits(account, id int64, stored bool) {
	f.mu.Lock()
	b := f.boxes[account]
	if b == nil {
		f.mu.Unlock()
		return
	}
	if !stored {
		b.count = max(b.count-1, 0)
		f.mu.Unlock()
		return
	}
	owner := b.owner
	f.mu.Unlock()
	if a := f.srv.Connected(owner); a != nil {
		for _, s := range a.Sessions() {
			if willing(s) {
				f.later(s)
				return
			}
		}
	}
}

// Gone hears from the store that a message is removed.
func (f *Feature) Gone(account, id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.boxes[account]
	if b == nil {
		return
	}
	if b.known {
		b.count = max(b.count-1, 0)
	}
	if b.readers == 0 {
		delete(b.claimed, id)
	} else if _, claimed := b.claimed[id]; claimed {
		b.claimed[id] = claim{gone: true}
		b.gone = append(b.gone, id)
	}
}

// read ends what a reader of the store began. The caller holds mu.
func (b *box) read() {
	if b.readers--; b.readers > 0 {
		return
	}
	for _, id := range b.gone {
		delete(b.claimed, id)
	}
	b.readers, b.gone = 0, nil
}

func willing(s *server.Session) bool {
	v := s.Availability()
	return v != nil && v.Priority >= 0
}

// later has Run hand out to a session.
func (f *Feature) later(s *server.Session) {
	f.mu.Lock()
	f.queue = append(f.queue, s)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// flushed hears that messages have reached their client.
func (f *Feature) flushed(s *server.Session, ids []int64) {
	f.mu.Lock()
	more := false
	if b := f.boxes[s.Account.ID]; b != nil {
		t := b.takers[s]
		for _, id := range ids {
			c, claimed := b.claimed[id]
			if !claimed || c.by != s {
				continue
			}
			b.claimed[id] = claim{}
			if t != nil {
				t.remove(c)
			}
		}
		if t != nil && !t.busy {
			more = t.more && t.low()
			b.rest(s)
		}
	}
	f.mu.Unlock()
	f.parts.Store.Drop(s.Account.ID, ids)
	if more {
		f.later(s)
	}
}

// rest forgets a taker that has all and wants nothing. The caller holds mu.
func (b *box) rest(s *server.Session) {
	if t := b.takers[s]; t != nil && !t.busy && !t.more && t.messages == 0 {
		b.forget(s)
	}
}

// forget takes a session off the takers. Mostly there are none, so then there is
// no room for any. The caller holds mu.
func (b *box) forget(s *server.Session) {
	if delete(b.takers, s); len(b.takers) == 0 {
		b.takers = nil
	}
}

// ended lets go of what a session's client never got. Another session that is
// there takes it.
func (f *Feature) ended(s *server.Session) {
	f.mu.Lock()
	s.Set(f.over, true) // from here on nothing is claimed for it
	freed := false
	if b := f.boxes[s.Account.ID]; b != nil {
		for id, c := range b.claimed {
			if c.by == s {
				delete(b.claimed, id)
				freed = true
			}
		}
		b.forget(s)
	}
	f.mu.Unlock()
	if !freed {
		return
	}
	for _, other := range s.Account.Sessions() {
		if other != s && willing(other) {
			f.later(other)
			return
		}
	}
}
