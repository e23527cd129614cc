package server

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/xmpp/stanza"
)

// Class says what an inactive client (XEP-0352) may be spared for a while.
type Class uint8

// Urgent stanzas are sent at once; a Status replaces the one before from the
// same sender; an Aside waits.
const (
	Urgent Class = iota
	Status
	Aside
)

// Transport is a connection as an outbox sees it.
type Transport interface {
	Write([]byte) (int, error)
	// Close ends the connection in good order, Abort at once; neither waits
	// for the peer.
	Close() error
	Abort()
}

// Delivery is what an outbox remembers of a stanza until it is through.
type Delivery struct {
	Kind  stanza.Kind
	Class Class
	Sole  bool   // nobody else got this message
	Ref   int64  // offline message it comes from; 0 for none
	From  string // of a Status: whose it is
}

// mark is a stanza in the log.
type mark struct {
	end  uint64
	size uint32
	ref  int64
	at   int64 // when, Unix seconds
	kind stanza.Kind
	sole bool
}

// start is where the stanza begins in the log.
func (m *mark) start() uint64 { return m.end - uint64(m.size) }

// reachable hears which offline messages are through. It is called without the
// outbox's lock.
type reachable interface{ reached(refs []int64) }

// outbox is all that goes to a session's client: one bounded log of bytes with
// cursors, acked ≤ sent ≤ end. What is sent and not acked is the resumption
// queue of XEP-0198. Deliver never blocks.
type outbox struct {
	limit   int         // bytes
	owner   reachable   // nil: nobody wants to know
	flusher *flusher    // nil: each flush is a goroutine of its own
	over    atomic.Bool // nothing is taken any more; set under mu
	most    int32       // stanzas not acked

	mu      sync.Mutex
	run     func() // flush, made once: go o.flush() makes it each time
	log     byteLog
	acked   uint64 // freed up to here
	sent    uint64
	taken   uint64        // what the connection was given; sent follows once it says so
	early   uint64        // acked up to here before the connection said so
	marks   []mark        // of stanzas not acked, or not sent where nothing is acked
	w       Transport     // nil while there is no connection
	tries   bool          // w is a Trier that can write without waiting
	managed bool          // keep what is sent until it is acked
	writing bool          // a flush is under way
	closing bool          // close w once all is sent
	due     bool          // the next write is to end with a request for an ack
	asked   bool          // for an ack, on behalf of those who wait
	handled uint32        // stanzas acked, modulo 2^32 (XEP-0198 §5)
	pending int32         // stanzas since the last request for an ack
	asks    int32         // ask for an ack after so many; 0: never
	idle    chan struct{} // closed when a flush ends, if somebody waits
	held    *heldBack     // while the client is inactive
	waiting []func()      // those who wait for room
}

// attach gives the outbox its connection.
func (o *outbox) attach(w Transport) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.use(w)
	o.kick()
}

// resume gives the outbox another connection: first preface is sent, then
// again each stanza that the client has not acked.
func (o *outbox) resume(w Transport, preface []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	old := o.log
	o.log = byteLog{end: old.end, start: old.end}
	o.due, o.pending = false, 0
	o.acked, o.sent, o.taken, o.early = old.end, old.end, old.end, 0
	appendTo(&o.log, preface)
	for i := range o.marks {
		m := &o.marks[i]
		appendTo(&o.log, old.copyRange(nil, m.end-uint64(m.size), m.end))
		m.end = o.log.end
	}
	if len(o.marks) > 0 {
		appendTo(&o.log, ackRequest)
	}
	old.free(old.end)
	o.use(w)
	o.kick()
}

func (o *outbox) use(w Transport) {
	t, ok := w.(Trier)
	o.w, o.tries = w, ok && o.flusher != nil && t.Tries()
}

// detach takes the connection away and waits for a write under way to end,
// which it does once the connection is closed. A stream that was finished is
// first written to its end.
func (o *outbox) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closing {
		o.w = nil
	}
	for o.writing {
		if o.idle == nil {
			o.idle = make(chan struct{})
		}
		idle := o.idle
		o.mu.Unlock()
		<-idle
		o.mu.Lock()
	}
}

