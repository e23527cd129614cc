package transport

import (
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A conn is one connection: TCP, TLS or WebSocket.
type conn struct {
	// Fixed.
	t      *Transport
	wire   wire
	remote netip.AddrPort

	heard  atomic.Int64 // when something last came, in ns of Unix time
	inside atomic.Bool  // within a message, or not yet ready for one

	mu      sync.Mutex        // guards what follows
	quiet   *sync.Cond        // on mu: writing or closed has changed
	nc      net.Conn          // nil while it is being opened
	proven  *x509.Certificate // of the other end, with TLS; nil: it has proven nothing
	out     []byte            // framed and not yet written
	flying  int               // bytes that are being written
	writing bool              // flush runs
	closed  bool
}

func newConn(t *Transport, w wire, remote netip.AddrPort) *conn {
	c := &conn{t: t, wire: w, remote: remote}
	c.quiet = sync.NewCond(&c.mu)
	c.inside.Store(true)
	c.touch()
	return c
}

// maxOut is how much may wait to be written on one connection. A peer that takes
// so little is not there any more.
const maxOut = 256 << 10

// writeFor is how long one write may take.
const writeFor = 20 * time.Second

var (
	errConnClosed = errors.New("the connection is closed")
	errConnFull   = errors.New("the other side takes nothing")
)

func (c *conn) about() *wire { return &c.wire }

func (c *conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// send queues a message, framed.
func (c *conn) send(data []byte, _ netip.AddrPort) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wire.kind == WS || c.wire.kind == WSS {
		return c.queue(func(b []byte) []byte { return appendFrame(b, opText, data) })
	}
	return c.queue(func(b []byte) []byte { return append(b, data...) })
}

// queue adds to what waits, and has it written; mu is held.
func (c *conn) queue(add func([]byte) []byte) error {
	if c.closed {
		return errConnClosed
	}
	if len(c.out)+c.flying > maxOut {
		c.closeLocked()
		return errConnFull
	}
	c.out = add(c.out)
	if !c.writing && c.nc != nil {
		c.writing = c.t.spawn(c.flush)
	}
	return nil
}

// control queues what is already framed.
func (c *conn) control(framed []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue(func(b []byte) []byte { return append(b, framed...) })
}

// flush writes until nothing waits.
func (c *conn) flush() {
	var spare []byte
	for {
		c.mu.Lock()
		c.flying = 0
		if len(c.out) == 0 || c.closed {
			c.writing = false
			c.out = nil // an idle connection has no buffer
			c.quiet.Broadcast()
			c.mu.Unlock()
			return
		}
		data := c.out
		c.out = spare[:0]
		c.flying = len(data)
		nc := c.nc
		c.mu.Unlock()
		nc.SetWriteDeadline(time.Now().Add(writeFor))
		if _, err := nc.Write(data); err != nil {
			c.close()
		}
		spare = data
	}
}

// ready says that the connection has been opened: what waits is written.
func (c *conn) ready(nc net.Conn) {
	c.inside.Store(false)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		nc.Close()
		return
	}
	c.nc = nc
	if len(c.out) > 0 && !c.writing {
		c.writing = c.t.spawn(c.flush)
	}
}

func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked()
}

func (c *conn) closeLocked() {
	if c.closed {
		return
	}
	c.closed = true
	c.out = nil
	c.quiet.Broadcast()
	if c.nc != nil {
		c.nc.Close()
	}
}

// drain waits until all that was queued is written, or cannot be.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing && !c.closed {
		c.quiet.Wait()
	}
}

// end is called once, when nothing is read any more.
func (c *conn) end() {
	c.close()
	c.t.conns.remove(c)
	c.t.client.broken(c)
	if c.t.stopped.Load() {
		return
	}
	for _, f := range c.t.closedFns {
		f(Flow{c, c.remote})
	}
}

func (c *conn) touch() { c.heard.Store(time.Now().UnixNano()) }
