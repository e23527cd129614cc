// Package world is the whole server as conversations meet it: every feature, a
// database in memory, and pipes in place of a network.
//
// The config lines of a conversation are lines of the configuration file, with
// a blank where the file has an equals sign, and are checked as such:
//
//	config archive.enabled false
//	config stream_management.resume_for "30s"
//
// Some defaults differ from those of the file: the domain is x, clients may log
// in without encryption, and the server does not ask idle clients whether they
// are there.
package world

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/config"
	"rollcall/internal/transcript"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/features/archive"
	"rollcall/server/features/offline"
	"rollcall/server/features/register"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// defaults are what conversations need not say.
var defaults = map[string]string{
	"server.domains":            `["` + transcript.Domain + `"]`,
	"c2s.plaintext_on_loopback": "true",
	"tls.self_signed":           `"never"`,
	"auth.iterations":           "4096", // the least; nothing here has to be slow
	"keepalive.idle_ping":       `"0s"`,
}

// World is one server.
type World struct {
	t            *testing.T
	log          *slog.Logger
	ctx          context.Context
	cancel       context.CancelFunc
	db           *storage.DB
	book         *roster.Book
	accounts     *storage.Accounts
	registration *register.Feature
	writer       *storage.Writer
	offline      *offline.Feature
	archiveIDs   *archive.IDs
	streams      *c2s.Server
	server       *server.Server
	beside       sync.WaitGroup // what runs beside the connections
	stopBeside   context.CancelFunc
}

// New makes a server for [transcript.Run]. Whatever cannot be made fails the
// test, and so does everything that the server logs as an error.
func New(t *testing.T, options map[string]string) transcript.World {
	cfg, err := configuration(options)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{t: t}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	if err := w.build(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// configuration reads the config lines as the configuration file is read.
func configuration(options map[string]string) (*config.Config, error) {
	all := maps.Clone(defaults)
	maps.Copy(all, options)
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&text, "%s = %s\n", key, all[key])
	}
	return config.Parse("the config lines", []byte(text.String()))
}

func (w *World) build(cfg *config.Config) (err error) {
	w.db, err = storage.Open(w.ctx, storage.Config{Driver: storage.SQLite, Path: storage.Memory})
	if err != nil {
		return err
	}
	if _, err := w.db.Migrate(w.ctx); err != nil {
		return err
	}
	w.accounts = w.db.Accounts()
	w.book = roster.NewBook(w.db.Rosters(), cfg.Roster)
	w.log = slog.New(&strict{slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}), w.t})
	w.writer = w.db.NewWriter(w.log)
	waiting := w.db.Offline(w.writer)
	w.offline = offline.New(cfg.Offline, offline.Parts{Store: waiting, Sweeper: waiting})
	if w.archiveIDs, err = archive.NewIDs(make([]byte, archive.KeySize)); err != nil {
		return err
	}
	w.registration = register.New(w.db.Registrations(cfg.C2S.Auth.Iterations), cfg.Registration)
	people := users{w.accounts}
	w.streams, err = c2s.New(c2s.Options{
		Config: cfg.C2S, Users: people, Secret: []byte("not much of one"), Registrar: w.registration, Log: w.log,
	})
	if err != nil {
		return err
	}
	list := features(w, cfg)
	w.server = server.New(w.ctx, server.Options{
		Config: cfg.Server, Accounts: people, Keeper: w.writer, Features: list, Version: "1.0", Log: w.log,
	})
	w.start(list)
	return nil
}

// start starts what runs beside the connections.
func (w *World) start(list []server.Feature) {
	var beside context.Context
	beside, w.stopBeside = context.WithCancel(context.Background())
	w.beside.Go(func() { w.streams.Watch(beside) })
	w.beside.Go(func() {
		if err := w.writer.Run(beside, outcome{w.server, w.offline}); err != nil {
			w.t.Error(err)
		}
	})
	for _, f := range list {
		if r, runs := f.(interface{ Run(context.Context) error }); runs {
			w.beside.Go(func() {
				if err := r.Run(beside); err != nil {
					w.t.Error(err)
				}
			})
		}
	}
}

// Dial implements transcript.World.
func (w *World) Dial() net.Conn {
	theirs, ours := net.Pipe()
	w.streams.ServeConn(w.ctx, ours, false)
	return theirs
}

// Close implements transcript.World. It stops the server as the program does.
func (w *World) Close() {
	w.streams.StopAccepting()
	stop, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	if err := w.server.Stop(stop); err != nil {
		w.t.Error(err)
	}
	w.streams.Wait()
	w.stopBeside() // after all who hand the writer something
	w.beside.Wait()
	w.cancel()
	if err := w.db.Close(); err != nil {
		w.t.Error(err)
	}
}

// AddAccount implements transcript.Directory.
func (w *World) AddAccount(name, password string) error {
	keys, err := derived(password)
	if err != nil {
		return err
	}
	_, err = w.accounts.Create(w.ctx, bare(name), keys)
	return err
}

// AddContact implements transcript.Directory. The owner's side goes the way
// that stanzas would have taken it (RFC 6121 §3).
func (w *World) AddContact(owner, contact, subscription string) error {
	who, whom := bare(owner), bare(contact)
	ignore := func(roster.Result) {}
	if subscription == "to" || subscription == "both" {
		if _, err := w.book.Outbound(w.ctx, who, whom, roster.Subscribe, ignore); err != nil {
			return err
		}
		if _, err := w.book.Inbound(w.ctx, who, whom, roster.Subscribed, nil, ignore); err != nil {
			return err
		}
	}
	if subscription == "from" || subscription == "both" {
		if _, err := w.book.Inbound(w.ctx, who, whom, roster.Subscribe, []byte("<presence type='subscribe'/>"), ignore); err != nil {
			return err
		}
		if _, err := w.book.Outbound(w.ctx, who, whom, roster.Subscribed, ignore); err != nil {
			return err
		}
	}
	return nil
}

func bare(name string) jid.Bare {
	if !strings.Contains(name, "@") {
		name += "@" + transcript.Domain
	}
	return jid.MustParse(name).Bare()
}

// derived are the keys of a password. Conversations use only one, which saves
// each the work of making them.
func derived(password string) (map[sasl.Hash]sasl.Keys, error) {
	if password != transcript.Password {
		return sasl.NewKeys(password, sasl.MinIterations)
	}
	return onlyPassword()
}

var onlyPassword = sync.OnceValues(func() (map[sasl.Hash]sasl.Keys, error) {
	return sasl.NewKeys(transcript.Password, sasl.MinIterations)
})

// users shows the accounts to those who let people in.
type users struct{ *storage.Accounts }

// Lookup implements server.Accounts.
func (u users) Lookup(ctx context.Context, who jid.Bare) (id int64, ok bool, err error) {
	n, ok, err := u.ID(ctx, who)
	return int64(n), ok, err
}

// strict fails the test on what somebody would have to act upon.
type strict struct {
	slog.Handler
	t *testing.T
}

// Handle implements slog.Handler.
func (s *strict) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		s.t.Errorf("the server logged an error: %s", r.Message)
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s *strict) WithAttrs(a []slog.Attr) slog.Handler { return &strict{s.Handler.WithAttrs(a), s.t} }

// WithGroup implements slog.Handler.
func (s *strict) WithGroup(name string) slog.Handler { return &strict{s.Handler.WithGroup(name), s.t} }

// outcome tells those concerned what became of messages to be stored.
type outcome struct {
	*server.Server
	*offline.Feature
}