// deliver puts a stanza, in three parts, into the log. It reports false if the
// session is over; over its limit the session ends.
func (o *outbox) deliver(d Delivery, head []byte, mid string, tail []byte) bool {
	taken, backlog := o.take(d, head, mid, tail)
	if backlog > pressure {
		runtime.Gosched() // let run whoever writes it out
	}
	return taken
}

// pressure is how much may wait before a sender steps back for a moment.
const pressure = 64 << 10

func (o *outbox) take(d Delivery, head []byte, mid string, tail []byte) (taken bool, backlog uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over.Load() {
		return false, 0
	}
	if o.held != nil {
		if d.Class != Urgent && o.held.hold(d, head, mid, tail) {
			return true, 0
		}
		o.release()
	}
	o.put(d, head, mid, tail)
	o.kick()
	return true, o.log.end - o.sent
}

// control puts bytes that are no stanza into the log.
func (o *outbox) control(b []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over.Load() {
		return
	}
	appendTo(&o.log, b)
	o.kick()
}

var ackRequest = []byte("<r xmlns='urn:xmpp:sm:3'/>")

func (o *outbox) put(d Delivery, head []byte, mid string, tail []byte) {
	size := uint32(len(head) + len(mid) + len(tail))
	appendTo(&o.log, head)
	appendTo(&o.log, mid)
	appendTo(&o.log, tail)
	m := mark{end: o.log.end, size: size, ref: d.Ref, kind: d.Kind, sole: d.Sole}
	if o.managed {
		m.at = time.Now().Unix()
	}
	o.marks = append(o.marks, m)
	if o.managed {
		o.pending++
		o.due = o.due || d.Kind == stanza.Message || o.asks > 0 && o.pending >= o.asks
	}
	if int(o.log.end-o.acked) > o.limit || o.managed && o.most > 0 && len(o.marks) > int(o.most) {
		o.fail()
	}
}

// fail cuts the connection of a client that does not keep up. Nothing more is
// said to it: it does not read. What is in the log is left to the end of the
// session. The caller holds the lock.
func (o *outbox) fail() {
	o.over.Store(true)
	if o.w != nil {
		o.w.Abort()
	}
}

// finish puts the last bytes of the stream into the log and closes the
// connection once they are sent.
func (o *outbox) finish(last []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over.Load() {
		if o.held != nil {
			o.release()
		}
		appendTo(&o.log, last)
	}
	o.over.Store(true)
	o.closing = true
	o.kick()
}

// kick starts a flush if there is something to do and none is under way.
func (o *outbox) kick() {
	if o.writing || o.w == nil || o.sent == o.log.end && !o.closing {
		return
	}
	o.writing = true
	if o.tries {
		o.flusher.add(o)
		return
	}
	o.spawn()
}

// spawn flushes on a goroutine that may wait.
func (o *outbox) spawn() {
	if o.run == nil {
		o.run = func() { o.flush(false) }
	}
	go o.run()
}

// gather is for flushes of more than one block.
var gather = sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}

// flush writes until all is sent. One runs at a time, so that it alone touches
// the connection; what comes in meanwhile goes with its next write. If it is
// to try it does not wait: where it would have to, another goroutine goes on.
func (o *outbox) flush(try bool) {
	var buf *[]byte
	o.mu.Lock()
	for o.w != nil && o.sent < o.log.end {
		if o.due {
			o.due, o.pending = false, 0
			appendTo(&o.log, ackRequest)
		}
		w, pos := o.w, o.sent
		var room []byte
		if o.log.head != o.log.tail {
			if buf == nil {
				buf = gather.Get().(*[]byte)
			}
			room = *buf
		}
		p := o.log.view(pos, room)
		o.taken = pos + uint64(len(p))
		o.mu.Unlock()
		var n int
		var err error
		if t, ok := w.(Trier); ok && try {
			n, err = t.TryWrite(p)
		} else {
			n, err = w.Write(p)
		}
		o.mu.Lock()
		if o.w != w {
			continue
		}
		if err != nil {
			o.w = nil
			w.Abort()
			break
		}
		o.sent += uint64(n)
		if !o.managed {
			o.through(o.sent)
		} else if o.early > o.acked {
			o.through(o.early)
		}
		if n < len(p) {
			o.spawn()
			o.mu.Unlock()
			if buf != nil {
				gather.Put(buf)
			}
			return
		}
	}
	if o.w == nil && o.early > o.acked {
		o.through(o.early) // the last write was cut short after the ack
	}
	if w := o.w; o.closing && w != nil {
		o.w = nil
		o.mu.Unlock()
		w.Close()
		o.mu.Lock()
	}
	o.writing = false
	if o.idle != nil {
		close(o.idle)
		o.idle = nil
	}
	o.mu.Unlock()
	if buf != nil {
		gather.Put(buf)
	}
}

