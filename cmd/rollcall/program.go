package main

import (
	"context"
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
	"rollcall/internal/assembly"
	"rollcall/server/c2s"
	"rollcall/storage"
)

// program is a server that is put together. It is built, run once and closed.
type program struct {
	// Fixed before run.
	log    *slog.Logger
	level  *slog.LevelVar
	reread func() (*config.Config, error)
	out    io.Writer
	db     *storage.DB
	parts  *assembly.Assembly
	people []demoAccount // of the demonstration; nil without one
	phones []demoDevice

	// work is for everything that goes on until the sessions have ended, which
	// is later than the signal to stop.
	work    context.Context
	endWork context.CancelFunc

	// Owned by run.
	cfg    *config.Config
	opened []opened // in the order in which they were opened
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
		err = p.assemble(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// openStorage opens the database and brings it up to date.
func (p *program) openStorage(ctx context.Context) (*storage.DB, error) {
	db, err := openMigrated(ctx, p.cfg, p.log)
	if err == nil {
		p.onClose("the database", db.Close)
	}
	return db, err
}

// openMigrated opens a database and brings it up to date.
func openMigrated(ctx context.Context, cfg *config.Config, log *slog.Logger) (*storage.DB, error) {
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return nil, err
	}
	done, err := db.Migrate(ctx)
	for _, m := range done {
		log.Info("the database was migrated", "version", m.Version, "name", m.Name)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// assemble makes the server of its parts.
func (p *program) assemble(ctx context.Context, db *storage.DB) error {
	streams, err := streamsConfig(p.cfg, time.Now())
	if err != nil {
		return err
	}
	p.parts, err = assembly.New(ctx, p.work, assembly.Options{
		Config: p.cfg, Streams: streams, DB: db, Version: version, Log: p.log,
	})
	if err != nil {
		return err
	}
	p.db = db
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

// addDemo makes the accounts and devices of the demonstration.
func (p *program) addDemo(ctx context.Context) error {
	d, err := newDemo(p.cfg, p.parts.Desk, p.db.Accounts(), p.parts.Book, p.parts.Devices)
	if err != nil {
		return err
	}
	if p.people, err = d.run(ctx); err != nil {
		return err
	}
	p.phones, err = d.addDevices(ctx)
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
	beside, endBeside := context.WithCancel(p.work)
	behind, endBehind := context.WithCancel(p.work)
	var serving, running sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() { fail(failed, p.serve(l)) })
	}
	control := p.control()
	serving.Go(func() { fail(failed, control.run(beside, socket)) })
	serving.Go(func() { tidy(beside) })
	running.Go(func() { fail(failed, p.parts.Run(behind)) })

	p.ready(listeners)
	err = p.wait(ctx, hup, failed)

	for _, l := range listeners {
		l.Close()
	}
	endBeside()
	err = errors.Join(err, p.stop(ctx))
	serving.Wait()
	endBehind() // after the sessions: what they left is stored
	running.Wait()
	return errors.Join(err, p.close())
}

// serve takes connections from a listener until it is closed.
func (p *program) serve(l listener) error {
	if l.component {
		return p.parts.Components.Serve(p.work, l)
	}
	return p.parts.Streams.Serve(p.work, l, l.direct)
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
	return &control{desk: p.parts.Desk, mover: p.parts.Mover(), log: p.log, status: status{
		Version: version, PID: os.Getpid(), Started: time.Now(),
		Addresses: slices.Concat(p.cfg.C2S.Listen, p.cfg.C2S.ListenTLS, p.cfg.ComponentAddresses(), p.cfg.SIPAddresses()),
	}}
}

// wait waits for the end: a signal, an order, or a listener that failed.
func (p *program) wait(ctx context.Context, hup <-chan os.Signal, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.parts.Desk.Stopping():
			p.log.Info("stopping, as ordered")
			return nil
		case err := <-failed:
			return err
		case <-hup:
			p.cfg = reloading{p.reread, p.parts.Streams, p.parts.Configure, p.level, p.log}.reload(p.cfg)
		}
	}
}

// stop ends all sessions in good order, within the deadline.
func (p *program) stop(ctx context.Context) error {
	p.log.Info("stopping", "deadline", p.cfg.Server.ShutdownDeadline)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Server.ShutdownDeadline)
	defer cancel()
	if err := p.parts.Stop(ctx); err != nil {
		return err
	}
	p.log.Info("stopped")
	return nil
}
