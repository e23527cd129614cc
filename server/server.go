package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// Accounts knows who has an account here.
type Accounts interface {
	// Lookup returns the number that the account is stored under.
	Lookup(ctx context.Context, j jid.Bare) (id int64, ok bool, err error)
}

// Options are what a server is made of.
type Options struct {
	Config   Config
	Accounts Accounts
	Keeper   Keeper // nil: nothing is kept
	Features []Feature
	Version  string
	Log      *slog.Logger

	// Admit says whether an account may have a session: nil, [ErrDisabled], or
	// another error. Without it every account may.
	Admit func(ctx context.Context, a *Account) error

	// LastID is the highest archive id that was ever given. New ones are higher,
	// even if the clock was set back meanwhile.
	LastID int64
}

// Server routes stanzas between sessions. New starts nothing; its goroutines
// are those of the connections that use it.
type Server struct {
	// Fixed.
	cfg      Config
	domains  map[string]Domain
	annexes  map[string]*Annex
	accounts Accounts
	keeper   Keeper
	admit    func(context.Context, *Account) error
	reg      *Registry
	dir      *directory
	log      *slog.Logger
	version  string
	began    time.Time
	ctx      context.Context

	// Safe.
	ids     clock
	bars    atomic.Uint64 // counts accounts that were barred
	blotter blotter
	flusher flusher
	tasks   sync.WaitGroup // timers of hibernating sessions, and what runs beside
}

// New makes a server. ctx is for work that no connection waits for; it is to be
// cancelled after Stop.
func New(ctx context.Context, o Options) *Server {
	srv := &Server{
		cfg: o.Config, domains: map[string]Domain{}, annexes: map[string]*Annex{}, accounts: o.Accounts, keeper: o.Keeper, admit: o.Admit,
		dir: newDirectory(), log: o.Log, version: o.Version, began: time.Now(), ctx: ctx,
	}
	srv.ids.last.Store(o.LastID)
	if srv.log == nil {
		srv.log = slog.New(slog.DiscardHandler)
	}
	for _, d := range o.Config.Domains {
		srv.domains[d.Name] = d
	}
	for _, name := range o.Config.Annexes {
		srv.annexes[name] = &Annex{name: name, srv: srv}
	}
	srv.reg = &Registry{srv: srv, iq: map[iqKey]Answerer{}, nodes: map[nodeKey]Node{}}
	for _, f := range o.Features {
		srv.reg.infos = append(srv.reg.infos, f.Info())
		f.Register(srv.reg)
	}
	return srv
}

// Context returns the context for work that no connection waits for.
func (srv *Server) Context() context.Context { return srv.ctx }

// Beside runs f on a goroutine of its own, which Stop waits for: f is not to take
// long.
func (srv *Server) Beside(f func()) { srv.tasks.Go(f) }

// Log returns the server's log.
func (srv *Server) Log() *slog.Logger { return srv.log }

// Version returns the program's version.
func (srv *Server) Version() string { return srv.version }

// Began returns when the server was made.
func (srv *Server) Began() time.Time { return srv.began }

// Domain returns the domain of that canonical name, if it is served here.
func (srv *Server) Domain(name string) (Domain, bool) {
	d, ok := srv.domains[name]
	return d, ok
}

// Domains returns the served domains in the order of the configuration.
func (srv *Server) Domains() []Domain { return srv.cfg.Domains }

// StreamFeatures returns what the features add to those of an authenticated
// stream.
func (srv *Server) StreamFeatures(domain string) []byte {
	var b []byte
	for _, f := range srv.reg.streams {
		b = append(b, f(domain)...)
	}
	return b
}

// Node returns what answers service discovery of a node, if a feature has it.
func (srv *Server) Node(t Target, node string) (n Node, ok bool) {
	n, ok = srv.reg.nodes[nodeKey{t, node}]
	return n, ok
}

// Infos returns what the features say of themselves, in order.
func (srv *Server) Infos() []Info { return srv.reg.infos }

// Connected returns the account if it has sessions, else nil.
func (srv *Server) Connected(j jid.Bare) *Account { return srv.dir.lookup(j) }