// through frees all up to pos and reports the offline messages in it. The
// caller holds the lock.
func (o *outbox) through(pos uint64) {
	n := 0
	var refs []int64
	for n < len(o.marks) && o.marks[n].end <= pos {
		if r := o.marks[n].ref; r != 0 {
			refs = append(refs, r)
		}
		n++
	}
	o.handled += uint32(n)
	if n == len(o.marks) && cap(o.marks) <= keepMarks {
		o.marks = o.marks[:0]
	} else if n == len(o.marks) {
		o.marks = nil
	} else if n > 0 {
		o.marks = o.marks[:copy(o.marks, o.marks[n:])]
	}
	if len(o.marks) == 0 {
		pos = max(pos, o.sent) // what is no stanza need not be acked
	} else {
		pos = min(pos, o.marks[0].start()) // of which a part may be sent: it may have to go elsewhere, whole
	}
	o.acked = pos
	o.log.free(pos)
	if refs != nil && o.owner != nil {
		o.mu.Unlock()
		o.owner.reached(refs)
		o.mu.Lock()
	}
	o.admit()
}

// trim lets go of the room that nothing is in.
func (o *outbox) trim() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.marks) == 0 {
		o.marks = nil
	}
	if !o.writing {
		o.run = nil
	}
}

// keepMarks is how much room for marks an idle session keeps.
const keepMarks = 16

// errHandledTooHigh is told to a client that acknowledges what was never sent.
var errHandledTooHigh = errors.New("handled count too high")

// manage turns on XEP-0198: stanzas count from here.
func (o *outbox) manage(asks, most int, reply []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// What is in the log now came before and is not part of the count.
	o.managed, o.asks, o.most, o.pending, o.due = true, int32(asks), int32(most), 0, false
	o.handled = -uint32(len(o.marks))
	appendTo(&o.log, reply)
	o.kick()
}

// ack takes the client's word that it has handled h stanzas.
func (o *outbox) ack(h uint32) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := h - o.handled
	switch {
	case n == 0, n > 1<<31:
		return nil // nothing new, or overtaken by a later one
	case int(n) > len(o.marks) || o.marks[n-1].end > o.taken:
		return errHandledTooHigh
	}
	// A client can be so fast that its ack is here before the write that it
	// answers has returned. What is being written must not be freed.
	if end := o.marks[n-1].end; end > o.sent && o.writing {
		o.early = end
	} else {
		o.through(end)
	}
	return nil
}

// ask asks for an ack, if acks are in use and any is due or it is forced.
func (o *outbox) ask(force bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.managed || o.over.Load() {
		return false
	}
	if force || len(o.marks) > 0 && o.sent == o.log.end {
		appendTo(&o.log, ackRequest)
		o.due, o.pending = false, 0
		o.kick()
	}
	return true
}

// unacked returns the number of stanzas that wait for an ack.
func (o *outbox) unacked() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.marks)
}

// left is a stanza that never reached its client, as far as anybody knows.
type left struct {
	mark
	raw []byte
}

// leftovers ends the outbox and returns what is left in it.
func (o *outbox) leftovers() []left {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held != nil {
		o.release()
	}
	o.over.Store(true)
	o.held, o.waiting = nil, nil
	var all []left
	for _, m := range o.marks {
		if o.managed || m.end > o.sent {
			all = append(all, left{m, o.log.copyRange(nil, m.end-uint64(m.size), m.end)})
		}
	}
	o.marks = nil
	o.log.free(o.log.end)
	return all
}

// progress returns how much has been sent, and whether more is on its way.
func (o *outbox) progress() (sent uint64, writing bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent, o.writing
}
