package server

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// Availability is what a session has told the world: its last presence without
// an address to send it to. It is never changed. Between Head and Tail belongs
// an address, escaped for an attribute in single quotes.
type Availability struct {
	Priority int8
	Show     string
	Since    time.Time // when it began to show that
	Head     []byte    // up to and with " to='"
	Tail     []byte    // from the closing quote on
}

// Session is one bound resource. It outlives its connection when it can be
// resumed (XEP-0198).
type Session struct {
	// Fixed.
	JID     jid.JID
	Account *Account
	srv     *Server
	full    string // JID, escaped
	began   int64  // Unix seconds

	// Safe.
	out       outbox
	available atomic.Pointer[Availability]
	filter    atomic.Pointer[Filter] // of its own; nil: that of the account
	flags     atomic.Uint32
	inactive  atomic.Bool
	heard     atomic.Int64                 // when the client was last heard of, Unix seconds
	fault     atomic.Pointer[stream.Fault] // why it was cut off, if it was

	// Owned by the goroutine that reads the stream; by whoever ends the session
	// once there is none.
	slots   []any
	lang    string     // of the client's stream, escaped
	counted uint32     // stanzas taken in, modulo 2^32 (XEP-0198 §4)
	covered Ticket     // what the stanzas taken in were stored under
	to      *recipient // of the stanza before; nil: to be made

	// Guarded by mu.
	mu     sync.Mutex
	life   life
	reader latch // the reader has let go
	gone   latch // the session has ended
	expiry *time.Timer
	keep   time.Duration // how long it waits to be resumed; 0: it cannot be
	conn   Connection    // nil once it is gone
	last   *Peer         // of the connection that is gone
}

// recipient is an address as it came, and what it means. Mostly the next stanza is
// for the same one.
type recipient struct {
	raw  []byte
	jid  jid.JID
	attr string // escaped
}

var recipients = sync.Pool{New: func() any { return new(recipient) }}

type life uint8

const (
	connected life = iota
	hibernating
	over
)

// Connection is what carries a session.
type Connection interface {
	Transport
	// HangUp ends the stream with a fault, or just closes it if that is nil.
	// It does not wait, and the connection's reader comes to its end.
	HangUp(*stream.Fault)
}

// reached implements reachable.
func (s *Session) reached(refs []int64) {
	for _, f := range s.srv.reg.flushed {
		f(s, refs)
	}
}

// latch is something that happens once, and the channel that says so, which is
// there only if somebody waits.
type latch struct {
	happened bool
	ch       chan struct{}
}

func (l *latch) wait() <-chan struct{} {
	if l.ch == nil {
		l.ch = make(chan struct{})
		if l.happened {
			close(l.ch)
		}
	}
	return l.ch
}

func (l *latch) set() {
	if l.ch != nil && !l.happened {
		close(l.ch)
	}
	l.happened = true
}

// ended returns a channel that is closed once the session is over and done.
func (s *Session) ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone.wait()
}

// ErrGone says that a session is over.
var ErrGone = errors.New("server: the session is over")

// Full returns the session's address, escaped for an attribute in single
// quotes.
func (s *Session) Full() string { return s.full }

// Bare returns the account's address, escaped likewise.
func (s *Session) Bare() string { return s.Account.attr }

// Server returns the server that the session is bound at.
func (s *Session) Server() *Server { return s.srv }

// Availability returns what the session last told the world; nil while it is
// not available.
func (s *Session) Availability() *Availability { return s.available.Load() }

// SetAvailability changes it.
func (s *Session) SetAvailability(a *Availability) { s.available.Store(a) }

// ChangeAvailability changes it unless it has changed meanwhile, for those who do
// not run on the goroutine that reads the stream.
func (s *Session) ChangeAvailability(from, to *Availability) bool {
	return s.available.CompareAndSwap(from, to)
}

// Has reports whether a flag is set.
func (s *Session) Has(f Flag) bool { return s.flags.Load()&uint32(f) != 0 }

