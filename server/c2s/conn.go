package c2s

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/server"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// conn is one connection of a client.
type conn struct {
	// Fixed.
	s      *Server
	raw    net.Conn
	number uint64        // no other connection had it since the server was made
	began  time.Duration // since the server was made
	addr   netip.Addr
	direct bool // it began with TLS

	// Safe.
	session atomic.Pointer[server.Session]
	proven  atomic.Pointer[proof]        // nil until the client has logged in
	cut     atomic.Pointer[stream.Fault] // why the stream is to end
	in, out atomic.Uint64                // bytes, before encryption
	cipher  atomic.Uint32                // of TLS, and above it the version; 0 without
	pinged  atomic.Bool
	resting atomic.Bool // idle for long, and read by a goroutine with a small stack

	// Owned by the goroutine that watches.
	seen  uint64        // bytes sent at the last look
	since time.Duration // the server was made; 0: nothing was seen yet

	// Owned by the goroutine that negotiates, then by the one that reads.
	nc      net.Conn // raw, or TLS over it
	tls     *tls.Conn
	cert    *tls.Certificate // what was shown to this client
	sc      *stream.Scanner
	space   string
	root    []stanza.Prefix
	domain  string
	lang    string
	said    bool // our stream header was sent
	bucket  server.Bucket
	wait    *socket // raw, once a session reads it
	managed bool    // XEP-0198 is on
}

func newConn(s *Server, nc net.Conn, direct bool) *conn {
	c := &conn{s: s, raw: nc, nc: nc, direct: direct, number: s.last.Add(1), began: s.clock()}
	if t, ok := nc.(*net.TCPConn); ok {
		c.raw = newSocket(c, t)
		c.nc = c.raw
	}
	if ap, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		c.addr = ap.Addr().Unmap()
	}
	if t, ok := nc.(*net.TCPConn); ok {
		server.UserTimeout(t, s.cfg.KeepAlive.TCPUserTimeout)
	}
	return c
}

// clock returns how long ago the server was made.
func (s *Server) clock() time.Duration { return time.Since(s.began) }

// network is what counts as one address with the client's.
func (c *conn) network() netip.Prefix { return server.Network(c.addr) }

// loopback reports whether the client is on this machine; a pipe is.
func (c *conn) loopback() bool { return !c.addr.IsValid() || c.addr.IsLoopback() }

// Peer implements server.Known. It is for a connection that has a session.
func (c *conn) Peer() server.Peer {
	p := server.Peer{Addr: c.addr}
	if known := c.proven.Load(); known != nil {
		p.Mechanism = known.mechanism
	}
	if c.tls != nil {
		p.TLS = c.tls.ConnectionState().Version
	}
	return p
}

// Write implements server.Transport.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.nc.Write(b)
	c.out.Add(uint64(n))
	return n, err
}

// Tries implements server.Trier: TLS has to write whole records, and may wait.
func (c *conn) Tries() bool {
	_, ok := c.raw.(*socket)
	return ok && c.tls == nil && canTry
}

// TryWrite implements server.Trier.
func (c *conn) TryWrite(b []byte) (int, error) {
	n, err := c.raw.(*socket).tryWrite(b)
	c.out.Add(uint64(n))
	return n, err
}

// Close says that nothing more will be sent. The reader takes what is still
// under way, lest the client lose our last words to a reset, and then closes.
func (c *conn) Close() error {
	c.raw.SetReadDeadline(time.Now().Add(lingerFor))
	if c.tls != nil {
		c.tls.CloseWrite()
	}
	if h, ok := c.raw.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return c.raw.Close()
}

// Abort implements server.Transport.
func (c *conn) Abort() { c.raw.Close() }

const (
	lingerFor = 2 * time.Second
	lastWrite = 2 * time.Second
)

// HangUp implements server.Connection.
func (c *conn) HangUp(f *stream.Fault) {
	if f == nil {
		c.raw.Close()
		return
	}
	c.cut.CompareAndSwap(nil, f)
	c.wake()
}

// wake makes a blocked read return.
func (c *conn) wake() { c.raw.SetReadDeadline(time.Unix(1, 0)) }

var scanners = sync.Pool{New: func() any { return stream.New(stream.DefaultLimits) }}

func (l Stanza) scanner() stream.Limits {
	return stream.Limits{Stanza: l.Bytes, Tag: min(l.Bytes, maxTag), Depth: l.Depth, Attrs: l.Attributes, Namespaces: l.Namespaces}
}

const maxTag = 16 << 10

// take returns the connection's scanner, from the pool if it has none.
func (c *conn) take() *stream.Scanner {
	if c.sc == nil {
		c.sc = scanners.Get().(*stream.Scanner)
		l := c.s.limits.Load().BeforeAuth
		if c.session.Load() != nil {
			l = c.s.limits.Load().AfterAuth
		}
		c.sc.Reset(l.scanner(), c.space, c.root)
	}
	return c.sc
}

// rest gives the scanner back if it holds nothing.
func (c *conn) rest() {
	if c.sc != nil && c.sc.Idle() {
		scanners.Put(c.sc)
		c.sc = nil
	}
}

// fill reads once into the scanner. While it waits, an idle connection holds no
// buffer.
func (c *conn) fill() error {
	if c.wait != nil {
		return c.wait.fill()
	}
	n, err := c.nc.Read(c.take().Space())
	c.sc.Filled(n)
	c.took(n)
	return errUnless(n, err)
}

// took counts what was read.
func (c *conn) took(n int) {
	c.bucket.Took(n)
	c.in.Add(uint64(n))
}

func errUnless(n int, err error) error {
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}
