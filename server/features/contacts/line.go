package contacts

import (
	"sync"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// line is where roster pushes wait for what goes before them: the subscription
// stanza that they are about is delivered first (RFC 6121 §3.1.2, §3.1.5, §3.2.2,
// §3.3.2), and that must not happen under the lock that keeps the pushes of a
// roster in order of modification (§2.6.3). So the push waits in line and later
// ones of the same roster queue up behind it.
type line struct {
	mu      sync.Mutex
	waiting map[jid.Bare][]*turn // without those who have nobody waiting
}

// turn is a push in line. Its stanza may be answered on the contact's behalf
// before it is the push's turn; the answer waits too.
type turn struct {
	push  func()
	held  bool
	after []func()
}

// hold lets a push wait, even one that says nothing, until it is freed.
func (l *line) hold(owner jid.Bare, push func()) *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting == nil {
		l.waiting = map[jid.Bare][]*turn{}
	}
	t := &turn{push: push, held: true}
	l.waiting[owner] = append(l.waiting[owner], t)
	return t
}

// queue puts a push at the end of the line; false if there is none.
func (l *line) queue(owner jid.Bare, push func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.waiting[owner]
	if len(all) == 0 {
		return false
	}
	l.waiting[owner] = append(all, &turn{push: push})
	return true
}

// answer has f called once the owner's pushes have gone; false if none waits.
func (l *line) answer(owner jid.Bare, f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.waiting[owner]
	if len(all) == 0 {
		return false
	}
	last := all[len(all)-1]
	last.after = append(last.after, f)
	return true
}

// free holds a push no longer and returns those whose turn it is.
func (l *line) free(owner jid.Bare, t *turn) []*turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.held = false
	all := l.waiting[owner]
	n := 0
	for n < len(all) && !all[n].held {
		n++
	}
	if n == len(all) {
		delete(l.waiting, owner)
	} else {
		l.waiting[owner] = all[n:]
	}
	return all[:n]
}

// pushing is the sending of a change to all interested resources (RFC 6121 §2.2);
// there may be none to send.
func (f *Feature) pushing(owner jid.Bare, c *roster.Change) func() {
	return func() {
		if c != nil {
			p := f.push(c)
			f.eachInterested(owner, func(s *server.Session) { f.tell(s, c, p) })
		}
	}
}

// pushAll sends a change to all interested resources, after those that wait. The
// caller holds the lock of the roster's book.
func (f *Feature) pushAll(owner jid.Bare, c *roster.Change) {
	if c == nil {
		return
	}
	if push := f.pushing(owner, c); !f.line.queue(owner, push) {
		push()
	}
}

// release sends a push that was held, and what waits for it.
func (f *Feature) release(owner jid.Bare, t *turn) {
	var gone []*turn
	send := func(*roster.Roster) {
		gone = f.line.free(owner, t)
		for _, t := range gone {
			t.push()
		}
	}
	if f.book.Read(f.srv.Context(), owner, send) != nil {
		send(nil) // the roster cannot be read, and so not be changed either
	}
	for _, t := range gone {
		for _, answer := range t.after {
			answer()
		}
	}
}
