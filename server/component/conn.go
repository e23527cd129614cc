package component

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// Faults of a stream with a component.
var (
	errShutdown      = &stream.Fault{Condition: mellium.SystemShutdown}
	errTooFast       = &stream.Fault{Condition: mellium.PolicyViolation, Text: "too many new connections from this address in a short time"}
	errTooMany       = &stream.Fault{Condition: mellium.ResourceConstraint, Text: "too many connections without a handshake"}
	errHostUnknown   = &stream.Fault{Condition: mellium.HostUnknown}
	errConflict      = &stream.Fault{Condition: mellium.Conflict, Text: "that component is connected already"}
	errTimeout       = &stream.Fault{Condition: mellium.ConnectionTimeout}
	errNotAuthorized = &stream.Fault{Condition: mellium.NotAuthorized}
	errHeldBack      = &stream.Fault{Condition: mellium.PolicyViolation, Text: "too many failures; come back later"}
	errInternal      = &stream.Fault{Condition: mellium.InternalServerError}
	errUnsupported   = &stream.Fault{Condition: mellium.UnsupportedStanzaType}
)

// conn is one connection of a component.
type conn struct {
	// Fixed.
	s    *Server
	nc   net.Conn
	addr netip.Addr

	// Safe.
	link atomic.Pointer[server.Link]  // once the handshake was right
	cut  atomic.Pointer[stream.Fault] // why the stream is to end

	// Owned by the goroutine that watches.
	seen  uint64
	since time.Time

	// Owned by the goroutine that reads; annex does not change once there is a link.
	sc     *stream.Scanner
	bucket server.Bucket
	domain *Domain
	annex  *server.Annex
	lang   string
	id     string
	said   bool // our stream header was sent
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{s: s, nc: nc}
	if ap, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		c.addr = ap.Addr().Unmap()
	}
	if t, ok := nc.(*net.TCPConn); ok {
		// The protocol has no pings: the network has to notice who is gone.
		t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive, Count: 3})
		server.UserTimeout(t, s.cfg.UserTimeout)
	}
	return c
}

const keepAlive = 15 * time.Second

// maxFresh bounds the connections that have not proven anything.
const maxFresh = 64

// admit counts a connection in, unless there are too many.
func (s *Server) admit(c *conn) *stream.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errShutdown
	case !s.arrivals.Take(server.PaceOf(s.cfg.ConnectsPerMinute, time.Minute), server.Network(c.addr), time.Since(s.began)):
		return errTooFast
	case len(s.conns) >= maxFresh+len(s.cfg.Domains):
		return errTooMany
	}
	s.conns[c] = struct{}{}
	return nil
}

// run serves the connection to its end.
func (c *conn) run(ctx context.Context) {
	defer func() {
		c.s.mu.Lock()
		delete(c.s.conns, c)
		c.s.mu.Unlock()
	}()
	c.nc.SetDeadline(time.Now().Add(c.s.cfg.AuthTimeout))
	c.sc = stream.New(c.s.cfg.BeforeAuth)
	err := c.handshake()
	if err == nil {
		err = c.stanzas(ctx)
	}
	c.finish(err)
}

// Write implements server.Transport.
func (c *conn) Write(b []byte) (int, error) { return c.nc.Write(b) }

// Close says that nothing more will be sent. It implements server.Transport.
func (c *conn) Close() error {
	c.nc.SetReadDeadline(time.Now().Add(lingerFor))
	if h, ok := c.nc.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return c.nc.Close()
}

// Abort implements server.Transport.
func (c *conn) Abort() { c.nc.Close() }

const (
	lingerFor = 2 * time.Second
	lastWrite = 2 * time.Second
)

// hangUp ends the stream with a fault. It does not wait.
func (c *conn) hangUp(f *stream.Fault) {
	c.cut.CompareAndSwap(nil, f)
	c.nc.SetReadDeadline(time.Unix(1, 0))
}

// read reads once into the scanner.
func (c *conn) read() error {
	if err := c.pause(); err != nil {
		return err
	}
	n, err := c.nc.Read(c.sc.Space())
	c.sc.Filled(n)
	c.bucket.Took(n)
	switch {
	case n > 0:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		if f := c.cut.Load(); f != nil {
			return f
		}
		return errTimeout
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// pause holds back a component that sends too fast; being cut off ends it.
func (c *conn) pause() error {
	const step = 50 * time.Millisecond
	for d := c.bucket.Debt(time.Since(c.s.began)); ; d -= step {
		if f := c.cut.Load(); f != nil {
			return f
		}
		if d <= 0 {
			return nil
		}
		time.Sleep(min(d, step))
	}
}

// next returns the next element of the stream.
func (c *conn) next() (*stanza.Stanza, error) {
	for {
		st, err := c.sc.Next()
		if err != stream.Short {
			return st, err
		}
		if err := c.read(); err != nil {
			return nil, err
		}
	}
}

// stanzas takes in what the component sends. It always returns an error: why there
// is no more.
func (c *conn) stanzas(ctx context.Context) error {
	for {
		st, err := c.next()
		if err != nil {
			return err
		}
		if st, err = incoming(st); err != nil {
			return err
		}
		if st.Kind == stanza.Other || string(st.Name.Space) != stanza.NSClient {
			return errUnsupported
		}
		if st.Lang == nil {
			st.Inherits = c.lang // RFC 6120 §8.1.5
		}
		if err := c.annex.Handle(ctx, st); err != nil {
			return err
		}
	}
}

// finish ends the connection. What is said about the stream comes after all that
// was sent.
func (c *conn) finish(err error) {
	var f *stream.Fault
	var last []byte
	switch {
	case errors.As(err, &f):
		last = append(f.Append(nil), "</stream:stream>"...)
	case err == stream.End:
		last = []byte("</stream:stream>")
	}
	c.nc.SetWriteDeadline(time.Now().Add(lastWrite))
	if l := c.link.Load(); l != nil {
		c.s.log.Info("a component has gone", "jid", c.annex.Name(), "peer", c.addr, "why", err)
		c.annex.Detach(l)
		if last == nil {
			c.nc.Close()
		} else {
			l.Finish(last)
		}
		defer l.End()
	} else {
		c.s.log.Debug("no component", "peer", c.addr, "why", err)
		if last != nil {
			if !c.said {
				last = append(c.header(), last...) // RFC 6120 §4.9.1.2
			}
			c.nc.Write(last)
		}
		c.Close()
	}
	c.linger()
}

// linger discards what the component still sends after our last words, lest it
// lose them to a reset.
func (c *conn) linger() {
	c.nc.SetReadDeadline(time.Now().Add(lingerFor))
	io.CopyN(io.Discard, c.nc, 1<<20)
	c.nc.Close()
}

// stuck reports whether the component has not taken anything of what is sent to it
// for too long.
func (c *conn) stuck(l *server.Link, now time.Time) bool {
	sent, writing := l.Progress()
	if !writing || sent != c.seen || c.since.IsZero() {
		c.seen, c.since = sent, now
		return false
	}
	return now.Sub(c.since) > stuckFor
}

// stuckFor is how long a component may leave what is sent to it unread.
const stuckFor = time.Minute
