package transport

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// The timers of RFC 3261 §17, appendix A.
const (
	timerT1 = 500 * time.Millisecond
	timerT2 = 4 * time.Second
	timerT4 = 5 * time.Second
	sixtyT1 = 64 * timerT1 // B, F, H, J, L, M

	timerC    = 3*time.Minute + 10*time.Second // §16.6: more than three minutes
	timerD    = 32 * time.Second
	tryingFor = 200 * time.Millisecond // §17.2.1
)

// A key finds the transaction that a request belongs to (RFC 3261 §17.2.3), or what two
// copies of one request have in common that came by different ways (§8.2.2.2). It is a
// hash with a seed that nobody knows: of all that are remembered at a time, two have the
// same by chance as often as a stranger guesses a branch. 0 is none.
type key uint64

// keySeed is what keys depend on, besides the request.
var keySeed = maphash.MakeSeed()

// keyOf makes a key of a number and texts.
func keyOf(n uint64, texts ...string) key {
	var room [512]byte
	b := binary.LittleEndian.AppendUint64(room[:0], n)
	for _, s := range texts {
		b = append(append(b, s...), 0)
	}
	return key(maphash.Bytes(keySeed, b) | 1)
}

// key is the transaction that a request belongs to; the method is INVITE for an ACK
// too. What comes from before RFC 3261 has no branch to go by, so all else that names it
// is put together.
func (r *Request) key(method string) key {
	if !r.modern() {
		return keyOf(uint64(r.via.Port)<<32|uint64(r.cseq), method, r.via.Host, r.callID, r.from.Tag(), string(r.via.Params))
	}
	return keyOf(uint64(r.via.Port), method, r.via.Host, r.via.Branch())
}

// server holds the transactions of requests that came in. See newServer.
type server struct {
	most     int // that wait for an answer
	remember int // that have got one
	wake     chan struct{}

	mu     sync.Mutex // guards what follows
	txs    map[key]*serverTx
	merged map[key]*serverTx
	open   lineup // not answered, in the order in which they came; INVITEs are in neither
	done   lineup // answered, in that order
}

func newServer(most, remember int) *server {
	return &server{
		most: most, remember: remember, wake: make(chan struct{}, 1),
		txs: map[key]*serverTx{}, merged: map[key]*serverTx{},
	}
}

// find returns the transaction of a key, nil if there is none.
func (s *server) find(k key) *serverTx {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.txs[k]
}

// begin makes the transaction of a request, or returns the one that there is.
// With neither there are too many.
func (s *server) begin(t *Transport, r *Request, k key) (tx *serverTx, isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tx := s.txs[k]; tx != nil {
		return tx, false
	}
	if len(s.txs)-s.done.n >= s.most {
		return nil, false
	}
	tx = &serverTx{t: t, key: k, flow: r.flow, to: r.returnTo()}
	r.tx = tx
	s.txs[k] = tx
	if r.method == "INVITE" {
		tx.invite = r
	} else {
		s.push(&s.open, tx)
	}
	return tx, true
}

// answered is called when what is no INVITE has been answered finally. If it can
// come again it is remembered for timer J, unless there are too many: then the
// oldest is forgotten.
func (s *server) answered(tx *serverTx, comesAgain bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.txs[tx.key] != tx {
		return
	}
	if !comesAgain {
		s.forget(tx)
		return
	}
	tx.leave()
	s.push(&s.done, tx)
	if s.done.n > s.remember {
		s.forget(s.done.front)
	}
}

// push puts a transaction at the end of a line, to be forgotten after 64*T1: by
// then its sender has given up (timers F and J).
func (s *server) push(l *lineup, tx *serverTx) {
	if s.open.n+s.done.n == 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	l.add(tx, time.Now().Add(sixtyT1))
}

// forget removes a transaction; s.mu is held.
func (s *server) forget(tx *serverTx) {
	tx.leave()
	if s.txs[tx.key] == tx {
		delete(s.txs, tx.key)
	}
	if tx.merge != 0 {
		delete(s.merged, tx.merge)
	}
}

func (s *server) end(tx *serverTx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(tx)
}

