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
// are there. The database is in memory, unless storage.path says where else.
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
	"rollcall/directory"
	"rollcall/internal/assembly"
	"rollcall/internal/transcript"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/sipgw/siptest"
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
	t        testing.TB
	cfg      *config.Config
	ctx      context.Context
	cancel   context.CancelFunc
	db       *storage.DB
	parts    *assembly.Assembly
	end      context.CancelFunc // of what runs beside the connections
	beside   sync.WaitGroup
	accounts *storage.Accounts
	expected *expected
	sip      siptest.Network
	outside  bool // phones come by the machine's network
}

// New makes a server for [transcript.Run]. Whatever cannot be made fails the
// test, and so does everything that the server logs as an error.
func New(t *testing.T, options map[string]string) transcript.World { return open(t, options, false) }

// Outside is [New] for a server that phones reach by the machine's network, at
// sip.listen.
func Outside(t testing.TB, options map[string]string) *World { return open(t, options, true) }

func open(t testing.TB, options map[string]string, outside bool) *World {
	cfg, err := configuration(options)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{t: t, cfg: cfg, expected: new(expected), outside: outside}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	if err := w.build(); err != nil {
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

func (w *World) build() (err error) {
	path := storage.Memory // which has one connection for everybody; a file has more
	if w.cfg.Storage.Path != config.Default().Storage.Path {
		path = w.cfg.Storage.Path
	}
	w.db, err = storage.Open(w.ctx, storage.Config{Driver: storage.SQLite, Path: path})
	if err != nil {
		return err
	}
	if _, err := w.db.Migrate(w.ctx); err != nil {
		return err
	}
	w.accounts = w.db.Accounts()
	return w.start()
}

// start makes a server on the database and has it running.
func (w *World) start() (err error) {
	log := slog.New(&strict{slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}), w.t, w.expected})
	o := assembly.Options{Config: w.cfg, Streams: w.cfg.C2S, DB: w.db, Version: "1.0", Log: log}
	if !w.outside {
		o.SIP = &w.sip
	}
	w.parts, err = assembly.New(w.ctx, w.ctx, o)
	if err != nil {
		return err
	}
	if err := w.parts.Gateway.Listen(); err != nil {
		return err
	}
	var beside context.Context
	beside, w.end = context.WithCancel(context.Background())
	w.beside.Go(func() {
		if err := w.parts.Run(beside); err != nil {
			w.t.Error(err)
		}
	})
	parts := w.parts
	w.beside.Go(func() {
		select {
		case <-parts.Desk.Stopping(): // an administrator has ordered it
			w.stopParts(parts)
		case <-beside.Done():
		}
	})
	return nil
}

// ExpectErrors lets the server log errors that have these words in them, which
// fail the test otherwise.
func (w *World) ExpectErrors(words string) { w.expected.add(words) }

// Groups returns the shared groups.
func (w *World) Groups() *roster.Groups { return w.parts.Groups }

// Directory returns the directory that accounts come from, if there is one.
func (w *World) Directory() *directory.Directory { return w.parts.Directory }

// Streams returns what serves the connections, for tests that make their own.
func (w *World) Streams() *c2s.Server { return w.parts.Streams }

// Server returns what the sessions are bound at.
func (w *World) Server() *server.Server { return w.parts.Server }

// Dial implements transcript.World.
func (w *World) Dial() net.Conn {
	theirs, ours := net.Pipe()
	w.parts.Streams.ServeConn(w.ctx, ours, false)
	return theirs
}

// DialComponent implements transcript.Components.
func (w *World) DialComponent() net.Conn {
	theirs, ours := net.Pipe()
	w.parts.Components.ServeConn(w.ctx, ours)
	return theirs
}

// stopParts ends all streams as the program does.
func (w *World) stopParts(parts *assembly.Assembly) {
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	if err := parts.Stop(ctx); err != nil {
		w.t.Error(err)
	}
}

// stop ends the server as the program does.
func (w *World) stop() {
	w.stopParts(w.parts)
	w.end()
	w.beside.Wait()
}

// Restart implements transcript.Restarter.
func (w *World) Restart() {
	w.stop()
	if err := w.start(); err != nil {
		w.t.Fatal(err)
	}
}

// Close implements transcript.World.
func (w *World) Close() {
	w.stop()
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
	if _, err = w.accounts.Create(w.ctx, bare(name), keys); err == nil {
		w.parts.Server.Added(w.ctx, bare(name))
	}
	return err
}

// ChangeGroup implements transcript.Groups.
func (w *World) ChangeGroup(c transcript.GroupChange) error {
	g := w.parts.Groups
	members := make([]roster.Member, len(c.Members))
	who := make([]jid.Bare, len(c.Members))
	for i, name := range c.Members {
		who[i] = bare(name)
		members[i] = roster.Member{JID: who[i], Name: c.Names[name]}
	}
	switch c.Do {
	case "make":
		return g.Add(w.ctx, roster.Group{Name: c.Group, Title: c.Title, Everybody: c.Everybody, Mutual: c.Mutual, Members: members})
	case "remove":
		return g.Remove(w.ctx, c.Group)
	case "title":
		return g.Set(w.ctx, c.Group, roster.GroupChange{Title: &c.Title})
	case "set":
		return g.SetMembers(w.ctx, c.Group, members)
	case "join":
		return g.Join(w.ctx, c.Group, members...)
	case "leave":
		return g.Leave(w.ctx, c.Group, who...)
	case "show", "hide":
		return g.SetVisible(w.ctx, c.Group, c.To, c.Do == "show")
	}
	return fmt.Errorf("nobody can %s a group", c.Do)
}

// AddContact implements transcript.Directory. The owner's side goes the way
// that stanzas would have taken it (RFC 6121 §3).
func (w *World) AddContact(owner, contact, subscription string) error {
	who, whom := bare(owner), bare(contact)
	ignore := func(roster.Result) {}
	if subscription == "to" || subscription == "both" {
		if _, err := w.parts.Book.Outbound(w.ctx, who, whom, roster.Subscribe, ignore); err != nil {
			return err
		}
		if _, err := w.parts.Book.Inbound(w.ctx, who, whom, roster.Subscribed, nil, ignore); err != nil {
			return err
		}
	}
	if subscription == "from" || subscription == "both" {
		if _, err := w.parts.Book.Inbound(w.ctx, who, whom, roster.Subscribe, []byte("<presence type='subscribe'/>"), ignore); err != nil {
			return err
		}
		if _, err := w.parts.Book.Outbound(w.ctx, who, whom, roster.Subscribed, ignore); err != nil {
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
