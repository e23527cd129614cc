package storage

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/features/archive"
	"rollcall/server/features/offline"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// client is a connection whose client reads everything.
type client struct {
	new chan struct{} // holds a token when there is something new

	mu  sync.Mutex // guards got
	got strings.Builder
}

// Write implements server.Transport.
func (c *client) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.new <- struct{}{}:
	default:
	}
	return c.got.Write(b)
}

// Close implements server.Transport.
func (c *client) Close() error { return nil }

// Abort implements server.Transport.
func (c *client) Abort() {}

// HangUp implements server.Connection.
func (c *client) HangUp(*stream.Fault) {}

// expect waits until something has come.
func (c *client) expect(t *testing.T, what string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		c.mu.Lock()
		got := c.got.String()
		c.mu.Unlock()
		if strings.Contains(got, what) {
			return
		}
		select {
		case <-c.new:
		case <-deadline:
			t.Fatalf("expected %s, there came %s", what, got)
		}
	}
}

// names lets the server look up accounts.
type names struct{ *Accounts }

// Lookup implements server.Accounts.
func (n names) Lookup(ctx context.Context, who jid.Bare) (int64, bool, error) {
	id, found, err := n.ID(ctx, who)
	return int64(id), found, err
}

// concerned are those who hear what became of messages.
type concerned struct {
	*server.Server
	*offline.Feature
}

// On a full disk the sender of each message hears of it, and no ack covers it
// before that. When there is room again, all goes on.
func TestSendersHearOfFullDisk(t *testing.T) {
	db := openEmpty(t, configFor(t, "file"))
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	who := people(t, db, "ada@x", "bob@x")
	w := db.NewWriter(nil)
	waiting, kept := db.Offline(w), db.Archive(w)
	ids, err := archive.NewIDs(make([]byte, archive.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	away := offline.New(offline.Config{}, offline.Parts{Store: waiting, Sweeper: waiting})
	srv := server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 4 << 20},
		Accounts: names{db.Accounts()}, Keeper: w,
		Features: []server.Feature{archive.New(archive.Config{}, archive.Parts{
			Store: kept, Book: kept, Sweeper: kept, IDs: ids,
			Contacts: roster.NewBook(db.Rosters(), roster.Config{}),
		}), away},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, concerned{srv, away}) }()
	ada := &client{new: make(chan struct{}, 1)}
	s, err := srv.Bind(t.Context(), server.NewAccount("ada@x", who[0]), "desk", ada)
	if err != nil {
		t.Fatal(err)
	}
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	send := func(id, size int) {
		t.Helper()
		st, err := sc.Whole(fmt.Appendf(nil, "<message to='bob@x' type='chat' id='%d'><body>%s</body></message>", id, strings.Repeat("x", size)))
		if err == nil {
			err = srv.Handle(t.Context(), s, st)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := db.write.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	send(1, 10)
	settle(t, w, 1)
	limit(1)
	send(2, 100_000)
	s.WhenStored(func(uint32) { s.Control([]byte("<a/>")) })
	ada.expect(t, "<message type='error' id='2' from='bob@x' to='ada@x/desk'><error type='wait'><resource-constraint ")
	limit(1 << 20)
	send(3, 10)
	s.WhenStored(func(h uint32) { s.Control(fmt.Appendf(nil, "<a h='%d'/>", h)) })
	ada.expect(t, "<a h='3'/>")
	ada.mu.Lock()
	if before, _, found := strings.Cut(ada.got.String(), "<a/>"); found && !strings.Contains(before, "id='2'") {
		t.Error("an ack covers what was not stored before its sender has heard of that")
	}
	ada.mu.Unlock()
	if n, err := waiting.Count(t.Context(), who[1]); n != 2 || err != nil {
		t.Errorf("%d messages wait for bob, %v", n, err)
	}
	s.End(t.Context())
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