// Account returns a local account, connected or not.
func (srv *Server) Account(ctx context.Context, j jid.Bare) (a *Account, ok bool, err error) {
	if a := srv.dir.lookup(j); a != nil {
		return a, true, nil
	}
	if _, here := srv.domains[j.Domain()]; !here || j.IsDomain() {
		return nil, false, nil
	}
	id, ok, err := srv.accounts.Lookup(ctx, j)
	if err != nil || !ok {
		return nil, false, err
	}
	a = NewAccount(j, id)
	f, err := srv.filterOf(ctx, a)
	if err != nil {
		return nil, false, err
	}
	a.SetFilter(f)
	return a, true, nil
}

// EachSession calls f for all sessions.
func (srv *Server) EachSession(f func(*Session)) { srv.dir.each(f) }

var errConflict = &stream.Fault{Condition: mellium.Conflict, Text: "replaced by a new connection"}

// Bind makes a session for an authenticated account, for the goroutine that
// reads the connection, which is to call Release in the end. A session that has the
// resource already is cut off (RFC 6120 §7.7.2.2: the newer one wins). The error
// is that of [Server.Admit] if the account may not have one any more.
func (srv *Server) Bind(ctx context.Context, account *Account, resource string, c Connection) (*Session, error) {
	s := &Session{
		JID: account.JID.With(resource), srv: srv, conn: c, began: time.Now().Unix(),
	}
	s.full = stanza.Escape(s.JID.String())
	s.out.limit = srv.cfg.OutboxBytes
	s.out.owner = s
	s.out.flusher = &srv.flusher
	s.out.use(c)
	f, err := srv.filterOf(ctx, account)
	if err != nil {
		return nil, err
	}
	for {
		taken, err := srv.dir.add(s, account.ID, f, srv.cfg.SessionsPerAccount)
		if err != nil {
			return nil, err
		}
		if taken == nil {
			break
		}
		taken.HangUp(errConflict)
		select {
		case <-taken.ended():
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	// Whoever bars an account does so first, and then ends the sessions that it
	// finds. So looking comes after being found.
	if !srv.admitted(account) {
		if err := srv.Admit(ctx, account); err != nil {
			s.end(ctx, nil) // nobody has heard of it
			return nil, err
		}
	}
	for _, f := range srv.reg.bound {
		f(s)
	}
	return s, nil
}

// Added tells the server that accounts were made.
func (srv *Server) Added(ctx context.Context, all ...jid.Bare) {
	for _, f := range srv.reg.added {
		f(ctx, all...)
	}
}

// Removing tells the server that an account is about to be removed.
func (srv *Server) Removing(ctx context.Context, j jid.Bare, id int64) {
	for _, f := range srv.reg.removing {
		f(ctx, NewAccount(j, id))
	}
}

// Removed tells the server that an account is no more: its sessions are cut
// off and the features forget it.
func (srv *Server) Removed(j jid.Bare, id int64) {
	a := srv.dir.lookup(j)
	if a == nil {
		a = NewAccount(j, id)
	}
	srv.Bar(j, &stream.Fault{Condition: mellium.NotAuthorized, Text: "the account was removed"})
	for _, f := range srv.reg.removed {
		f(a)
	}
}

// Changed tells the server that an account's data were changed in the database
// by somebody else, as by an import: the features forget what they remember of
// it. Its sessions end, since their clients know the account as it was; they
// come back by themselves (RFC 6120 §4.9.3.16).
func (srv *Server) Changed(j jid.Bare, id int64) {
	a := srv.dir.lookup(j)
	if a == nil {
		a = NewAccount(j, id)
	}
	for _, f := range srv.reg.changed {
		f(a)
	}
	srv.Bar(j, &stream.Fault{Condition: mellium.Reset, Text: "the account was changed; connect again"})
}

// Stop ends all sessions: those with a connection are told that the system
// shuts down. It returns when all are over or ctx is done.
func (srv *Server) Stop(ctx context.Context) error {
	fault := &stream.Fault{Condition: mellium.SystemShutdown}
	var all []*Session
	srv.dir.each(func(s *Session) { all = append(all, s) })
	done := make(chan struct{})
	go func() { // a session that was kept ends in HangUp, which may take its time
		defer close(done)
		for _, s := range all {
			s.HangUp(fault)
		}
		for _, s := range all {
			<-s.ended()
		}
		srv.tasks.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("server: some sessions did not end in time")
	}
}
