package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/internal/assembly"
	"rollcall/internal/operator"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

func mustPerson(t *testing.T, s string) jid.Bare {
	t.Helper()
	j, err := jid.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return j.Bare()
}

func numbered(i int) jid.Bare { return jid.Bare(fmt.Sprintf("user%05d@localhost", i)) }

// openSocket runs a control socket on a database, as a server would, and returns
// the parts of that server.
func (c *command) openSocket() *assembly.Assembly {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cfg := c.load()
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := db.Migrate(ctx); err != nil {
		c.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	parts, err := assembly.New(ctx, ctx, assembly.Options{Config: cfg, Streams: cfg.C2S, DB: db, Log: log})
	if err != nil {
		c.t.Fatal(err)
	}
	socket, err := listenControl(cfg.ControlSocket())
	if err != nil {
		c.t.Fatal(err)
	}
	srv := &control{desk: parts.Desk, mover: parts.Mover(), log: log, status: status{Version: "test", PID: 7, Started: time.Now(), Addresses: []string{"127.0.0.1:1"}}}
	done := make(chan error, 1)
	go func() { done <- srv.run(ctx, socket) }()
	c.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Errorf("the control socket ended with %v", err)
		}
		if err := db.Close(); err != nil {
			c.t.Error(err)
		}
	})
	return parts
}

// wire is a connection of a client that says nothing.
type wire struct {
	peer  server.Peer
	mu    sync.Mutex
	sent  bytes.Buffer
	fault *stream.Fault // why it was hung up
}

// Write implements server.Transport.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.Write(b)
}

// Close implements server.Transport.
func (w *wire) Close() error { return nil }

// Abort implements server.Transport.
func (w *wire) Abort() {}

// Peer implements server.Known.
func (w *wire) Peer() server.Peer { return w.peer }

// HangUp implements server.Connection.
func (w *wire) HangUp(f *stream.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

// cut returns why the connection was hung up, or "".
func (w *wire) cut() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault == nil {
		return ""
	}
	return w.fault.Text
}

// login binds a session, as a client's stream would.
func (c *command) login(parts *assembly.Assembly, who, resource string) *wire {
	c.t.Helper()
	j := mustPerson(c.t, who)
	account, ok, err := parts.Server.Account(context.Background(), j)
	if err != nil || !ok {
		c.t.Fatalf("%s: %v, %v", who, ok, err)
	}
	w := &wire{peer: server.Peer{Addr: netip.MustParseAddr("192.0.2.7"), TLS: tls.VersionTLS13, Mechanism: "SCRAM-SHA-256-PLUS"}}
	s, err := parts.Server.Bind(context.Background(), account, resource, w)
	if err != nil {
		c.t.Fatal(err)
	}
	s.Heard(time.Now().Unix())
	s.SetAvailability(new(server.Availability))
	c.t.Cleanup(func() { s.End(context.Background()); s.Release() })
	return w
}

func TestAccountsWhileTheServerRuns(t *testing.T) {
	c := newCommand(t, "")
	parts := c.openSocket()
	c.must("tea\n", "account", "add", "ada@localhost", "--password-stdin")
	if !c.accepts("ada@localhost", "tea") {
		t.Error("the account that was added through the server is not there")
	}
	c.fails("x\n", []string{"account", "add", "ada@localhost", "--password-stdin"}, "exists already")
	c.must("coffee\n", "account", "passwd", "ada@localhost", "--password-stdin")
	if !c.accepts("ada@localhost", "coffee") {
		t.Error("the password was not changed through the server")
	}
	if list := c.must("", "account", "list", "--no-header"); !strings.HasPrefix(list, "ada@localhost") {
		t.Errorf("list printed %q", list)
	}
	w := c.login(parts, "ada@localhost", "desk")
	c.must("", "account", "remove", "ada@localhost")
	// That the server heard of it shows that it was not done behind its back.
	if w.cut() != "the account was removed" {
		t.Errorf("the client of an account that was removed was told %q", w.cut())
	}
	c.fails("", []string{"account", "remove", "ada@localhost"}, "there is no account ada@localhost")
}

func TestControlSocketIsPrivateAndSingle(t *testing.T) {
	c := newCommand(t, "")
	c.openSocket()
	path := c.load().ControlSocket()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode is %v, %v; want 0600", info.Mode(), err)
	}
	if _, err := listenControl(path); err == nil || !strings.Contains(err.Error(), "pid 7") {
		t.Errorf("a second server on the same directory got %v", err)
	}
}

func TestControlSocketOfADeadServer(t *testing.T) {
	c := newCommand(t, "")
	path := c.load().ControlSocket()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false) // as after kill -9
	left.Close()
	if r, err := running(context.Background(), path); r != nil || err != nil {
		t.Errorf("a dead server's socket: %v, %v", r, err)
	}
	c.must("", "account", "list")
	fresh, err := listenControl(path)
	if err != nil {
		t.Fatalf("the next server cannot start: %v", err)
	}
	fresh.Close()
}

func TestControlRefusesWhatIsTooLarge(t *testing.T) {
	c := newCommand(t, "")
	c.openSocket()
	r := &remote{c.load().ControlSocket()}
	_, err := r.Do(context.Background(), operator.NewOrder("account.add", "accountjid", "ada@localhost", "password", strings.Repeat("x", controlRequest)))
	if err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("got %v", err)
	}
	for _, o := range []operator.Order{
		operator.NewOrder("account.promote", "accountjid", "ada@localhost"),
		operator.NewOrder("account.remove", "accountjids", "@"),
		operator.NewOrder("account.remove"),
		operator.NewOrder("account.remove", "accountjids", "ada@localhost", "rank", "1"),
	} {
		if _, err := r.Do(context.Background(), o); err == nil {
			t.Errorf("%v was carried out", o)
		}
	}
}