// sole notes a request by what its copies have in common, and reports whether it
// is the first.
func (s *server) sole(r *Request) bool {
	k := keyOf(uint64(r.cseq), r.method, r.from.Tag(), r.callID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.merged[k]; other != nil && other != r.tx {
		return false
	}
	if s.txs[r.tx.key] == r.tx {
		s.merged[k], r.tx.merge = r.tx, k
	}
	return true
}

// sweep forgets those whose time has come, and returns when the next one's does;
// the zero time if there is none.
func (s *server) sweep(now time.Time) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range [...]*lineup{&s.open, &s.done} {
		for l.front != nil && !l.front.at.After(now) {
			s.forget(l.front)
		}
		if l.front != nil && (next.IsZero() || l.front.at.Before(next)) {
			next = l.front.at
		}
	}
	return next
}

// run sweeps until done is closed.
func (s *server) run(done <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if next := s.sweep(time.Now()); !next.IsZero() {
			// Many leave at a time.
			timer.Reset(max(time.Until(next), 100*time.Millisecond))
			select {
			case <-timer.C:
				continue
			case <-done:
				return
			}
		}
		select {
		case <-s.wake:
		case <-done:
			return
		}
	}
}

// A lineup holds transactions in the order in which they are forgotten. A timer
// for each would cost more than they do.
type lineup struct {
	front, back *serverTx
	n           int
}

func (l *lineup) add(tx *serverTx, at time.Time) {
	tx.line, tx.at, tx.before, tx.behind = l, at, l.back, nil
	if l.back != nil {
		l.back.behind = tx
	} else {
		l.front = tx
	}
	l.back = tx
	l.n++
}

// leave takes a transaction out of its line, if it is in one.
func (tx *serverTx) leave() {
	l := tx.line
	if l == nil {
		return
	}
	if tx.before != nil {
		tx.before.behind = tx.behind
	} else {
		l.front = tx.behind
	}
	if tx.behind != nil {
		tx.behind.before = tx.before
	} else {
		l.back = tx.before
	}
	l.n--
	tx.line, tx.before, tx.behind = nil, nil, nil
}

// A serverTx is the transaction of a request that came in (RFC 3261 §17.2).
type serverTx struct {
	// Fixed.
	t      *Transport
	key    key
	flow   Flow
	to     netip.AddrPort
	invite *Request // the INVITE, nil for all others

	// Guarded by server.mu.
	merge          key
	line           *lineup
	before, behind *serverTx
	at             time.Time

	mu        sync.Mutex // guards what follows
	state     serverState
	last      []byte // what is sent again when the request is
	cancelled bool
	onCancel  func()
	timer     *time.Timer
	interval  time.Duration
}

type serverState uint8

const (
	proceeding serverState = iota
	completed              // answered finally; an INVITE: not with 2xx
	accepted               // an INVITE, answered 2xx (RFC 6026 §7.1)
	confirmed              // an INVITE, refused and acknowledged
)

// respond answers the request.
func (tx *serverTx) respond(r *Request, p *Reply) {
	if p.Status < 100 || p.Status > 699 {
		return
	}
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	if tx.invite == nil {
		// The tag has to be one whoever answers first.
		*buf = r.appendReply((*buf)[:0], p, tx.t.software)
		tx.answer(p.Status, *buf)
		return
	}
	tx.mu.Lock()
	*buf = r.appendReply((*buf)[:0], p, tx.t.software)
	tx.mu.Unlock()
	tx.answerInvite(p.Status, *buf)
}

// answer sends a response to what is no INVITE.
func (tx *serverTx) answer(status int, data []byte) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.state != proceeding {
		return
	}
	// On a connection nothing comes twice. A challenge is not worth remembering
	// (RFC 3261 §8.2.7): whoever asks again is challenged again.
	comesAgain := !tx.flow.Kind().Reliable() && status != 401 && status != 407
	if comesAgain {
		tx.last = append([]byte(nil), data...)
	}
	if status >= 200 {
		tx.state = completed
		tx.t.server.answered(tx, comesAgain)
	}
	tx.send(data)
}

// again is called when the same request has come again.
func (tx *serverTx) again() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.last != nil && (tx.state == proceeding || tx.state == completed) {
		tx.send(tx.last)
	}
}

// send puts a response on its way; if that fails the request comes again.
func (tx *serverTx) send(data []byte) { tx.flow.link.send(data, tx.to) }
