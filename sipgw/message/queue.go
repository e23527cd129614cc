package message

import (
	"errors"
	"slices"
	"sync"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/address"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// letter is one request on its way to a device.
type letter struct {
	pair     pair
	from, to jid.JID
	device   *device.Device
	id, kind string // of the stanza
	receipt  bool   // is asked for
	status   bool   // it says who is writing, and nobody waits for its answer
	out      transport.Outgoing
	routes   []Route // where it was sent
}

// queue holds what goes to one device: one at a time (RFC 3428 §8).
type queue struct {
	busy    bool // one is on its way, and its outcome is not known
	waiting []*letter
	open    map[string]bool // places that have not answered the last one
}

// enqueue sends a letter when those before it have arrived.
func (s *Service) enqueue(l *letter) error {
	s.mu.Lock()
	q := s.queues[l.pair.device]
	if q == nil {
		q = &queue{open: map[string]bool{}}
		s.queues[l.pair.device] = q
	}
	// What is said of writing is past when there is something new to say.
	q.waiting = slices.DeleteFunc(q.waiting, func(w *letter) bool { return w.status && w.pair == l.pair })
	if len(q.waiting) >= maxWaiting {
		s.mu.Unlock()
		return stanza.Refuse(stanza.ErrResourceConstraint, "Too many messages wait for this device")
	}
	if q.busy {
		q.waiting = append(q.waiting, l)
		s.mu.Unlock()
		return nil
	}
	q.busy = true
	s.mu.Unlock()
	s.post(q, l)
	return nil
}

// post sends a letter to all places where its device can be reached, but those that
// have yet to answer the one before.
func (s *Service) post(q *queue, l *letter) {
	l.routes = s.routes(l.device)
	s.mu.Lock()
	l.routes = slices.DeleteFunc(slices.Clone(l.routes), func(r Route) bool { return q.open[r.URI] })
	for _, r := range l.routes {
		q.open[r.URI] = true
	}
	s.mu.Unlock()
	if len(l.routes) == 0 {
		s.arrived(q, l, outcome{480, "", transport.ErrUnreachable})
		return
	}
	f := &fork{s: s, q: q, l: l, left: len(l.routes)}
	for _, r := range l.routes {
		o := l.out
		o.URI, o.Routes, o.Flow = r.URI, r.Routes, r.Flow
		if !l.device.Here() {
			o.To = "<" + r.URI + ">" // the PBX does not know ours
		}
		s.parts.SIP.Start(o, func(res *transport.Response, err error) {
			if err != nil || !res.Provisional() {
				f.answer(r.URI, res, err)
			}
		})
	}
}

// fork waits for the answers of all places.
type fork struct {
	s *Service
	q *queue
	l *letter

	mu   sync.Mutex // guards the fields below
	left int
	told bool
	best outcome
}

// outcome is what became of a letter: an answer, or the error that it was lost by.
type outcome struct {
	status int
	reason string
	err    error
}

// answer takes one answer. The first success is the outcome at once, else it is the best
// when all have come (RFC 3261 §16.7).
func (f *fork) answer(uri string, res *transport.Response, err error) {
	o := outcome{status: transport.Status(err), err: err}
	if err == nil {
		o.status, o.reason = res.Status(), res.Reason()
	}
	f.s.mu.Lock()
	delete(f.q.open, uri)
	f.s.mu.Unlock()
	f.mu.Lock()
	f.left--
	if better(o.status, f.best.status) {
		f.best = o
	}
	over := !f.told && (f.left == 0 || o.status/100 == 2)
	f.told = f.told || over
	best, last := f.best, f.left == 0
	f.mu.Unlock()
	switch {
	case over:
		f.s.arrived(f.q, f.l, best)
	case last:
		f.s.leave(f.q, f.l.pair.device)
	}
}

// better reports whether an answer is to be preferred to another one, 0 being none
// (RFC 3261 §16.7, step 6).
func better(a, b int) bool {
	if a == 0 || b == 0 || a == b {
		return b == 0 && a != 0
	}
	if rank(a) != rank(b) {
		return rank(a) < rank(b)
	}
	return weight(a) > weight(b)
}

// rank orders the classes: success, then what speaks for all, then the lowest.
func rank(status int) int {
	switch status / 100 {
	case 2:
		return 0
	case 6:
		return 1
	}
	return status / 100
}

// weight prefers what helps the sender: delivered over taken, what is wrong with the
// request over that it went nowhere.
func weight(status int) int {
	switch status {
	case 200, 401, 407, 415, 420, 484:
		return 2
	case 408, 480:
		return 0
	}
	return 1
}

// arrived tells what became of a letter, and sends the next.
func (s *Service) arrived(q *queue, l *letter, o outcome) {
	s.outcome(l, o)
	s.mu.Lock()
	var lost []*letter
	if errors.Is(o.err, transport.ErrTimeout) { // those behind would only wait as long again
		lost, q.waiting = q.waiting, nil
	}
	var next *letter
	if len(q.waiting) > 0 {
		next, q.waiting = q.waiting[0], q.waiting[1:]
	} else {
		q.busy = false
	}
	s.mu.Unlock()
	for _, l := range lost {
		s.outcome(l, o)
	}
	if next != nil {
		s.post(q, next)
		return
	}
	s.leave(q, l.pair.device)
}

// leave forgets a queue that has nothing in it.
func (s *Service) leave(q *queue, who jid.Bare) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queues[who] == q && !q.busy && len(q.waiting) == 0 && len(q.open) == 0 {
		delete(s.queues, who)
	}
}

// outcome tells the sender what became of a letter.
func (s *Service) outcome(l *letter, o outcome) {
	if o.err == nil && readsNot(o.status) {
		s.mu.Lock()
		s.remember(time.Now(), l)
		s.mu.Unlock()
	}
	switch {
	case l.status:
	case o.status/100 != 2:
		s.send(errorStanza(l.to, l.from, l.id, o.refusal()))
	case o.status == 200 && l.receipt && l.id != "": // 202 is not delivered yet (RFC 3428 §4)
		s.send(receiptStanza(l.device.Full(), l.from, l.kind, l.id))
	}
}

// refusal is what the sender hears of an outcome that is no success.
func (o outcome) refusal() *stanza.Error {
	switch {
	case errors.Is(o.err, transport.ErrTimeout):
		return address.Refusal(408, "This device does not answer")
	case errors.Is(o.err, transport.ErrBusy):
		return stanza.Refuse(stanza.ErrResourceConstraint, "Too many requests wait for an answer")
	case errors.Is(o.err, transport.ErrUnreachable), errors.Is(o.err, transport.ErrStopped):
		return errAway
	case readsNot(o.status) && o.err == nil:
		return errDeaf
	}
	return address.Refusal(o.status, o.reason)
}
