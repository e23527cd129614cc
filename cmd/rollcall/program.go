package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"rollcall/config"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/features/archive"
	"rollcall/server/features/offline"
	"rollcall/server/features/register"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// program is a server that is put together. It is built, run once and closed.
type program struct {
	// Fixed before run.
	log     *slog.Logger
	level   *slog.LevelVar
	reread  func() (*config.Config, error)
	out     io.Writer
	parts   *parts
	server  *server.Server
	runners []runner      // the features that have work of their own
	people  []demoAccount // of the demonstration; nil without one

	// work is for everything that goes on until the sessions have ended, which
	// is later than the signal to stop.
	work    context.Context
	endWork context.CancelFunc

	// Owned by run.
	cfg    *config.Config
	opened []opened // in the order in which they were opened
}

// runner is a feature that has work of its own beside its handlers. Run returns
// when ctx is done, after all that it started.
type runner interface {
	Run(ctx context.Context) error
}

// opened is something to be closed in the end, the last one first.
type opened struct {
	what  string
	close func() error
}

func (p *program) onClose(what string, f func() error) { p.opened = append(p.opened, opened{what, f}) }

// close closes everything in reverse.
func (p *program) close() error {
	var errs []error
	for _, o := range slices.Backward(p.opened) {
		if err := o.close(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", o.what, err))
		}
	}
	p.opened = nil
	return errors.Join(errs...)
}

