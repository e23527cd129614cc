// Package component is the stream between the server and a component: a program
// that serves a domain of its own, such as a gateway (XEP-0114, the protocol
// jabber:component:accept).
//
// What a component sends is scanned whole before it goes anywhere, as everything
// is, and it speaks for its own domain and for nobody else. What is for it waits in
// a bounded outbox, as for a client; but nothing is kept for one that is not there.
package component

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"rollcall/server"
	"rollcall/xmpp/sasl"
)

// NSAccept is the namespace of a component's stream.
const NSAccept = "jabber:component:accept"

// Server serves the streams of components. It is a feature of the server whose
// annexes they serve.
type Server struct {
	// Fixed.
	cfg     Config
	domains map[string]*Domain
	srv     *server.Server
	log     *slog.Logger
	began   time.Time

	// Safe.
	throttle *sasl.Throttle
	wg       sync.WaitGroup

	mu       sync.Mutex // guards what follows
	conns    map[*conn]struct{}
	arrivals server.Arrivals
	closed   bool
}

// New makes a server of components. It reads all secrets once, to find out in time
// what is wrong with one.
func New(cfg Config, log *slog.Logger) (*Server, error) {
	s := &Server{
		cfg: cfg, domains: map[string]*Domain{}, log: log, began: time.Now(),
		throttle: sasl.NewThrottle(cfg.BackoffAfter, cfg.BackoffMax, throttled), conns: map[*conn]struct{}{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var wrong []error
	for i := range cfg.Domains {
		d := &cfg.Domains[i]
		s.domains[d.Name] = d
		if _, err := d.secret(); err != nil {
			wrong = append(wrong, errors.New("the secret of the component "+d.Name+": "+err.Error()))
		}
	}
	return s, errors.Join(wrong...)
}

// throttled is how many addresses are kept an eye on.
const throttled = 1 << 12

// Info implements server.Feature.
func (*Server) Info() server.Info {
	return server.Info{
		Name: "component", Title: "Programs that serve domains of their own",
		Specs: []server.Spec{{ID: "XEP-0114", Note: "connections that components make"}},
	}
}

// Register implements server.Feature.
func (s *Server) Register(r *server.Registry) { s.srv = r.Server() }

// Serve takes connections from a listener until it is closed.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return server.Accept(ctx, ln, s.log, func(nc net.Conn) { s.ServeConn(ctx, nc) })
}

// ServeConn serves one connection in the background.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	c := newConn(s, nc)
	if f := s.admit(c); f != nil {
		if f != errShutdown {
			s.srv.Offend(server.Offence{What: "a component was refused", Why: f.Text, Peer: c.addr})
		}
		nc.Close()
		return
	}
	s.wg.Go(func() { c.run(ctx) })
}

// Run finds components that take nothing of what is sent to them, until ctx is
// done.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s.watch(now)
		}
	}
}

const watchEvery = 5 * time.Second

func (s *Server) watch(now time.Time) {
	s.mu.Lock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		if l := c.link.Load(); l != nil && c.stuck(l, now) {
			s.log.Warn("a component takes nothing", "jid", c.annex.Name(), "peer", c.addr)
			c.Abort()
		}
	}
}

// Stop tells all components that the system shuts down, and waits for their
// connections to end, or for ctx.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.hangUp(errShutdown)
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { s.wg.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.New("component: some connections did not end in time")
	}
}
