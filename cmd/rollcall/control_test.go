package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/operator"
	"rollcall/xmpp/jid"
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

// openSocket runs a control socket on a database, as a server would.
func (c *command) openSocket(server operator.Running) {
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
	socket, err := listenControl(cfg.ControlSocket())
	if err != nil {
		c.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	srv := &control{desk: operator.New(db, cfg, server, log), log: log, status: status{Version: "test", PID: 7, Started: time.Now(), Addresses: []string{"127.0.0.1:1"}}}
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
}

// hears is told of accounts that are removed.
type hears struct {
	t        *testing.T
	removing jid.Bare
	gone     []jid.Bare
}

// Removing implements operator.Running.
func (h *hears) Removing(_ context.Context, who jid.Bare, id int64) {
	if id == 0 {
		h.t.Error("the removed account has no number")
	}
	h.removing = who
}

// Removed implements operator.Running.
func (h *hears) Removed(who jid.Bare, id int64) {
	if id == 0 || h.removing != who {
		h.t.Error("nobody was told before the account was removed")
	}
	h.gone = append(h.gone, who)
}

func TestAccountsWhileTheServerRuns(t *testing.T) {
	c := newCommand(t, "")
	told := &hears{t: t}
	c.openSocket(told)
	c.must("tea\n", "account", "add", "ada@localhost", "--password-stdin")
	if !c.accepts("ada@localhost", "tea") {
		t.Error("the account that was added through the server is not there")
	}
	c.fails("x\n", []string{"account", "add", "ada@localhost", "--password-stdin"}, "exists already")
	c.must("coffee\n", "account", "passwd", "ada@localhost", "--password-stdin")
	if !c.accepts("ada@localhost", "coffee") {
		t.Error("the password was not changed through the server")
	}
	if list := c.must("", "account", "list"); !strings.HasPrefix(list, "ada@localhost") {
		t.Errorf("list printed %q", list)
	}
	c.must("", "account", "remove", "ada@localhost")
	// That the server heard of it shows that it was not done behind its back.
	if len(told.gone) != 1 || told.gone[0] != "ada@localhost" {
		t.Errorf("the server was told that %v are gone, want ada@localhost", told.gone)
	}
	c.fails("", []string{"account", "remove", "ada@localhost"}, "there is no account ada@localhost")
}

func TestControlSocketIsPrivateAndSingle(t *testing.T) {
	c := newCommand(t, "")
	c.openSocket(nil)
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
	c.openSocket(nil)
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
