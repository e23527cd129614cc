package server

import (
	"sync"

	"rollcall/xmpp/stanza"
)

// Link is a [Service] at the other end of a stream. Like a session it has an
// outbox, which never blocks; but what the other end does not get is not kept:
// its senders are told.
type Link struct {
	// Fixed.
	srv  *Server
	form func(raw []byte) []byte

	// Safe.
	out outbox
}

// NewLink returns the link of a stream, whose outbox holds as much as a
// session's. form turns a stanza of the namespace of clients into what it is on
// the stream; nil leaves it as it is.
func (srv *Server) NewLink(t Transport, form func(raw []byte) []byte) *Link {
	l := &Link{srv: srv, form: form}
	l.out.limit = srv.cfg.OutboxBytes
	l.out.flusher = &srv.flusher
	l.out.use(t)
	return l
}

var linkBuffers = sync.Pool{New: func() any { return new([]byte) }}

// Take implements Service. What can be refused is refused while there is little
// room. There must always be some for presence and answers: a stream that has
// none left for them is cut, since the other end would never learn what it
// missed.
func (l *Link) Take(p *Packet) error {
	buf := linkBuffers.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= keepScratch {
			linkBuffers.Put(buf)
		}
	}()
	*buf = p.Append((*buf)[:0])
	raw := *buf
	if l.form != nil {
		raw = l.form(raw)
	}
	if refusable(p.Stanza) && !l.out.spare(len(raw)) {
		return stanza.Refuse(stanza.ErrResourceConstraint, "too much waits for that service already")
	}
	if !l.out.deliver(Delivery{Kind: p.Stanza.Kind}, raw, "", nil) {
		return stanza.ErrRemoteTimeout
	}
	return nil
}

// refusable reports whether whoever sends a stanza can send it again later.
func refusable(st *stanza.Stanza) bool {
	switch st.Kind {
	case stanza.Message:
		return !st.IsType("error")
	case stanza.IQ:
		return st.IsType("get") || st.IsType("set")
	}
	return st.IsType("probe")
}

// Control sends bytes that are no stanza.
func (l *Link) Control(b []byte) { l.out.control(b) }

// Finish sends the last bytes of the stream and then closes the connection.
func (l *Link) Finish(last []byte) { l.out.finish(last) }

// Progress returns how many bytes have been sent in all, and whether more are on
// their way.
func (l *Link) Progress() (sent uint64, writing bool) { return l.out.progress() }

// End ends the link, once its service is detached. Whoever has sent something
// that is still here is told that it did not get through.
func (l *Link) End() {
	l.out.detach()
	for _, x := range l.out.leftovers() {
		if x.kind == stanza.Message || x.kind == stanza.IQ {
			l.srv.bounce(x.raw, stanza.ErrRemoteTimeout)
		}
	}
}

// spare reports whether so many bytes leave a quarter of the outbox free.
func (o *outbox) spare(n int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int(o.log.end-o.acked)+n <= o.limit/4*3
}