// Set sets or clears a flag.
func (s *Session) Set(f Flag, on bool) {
	if on {
		s.flags.Or(uint32(f))
	} else {
		s.flags.And(^uint32(f))
	}
}

// Get returns what a feature keeps in the session; nil at first.
func (s *Session) Get(at Slot) any {
	if int(at) >= len(s.slots) {
		return nil
	}
	return s.slots[at]
}

// Put keeps something in the session.
func (s *Session) Put(at Slot, v any) {
	for int(at) >= len(s.slots) {
		s.slots = append(s.slots, nil)
	}
	s.slots[at] = v
}

// Send sends a whole stanza to the session's client.
func (s *Session) Send(k stanza.Kind, raw []byte) bool {
	return s.out.deliver(Delivery{Kind: k}, raw, "", nil)
}

// Deliver sends a stanza in three parts, which are joined.
func (s *Session) Deliver(d Delivery, head []byte, mid string, tail []byte) bool {
	return s.out.deliver(d, head, mid, tail)
}

// Rest has a session whose client is silent keep no more than it needs. It is
// called by the goroutine that reads the stream.
func (s *Session) Rest() {
	if to := s.to; to != nil {
		s.to = nil
		*to = recipient{raw: to.raw[:0]}
		recipients.Put(to)
	}
	for _, f := range s.srv.reg.rested {
		f(s)
	}
	s.out.trim()
}

// Inactive reports whether the client has said that nobody looks (XEP-0352).
func (s *Session) Inactive() bool { return s.inactive.Load() }

// SetInactive takes the client's word for it.
func (s *Session) SetInactive(on bool) {
	s.inactive.Store(on)
	s.out.setInactive(on)
}

// Heard notes that the client has been heard of.
func (s *Session) Heard(now int64) { s.heard.Store(now) }

// LastHeard returns when that was, in Unix seconds.
func (s *Session) LastHeard() int64 { return s.heard.Load() }

// Control sends bytes that are no stanza.
func (s *Session) Control(b []byte) { s.out.control(b) }

// Finish sends the last bytes of the stream and then closes the connection.
func (s *Session) Finish(last []byte) { s.out.finish(last) }

// Progress returns how many bytes have been sent to the client in all, and
// whether more are on their way. A client that takes nothing makes none.
func (s *Session) Progress() (sent uint64, writing bool) { return s.out.progress() }

// Manage turns on stream management (XEP-0198 §3) from reply on, asking for an
// ack after every so many stanzas, and giving up over a number not acked.
func (s *Session) Manage(asks, most int, reply []byte) {
	s.counted = 0
	s.out.manage(asks, most, reply)
}

// Ack takes the client's count of stanzas it has handled.
func (s *Session) Ack(h uint32) error { return s.out.ack(h) }

// Sent returns how many stanzas were sent since acks are counted.
func (s *Session) Sent() uint32 {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.handled + uint32(len(s.out.marks))
}

// Ask asks the client for an ack; false if it was not told how.
func (s *Session) Ask() bool { return s.out.ask(true) }

// AskIfUnacked asks if there is anything to acknowledge.
func (s *Session) AskIfUnacked() { s.out.ask(false) }

// Unacked returns how many stanzas the client has yet to acknowledge.
func (s *Session) Unacked() int { return s.out.unacked() }

// WhenStored calls f with the count of stanzas taken in so far, once all that
// had to be stored of them is. If the write fails f is not called: what is not
// stored is not acknowledged. A later request may cover it, since its sender has
// then been told of the error.
func (s *Session) WhenStored(f func(h uint32)) {
	h := s.counted
	k := s.srv.keeper
	if k == nil || s.covered <= k.Settled() {
		f(h)
		return
	}
	k.WhenSettled(s.covered, func(stored bool) {
		if stored {
			f(h)
		}
	})
}

// KeepFor lets the session wait so long to be resumed, once its connection is
// lost.
func (s *Session) KeepFor(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = d
}

