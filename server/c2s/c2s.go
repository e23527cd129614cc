// Package c2s is the stream between the server and a client: RFC 6120 §4–§7,
// RFC 7590, stream management (XEP-0198), client state (XEP-0352), direct TLS
// (XEP-0368) and the channel bindings of XEP-0440.
//
// One goroutine negotiates a stream; once a resource is bound a fresh one, with
// a small stack, reads it. Buffers are there only while there is something in
// them.
package c2s

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/server"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

// Users proves who people are.
type Users interface {
	sasl.Credentials
	server.Accounts
}

// Registrar lets people without an account make one (XEP-0077).
type Registrar interface {
	// StreamFeature returns what to add to the features of a stream that is
	// not authenticated; nil while registration is closed.
	StreamFeature(domain string) []byte
	// Unauthenticated answers a request; handled is false if it is not for it.
	Unauthenticated(ctx context.Context, domain string, from netip.Addr, st *stanza.Stanza) (reply []byte, handled bool)
}

// Options are what client connections need.
type Options struct {
	Config    Config
	Users     Users
	Secret    []byte    // for the made-up salts of users who don't exist
	Registrar Registrar // nil: accounts are made elsewhere
	Directory Directory
	Log       *slog.Logger
}

// Directory is who checks passwords at the domains of a directory
// (server.Domain.Directory). Without it these are as others.
type Directory struct {
	Passwords sasl.Passwords

	// SCRAM offers SCRAM there too. It lets in only who has a password here; others
	// have to have a client that tries PLAIN next.
	SCRAM bool
}

// Server serves the streams of clients. It is a feature of the server that its
// sessions are bound at.
type Server struct {
	// Fixed.
	cfg       Config
	users     Users
	secret    []byte
	registrar Registrar
	directory Directory
	log       *slog.Logger
	srv       *server.Server
	began     time.Time

	// Safe.
	limits    atomic.Pointer[Limits]
	auth      atomic.Pointer[Auth]
	certs     certificates
	tls       atomic.Pointer[tls.Config] // for STARTTLS
	directTLS atomic.Pointer[tls.Config]
	throttle  *sasl.Throttle
	resumable resumables
	refusing  atomic.Int32
	last      atomic.Uint64 // number of a connection
	wg        sync.WaitGroup

	mu       sync.Mutex // guards what follows
	conns    map[*conn]struct{}
	byAddr   map[netip.Prefix]int
	arrivals server.Arrivals
	closed   bool
}

// New makes a server of streams; its certificates are read.
func New(o Options) (*Server, error) {
	s := &Server{
		cfg: o.Config, users: o.Users, secret: o.Secret, registrar: o.Registrar, directory: o.Directory, log: o.Log,
		began: time.Now(),
		conns: map[*conn]struct{}{}, byAddr: map[netip.Prefix]int{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.limits.Store(&o.Config.Limits)
	s.auth.Store(&o.Config.Auth)
	s.throttle = newThrottle(o.Config.Auth)
	err := s.certs.load(o.Config)
	s.renewTLS()
	return s, err
}

// Reload takes over what may change while running: certificates, limits, and
// how people log in. Streams go on; new ones see the change.
func (s *Server) Reload(c Config) error {
	if err := s.certs.load(c); err != nil {
		return err
	}
	s.renewTLS()
	s.limits.Store(&c.Limits)
	s.auth.Store(&c.Auth)
	return nil
}

// Info implements server.Feature.
func (s *Server) Info() server.Info {
	return server.Info{Name: "c2s", Title: "Logging in, encrypted and resumable streams", Specs: []server.Spec{
		{ID: "RFC 6120"}, {ID: "RFC 7590"}, {ID: "RFC 7622"},
		{ID: "RFC 5802", Note: "SCRAM-SHA-1, -256, -512 and -PLUS"}, {ID: "RFC 9266"}, {ID: "XEP-0175"},
		{ID: "XEP-0198"}, {ID: "XEP-0352"}, {ID: "XEP-0368"}, {ID: "XEP-0440"},
	}}
}

const (
	nsBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession = "urn:ietf:params:xml:ns:xmpp-session"
)

// Register implements server.Feature.
func (s *Server) Register(r *server.Registry) {
	s.srv = r.Server()
	// RFC 3921 §3, long obsolete, does nothing but is still asked for.
	session := func(context.Context, *server.Request) ([]byte, error) { return nil, nil }
	r.IQ(server.ToSelf, true, nsSession, "session", session)
	r.IQ(server.ToHost, true, nsSession, "session", session)
	// RFC 6120 §7: one resource a stream.
	again := func(context.Context, *server.Request) ([]byte, error) { return nil, stanza.ErrNotAllowed }
	r.IQ(server.ToSelf, true, nsBind, "bind", again)
	r.IQ(server.ToHost, true, nsBind, "bind", again)
	r.OnEnded(s.resumable.forget)
}

// Serve takes connections from a listener until it is closed; direct says that
// they begin with TLS.
func (s *Server) Serve(ctx context.Context, ln net.Listener, direct bool) error {
	return server.Accept(ctx, ln, s.log, func(nc net.Conn) { s.ServeConn(ctx, nc, direct) })
}

// ServeConn serves one connection in the background.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn, direct bool) {
	c := newConn(s, nc, direct)
	if refusal := s.admit(c); refusal != nil {
		s.turnAway(c, refusal, direct)
		return
	}
	s.wg.Go(func() { c.negotiate(ctx, direct) })
}

// Wait waits for all connections to end.
func (s *Server) Wait() { s.wg.Wait() }

// StopAccepting refuses new connections and ends those that have no session
// yet; the sessions end with server.Server.Stop.
func (s *Server) StopAccepting() {
	s.mu.Lock()
	s.closed = true
	var all []*conn
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		if c.session.Load() == nil {
			c.cut.Store(errShutdown)
			c.wake()
		}
	}
}
