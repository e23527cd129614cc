package uplink

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"rollcall/xmpp/stanza"
)

// outbox holds what is to be written to a connection. Putting something in never waits;
// who puts in more than it holds ends the connection, since the server would never learn
// what it has missed.
type outbox struct {
	limit int // fixed
	wake  chan struct{}
	free  chan struct{} // holds a token when something was written
	empty chan struct{} // closed when the last bytes are written, or cannot be

	mu     sync.Mutex // guards the fields below
	buf    []byte
	under  int   // bytes that are being written
	last   bool  // there is nothing to come
	broken error // why nothing can be written
}

// errFull says that the server does not read what it is sent.
var errFull = errors.New("the server does not take what is sent to it")

// errClosed says that the connection is no more.
var errClosed = errors.New("the connection is closed")

func newOutbox(limit int) *outbox {
	return &outbox{limit: limit, wake: make(chan struct{}, 1), free: make(chan struct{}, 1), empty: make(chan struct{})}
}

// put appends a stanza.
func (o *outbox) put(raw []byte) error {
	o.mu.Lock()
	if o.broken == nil && !o.last && len(o.buf)+o.under+len(raw) > o.limit {
		o.broken = errFull
	}
	refused := o.broken != nil || o.last
	if !refused {
		o.buf = append(o.buf, raw...)
	}
	o.mu.Unlock()
	o.stir()
	if refused {
		return stanza.ErrRemoteTimeout
	}
	return nil
}

// room waits until more than half of it is free.
func (o *outbox) room(ctx context.Context) error {
	for {
		o.mu.Lock()
		full, over := len(o.buf)+o.under > o.limit/2, o.broken != nil || o.last
		o.mu.Unlock()
		switch {
		case over:
			return stanza.ErrRemoteTimeout
		case !full:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-o.free:
		}
	}
}

// finish appends the last bytes of the stream.
func (o *outbox) finish(last []byte) {
	o.mu.Lock()
	if !o.last {
		o.buf, o.last = append(o.buf, last...), true
	}
	o.mu.Unlock()
	o.stir()
}

// flushed waits until the last bytes are written, but not for longer than that.
func (o *outbox) flushed(atMost time.Duration) {
	select {
	case <-o.empty:
	case <-time.After(atMost):
	}
}

// close has nothing be written any more.
func (o *outbox) close() {
	o.mu.Lock()
	if o.broken == nil {
		o.broken = errClosed
	}
	o.mu.Unlock()
	o.stir()
}

// why returns why nothing can be written, or nil; that we ended it is no reason.
func (o *outbox) why() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken == errClosed {
		return nil
	}
	return o.broken
}

func (o *outbox) stir() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// run writes until there is nothing more to come, or the connection breaks.
func (o *outbox) run(nc net.Conn) error {
	defer close(o.empty)
	var spare []byte
	for {
		o.mu.Lock()
		b, over, err := o.buf, o.last, o.broken
		if err == nil && len(b) > 0 {
			o.buf, spare = spare[:0], nil
		}
		o.under = len(b)
		o.mu.Unlock()
		switch {
		case err != nil:
			o.told()
			return err
		case len(b) > 0:
			nc.SetWriteDeadline(time.Now().Add(writeIn))
			if _, err := nc.Write(b); err != nil {
				o.mu.Lock()
				if o.broken == nil {
					o.broken = err
				}
				o.mu.Unlock()
				o.told()
				return err
			}
			if spare = b; cap(spare) > 64<<10 {
				spare = nil // it was a burst
			}
			o.told()
			continue
		case over:
			return nil
		}
		<-o.wake
	}
}

// told lets those go on who wait for room.
func (o *outbox) told() {
	select {
	case o.free <- struct{}{}:
	default:
	}
}