// maxLang bounds a language tag (RFC 5646 §4.4.1: 35 characters do).
const maxLang = 64

// Speak notes the language of the client's stream, which its stanzas inherit.
func (s *Session) Speak(lang string) {
	if len(lang) <= maxLang {
		s.lang = stanza.Escape(lang)
	}
}

// settle waits until it is known what became of all that had to be stored: a
// client that resumes, or comes too late for that, is told a count that is as
// good as an ack.
func (s *Session) settle() {
	k := s.srv.keeper
	if k == nil || s.covered <= k.Settled() {
		return
	}
	done := make(chan struct{})
	k.WhenSettled(s.covered, func(bool) { close(done) })
	<-done
}

// Release says that the goroutine that read the session's stream lets go of it.
func (s *Session) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reader.set()
}

// HangUp cuts the session off: its client is told why and its stream closed.
// The session ends, it cannot be resumed. HangUp does not wait for that.
func (s *Session) HangUp(f *stream.Fault) {
	s.fault.CompareAndSwap(nil, f)
	s.mu.Lock()
	conn, life := s.conn, s.life
	s.mu.Unlock()
	switch life {
	case connected:
		if conn != nil {
			conn.HangUp(f)
		}
	case hibernating:
		s.End(context.WithoutCancel(s.srv.ctx))
	}
}

// Fault returns why the session was cut off, or nil.
func (s *Session) Fault() *stream.Fault { return s.fault.Load() }

// Hibernate keeps the session for a while after its connection is lost. It is
// called by the reader as its last act. False: there is nothing to keep.
func (s *Session) Hibernate() bool {
	s.out.detach()
	s.settle()
	dead := s.out.over.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if dead || s.fault.Load() != nil || s.life != connected || s.keep <= 0 {
		return false
	}
	s.last = s.peer()
	s.life, s.conn = hibernating, nil
	s.srv.tasks.Add(1)
	s.expiry = time.AfterFunc(s.keep, func() {
		defer s.srv.tasks.Done()
		s.End(context.WithoutCancel(s.srv.ctx))
	})
	return true
}

// Resume takes a session over for a new connection, whose reader is to call
// Release in the end: the old one, if there still is one, is closed first.
// preface goes out before what is sent again.
func (s *Session) Resume(ctx context.Context, h uint32, c Connection, preface func(handled uint32) []byte) error {
	s.mu.Lock()
	for s.life == connected { // again if somebody else was faster: the last one wins
		old, reader := s.conn, s.reader.wait()
		s.mu.Unlock()
		if old != nil {
			old.HangUp(nil)
		}
		select {
		case <-reader:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.life != hibernating || s.fault.Load() != nil { // it may be about to be cut off
		return ErrGone
	}
	if err := s.out.ack(h); err != nil {
		return err
	}
	if s.expiry.Stop() {
		s.srv.tasks.Done()
	}
	s.life, s.reader, s.conn, s.last = connected, latch{}, c, nil
	s.out.resume(c, preface(s.counted))
	return nil
}

// End ends the session, once: it leaves the directory, the features hear of
// it, and what its client never got goes elsewhere.
func (s *Session) End(ctx context.Context) { s.end(ctx, s.srv.reg.ended) }

// end ends the session; told are those who hear of it.
func (s *Session) end(ctx context.Context, told []func(*Session)) {
	s.mu.Lock()
	if s.life == over {
		s.mu.Unlock()
		return
	}
	if s.expiry != nil && s.expiry.Stop() {
		s.srv.tasks.Done()
	}
	s.life, s.conn = over, nil
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.gone.set()
	}()
	s.out.detach()
	s.freeze()
	if told != nil {
		for _, f := range s.srv.reg.ending {
			f(s)
		}
	}
	s.srv.dir.remove(s)
	for _, f := range told {
		f(s)
	}
	s.SetAvailability(nil)
	s.srv.redeliver(ctx, s, s.out.leftovers())
}