// build puts a server together. It opens files and the database, and listens
// on nothing yet.
func build(ctx context.Context, cfg *config.Config, log *slog.Logger) (*program, error) {
	p := &program{log: log, cfg: cfg}
	p.work, p.endWork = context.WithCancel(context.WithoutCancel(ctx))
	p.onClose("what goes on", func() error { p.endWork(); return nil })
	db, err := p.openStorage(ctx)
	if err == nil {
		err = p.makeParts(ctx, db)
	}
	if err == nil {
		err = p.makeServer(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// openStorage opens the database and brings it up to date.
func (p *program) openStorage(ctx context.Context) (*storage.DB, error) {
	db, err := openDatabase(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	p.onClose("the database", db.Close)
	done, err := db.Migrate(ctx)
	for _, m := range done {
		p.log.Info("the database was migrated", "version", m.Version, "name", m.Name)
	}
	return db, err
}

// secret returns what the server keeps to itself under a name: random bytes that
// it made when it first needed them, and that have to stay the same.
func (p *program) secret(ctx context.Context, name string, size int) ([]byte, error) {
	return p.parts.db.Setting(ctx, name, func() ([]byte, error) {
		b := make([]byte, size)
		_, err := rand.Read(b)
		return b, err
	})
}

// makeParts makes what the features are made of.
func (p *program) makeParts(ctx context.Context, db *storage.DB) error {
	p.parts = &parts{
		cfg: p.cfg, db: db,
		book:         roster.NewBook(db.Rosters(), p.cfg.Roster),
		accounts:     newAccounts(db, p.cfg),
		registration: register.New(db.Registrations(p.cfg.C2S.Auth.Iterations), p.cfg.Registration),
		writer:       db.NewWriter(p.log),
	}
	waiting := db.Offline(p.parts.writer)
	p.parts.offline = offline.New(p.cfg.Offline, offline.Parts{Store: waiting, Sweeper: waiting})
	key, err := p.secret(ctx, "archive.ids", archive.KeySize)
	if err != nil {
		return err
	}
	if p.parts.archiveIDs, err = archive.NewIDs(key); err != nil {
		return err
	}
	return p.makeStreams(ctx)
}

// makeStreams makes what serves connections.
func (p *program) makeStreams(ctx context.Context) error {
	secret, err := p.secret(ctx, "sasl.secret", 32)
	if err != nil {
		return err
	}
	streams, err := streamsConfig(p.cfg, time.Now())
	if err != nil {
		return err
	}
	p.parts.streams, err = c2s.New(c2s.Options{
		Config: streams, Users: users{p.parts.db.Accounts()}, Secret: secret, Registrar: p.parts.registration, Log: p.log,
	})
	return err
}

// makeServer makes the server with its features.
func (p *program) makeServer(ctx context.Context) error {
	last, err := p.parts.db.LastID(ctx)
	if err != nil {
		return err
	}
	list := features(p.parts)
	for _, f := range list {
		if r, ok := f.(runner); ok {
			p.runners = append(p.runners, r)
		}
	}
	p.server = server.New(p.work, server.Options{
		Config: p.cfg.Server, Accounts: users{p.parts.db.Accounts()}, Keeper: p.parts.writer, Features: list,
		Version: version, Log: p.log, LastID: last,
	})
	p.parts.accounts.removed = func(who jid.Bare, id storage.AccountID) {
		p.server.Removed(who, int64(id))
	}
	return nil
}

// streamsConfig is the configuration of streams, with a self-signed certificate
// where there has to be one.
func streamsConfig(cfg *config.Config, now time.Time) (c2s.Config, error) {
	streams := cfg.C2S
	if !cfg.NeedsSelfSigned() {
		return streams, nil
	}
	var domains []string
	for _, d := range cfg.Server.Domains {
		domains = append(domains, d.Name)
	}
	pair, err := selfSigned(cfg.TLSDir(), domains, now)
	streams.Certificates = []c2s.Certificate{pair}
	return streams, err
}

// addDemo makes the accounts of the demonstration.
func (p *program) addDemo(ctx context.Context) error {
	d, err := newDemo(p.cfg, p.parts.accounts, p.parts.book)
	if err != nil {
		return err
	}
	p.people, err = d.run(ctx)
	return err
}

// run serves until ctx is done, or until something fails, and then stops in
// reverse.
func (p *program) run(ctx context.Context) error {
	socket, err := listenControl(p.cfg.ControlSocket())
	if err != nil {
		return errors.Join(err, p.close())
	}
	p.onClose("the control socket", ignoreClosed(socket.Close))
	listeners, err := p.listen(ctx)
	if err != nil {
		return errors.Join(err, p.close())
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	failed := make(chan error, 1)
	p.onClose("the writer of messages", p.startWriter(failed))
	beside, endBeside := context.WithCancel(p.work)
	var serving sync.WaitGroup
	start := func(f func() error) { serving.Go(func() { fail(failed, f()) }) }
	for _, l := range listeners {
		start(func() error { return p.parts.streams.Serve(p.work, l, l.direct) })
	}
	for _, r := range p.runners {
		start(func() error { return r.Run(beside) })
	}
	control := p.control()
	start(func() error { return control.run(beside, socket) })
	serving.Go(func() { p.parts.streams.Watch(beside) })
	serving.Go(func() { tidy(beside) })

	p.ready(listeners)
	err = p.wait(ctx, hup, failed)

	for _, l := range listeners {
		l.Close()
	}
	endBeside()
	err = errors.Join(err, p.stop(ctx))
	serving.Wait()
	return errors.Join(err, p.close())
}

// fail reports that something that should go on did not. The first to fail stops
// the server; what fails after it is most likely because of that.
func fail(failed chan<- error, err error) {
	if err == nil {
		return
	}
	select {
	case failed <- err:
	default:
	}
}

// control makes what answers the control socket.
func (p *program) control() *control {
	return &control{ledger: p.parts.accounts, log: p.log, status: status{
		Version: version, PID: os.Getpid(), Started: time.Now(),
		Addresses: slices.Concat(p.cfg.C2S.Listen, p.cfg.C2S.ListenTLS),
	}}
}

// startWriter starts what stores messages. It is stopped when all sessions have
// ended, and then stores what they left.
func (p *program) startWriter(failed chan<- error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		fail(failed, p.parts.writer.Run(ctx, outcome{p.server, p.parts.offline}))
	}()
	return func() error {
		cancel()
		<-done
		return nil
	}
}

// wait waits for the end: a signal, or a listener that failed.
func (p *program) wait(ctx context.Context, hup <-chan os.Signal, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-hup:
			p.reload()
		}
	}
}

// stop ends all sessions in good order, within the deadline.
func (p *program) stop(ctx context.Context) error {
	p.log.Info("stopping", "deadline", p.cfg.Server.ShutdownDeadline)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Server.ShutdownDeadline)
	defer cancel()
	p.parts.streams.StopAccepting()
	err := p.server.Stop(ctx)
	ended := make(chan struct{})
	go func() { p.parts.streams.Wait(); close(ended) }()
	select {
	case <-ended:
		p.log.Info("stopped")
	case <-ctx.Done():
		p.log.Warn("some connections did not end in time and are cut off")
	}
	return err
}
