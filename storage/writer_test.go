package storage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/server"
	"rollcall/server/features/archive"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// told remembers what a writer says became of messages.
type told struct {
	mu    sync.Mutex
	lost  map[int64]error
	waits map[int64]bool
	gone  map[int64]bool
}

func newTold() *told {
	return &told{lost: map[int64]error{}, waits: map[int64]bool{}, gone: map[int64]bool{}}
}

func (o *told) Lost(k *server.Kept, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost[k.ID] = err
}

func (o *told) Waits(_, id int64, stored bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits[id] = stored
}

func (o *told) Gone(_, id int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone[id] = true
}

func (o *told) losses() map[int64]error {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[int64]error{}
	for id, err := range o.lost {
		out[id] = err
	}
	return out
}

// running starts a writer; the test's end stops it, or stop.
func running(t testing.TB, db *DB, o Outcome) (w *Writer, stop func()) {
	t.Helper()
	w = db.NewWriter(nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the writer: %v", err)
		}
	})
	t.Cleanup(stop)
	return w, stop
}

// people makes accounts and returns their numbers.
func people(t testing.TB, db *DB, names ...jid.Bare) []int64 {
	t.Helper()
	var ids []int64
	for _, n := range names {
		id, err := db.Accounts().Create(t.Context(), n, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, int64(id))
	}
	return ids
}

func address(s string) jid.JID {
	j, err := jid.Parse(s)
	if err != nil {
		panic(err)
	}
	return j
}

// message makes one that both sides keep.
func message(id, sender, recipient int64, from, to string) *server.Kept {
	return &server.Kept{
		Keep: server.Keep{ID: id, Sender: true, Recipient: true, SenderID: sender, OwnerID: recipient},
		From: address(from), To: address(to),
		Stanza: fmt.Appendf(nil, "<message from='%s' to='%s' type='chat'><body>%d</body></message>", from, to, id),
	}
}

// settle waits until a ticket is settled.
func settle(t testing.TB, w *Writer, ticket server.Ticket) (stored bool) {
	t.Helper()
	done := make(chan bool, 1)
	w.WhenSettled(ticket, func(ok bool) { done <- ok })
	select {
	case ok := <-done:
		return ok
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was settled")
		return false
	}
}

func everything(t testing.TB, a *Archive, owner int64) (ids []int64) {
	t.Helper()
	page, more, err := a.Page(t.Context(), owner, archive.Filter{}, archive.Cut{Max: 1 << 20})
	if err != nil || more {
		t.Fatalf("more %v, %v", more, err)
	}
	for _, m := range page {
		ids = append(ids, m.ID)
	}
	return ids
}

func sameIDs(t testing.TB, what string, got []int64, want ...int64) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestSettledAfterCommit(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		who := people(t, db, "ada@x", "bob@x")
		w := db.NewWriter(nil)
		first := w.Keep(message(1, who[0], who[1], "ada@x/desk", "bob@x"))
		second := w.Keep(message(2, who[0], who[1], "ada@x/desk", "bob@x"))
		if first != 1 || second != 2 || w.Settled() != 0 {
			t.Fatalf("tickets %d and %d, settled %d", first, second, w.Settled())
		}
		inDatabase := make(chan int, 1)
		w.WhenSettled(second, func(stored bool) {
			if !stored {
				t.Error("not stored")
			}
			if w.Settled() >= second {
				t.Error("who asks now is told before those who have waited")
			}
			inDatabase <- count(t, db, "SELECT count(*) FROM archive_message")
		})
		all := make(chan bool, 1)
		w.WhenStored(func(stored bool) { all <- stored && count(t, db, "SELECT count(*) FROM archive_message") == 2 })
		select {
		case <-all:
			t.Error("nothing is stored yet")
		default:
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx, newTold()) }()
		if n := <-inDatabase; n != 2 {
			t.Errorf("settled with %d messages in the database", n)
		}
		if !<-all {
			t.Error("not all is stored when it is said to be")
		}
		if !settle(t, w, first) {
			t.Error("asked afterwards, it is not stored")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if w.Settled() != second {
			t.Errorf("settled %d", w.Settled())
		}
	})
}

// What was handed in when the writer is told to stop is still written.
func TestStopWritesTheRest(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		who := people(t, db, "ada@x", "bob@x")
		w, stop := running(t, db, newTold())
		var want []int64
		for id := int64(1); id <= 1000; id++ {
			w.Keep(message(id, who[0], who[1], "ada@x/desk", "bob@x"))
			want = append(want, id)
		}
		stop()
		sameIDs(t, "ada", everything(t, db.Archive(w), who[0]), want...)
		sameIDs(t, "bob", everything(t, db.Archive(w), who[1]), want...)
		if n := count(t, db, "SELECT value FROM archive_state WHERE name = 'indexed'"); n != 1000 {
			t.Errorf("indexed up to %d", n)
		}
		o := newTold()
		w.outcome = o
		w.Keep(message(2000, who[0], who[1], "ada@x/desk", "bob@x"))
		if len(o.losses()) != 1 {
			t.Error("a message after the end is not reported as lost")
		}
	})
}

// A program that ended between commit and index finds what is missing.
func TestIndexAfterCrash(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		who := people(t, db, "ada@x", "bob@x", "cleo@x")
		w := db.NewWriter(nil)
		w.outcome = newTold()
		w.Keep(message(1, who[0], who[1], "ada@x/desk", "bob@x"))
		w.Keep(message(2, who[2], who[2], "cleo@x/desk", "cleo@x"))
		only := message(3, who[1], who[2], "bob@x/home", "cleo@x/desk")
		only.Sender = false
		w.Keep(only)
		w.turn(t.Context()) // committed, not indexed, and the program dies
		if n := count(t, db, "SELECT count(*) FROM archive_index"); n != 0 {
			t.Fatalf("%d index rows", n)
		}
		next, _ := running(t, db, newTold())
		a := db.Archive(next)
		sameIDs(t, "ada", everything(t, a, who[0]), 1)
		sameIDs(t, "bob", everything(t, a, who[1]), 1)
		sameIDs(t, "cleo", everything(t, a, who[2]), 2, 3)
	})
}

func TestOutcomeOfOffline(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		who := people(t, db, "ada@x", "bob@x")
		o := newTold()
		w, stop := running(t, db, o)
		k := message(7, who[0], who[1], "ada@x/desk", "bob@x")
		k.Offline, k.Sender, k.Recipient = true, false, false
		k.Extra = []byte("<extra/>")
		settle(t, w, w.Keep(k))
		if !o.waits[7] {
			t.Error("nobody was told that the message waits")
		}
		page, more, err := db.Offline(w).Page(t.Context(), who[1], 0, 10, 1000)
		const want = "<message from='ada@x/desk' to='bob@x' type='chat'><body>7</body><extra/></message>"
		if err != nil || more || len(page) != 1 || string(page[0].Stanza) != want || page[0].Stored != 7 {
			t.Fatalf("%v, %v, %v", page, more, err)
		}
		if n := count(t, db, "SELECT count(*) FROM archive_message"); n != 0 {
			t.Errorf("%d messages in the archive", n)
		}
		db.Offline(w).Drop(who[1], []int64{7})
		stop()
		if !o.gone[7] {
			t.Error("nobody was told that it is gone")
		}
		if n, err := db.Offline(w).Count(t.Context(), who[1]); n != 0 || err != nil {
			t.Errorf("%d wait, %v", n, err)
		}
	})
}

// One message that cannot be stored takes no other with it.
func TestTakenID(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		who := people(t, db, "ada@x", "bob@x")
		o := newTold()
		w, _ := running(t, db, o)
		settle(t, w, w.Keep(message(5, who[0], who[1], "ada@x/desk", "bob@x")))
		var last server.Ticket
		for _, id := range []int64{4, 5, 6} {
			last = w.Keep(message(id, who[0], who[1], "ada@x/desk", "bob@x"))
		}
		if settle(t, w, last) {
			t.Error("said to be stored")
		}
		if lost := o.losses(); len(lost) != 1 || !errors.Is(lost[5], errTaken) {
			t.Errorf("lost: %v", lost)
		}
		sameIDs(t, "ada", everything(t, db.Archive(w), who[0]), 4, 5, 6)
	})
}

// A full disk: each sender hears, nothing is settled as stored, and when there
// is room again it goes on by itself.
func TestWriterFullDisk(t *testing.T) {
	db := openEmpty(t, configFor(t, "file"))
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	who := people(t, db, "ada@x", "bob@x")
	o := newTold()
	w, _ := running(t, db, o)
	limit := func(pages int) {
		t.Helper()
		if _, err := db.write.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(1)
	big := message(1, who[0], who[1], "ada@x/desk", "bob@x")
	big.Stanza = []byte("<message><body>" + strings.Repeat("x", 100_000) + "</body></message>")
	if settle(t, w, w.Keep(big)) {
		t.Error("stored on a full disk")
	}
	err := o.losses()[1]
	var c server.Classifier
	if !errors.As(err, &c) || c.Refusal().Condition != stanza.ErrResourceConstraint.Condition {
		t.Errorf("lost for %v", err)
	}
	limit(1 << 20)
	big.ID = 2
	if !settle(t, w, w.Keep(big)) {
		t.Error("not stored with room again")
	}
	sameIDs(t, "ada", everything(t, db.Archive(w), who[0]), 2)
}

// The connection is cut under the writer: nobody notices.
func TestWriterLosesConnection(t *testing.T) {
	if len(kinds()) < 3 {
		t.Log("this is about PostgreSQL")
		return
	}
	cfg := postgresConfig(t)
	cfg.DSN = withParam(t, cfg.DSN, "application_name", "victim")
	db := openEmpty(t, cfg)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	who := people(t, db, "ada@x", "bob@x")
	o := newTold()
	w, _ := running(t, db, o)
	var want []int64
	for id := int64(1); id <= 20; id++ {
		if id%5 == 0 {
			admin := adminPool(t, cfg.DSN)
			if _, err := admin.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim' AND pid <> pg_backend_pid()"); err != nil {
				t.Fatal(err)
			}
		}
		if !settle(t, w, w.Keep(message(id, who[0], who[1], "ada@x/desk", "bob@x"))) {
			t.Errorf("%d is not stored: %v", id, o.losses()[id])
		}
		want = append(want, id)
	}
	sameIDs(t, "ada", everything(t, db.Archive(w), who[0]), want...)
	if lost := o.losses(); len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
}

// Another program holds the database: senders hear within a few seconds, then
// quickly, and it goes on when the lock is gone.
func TestWriterLockedOut(t *testing.T) {
	cfg := configFor(t, "file")
	cfg.Wait = 20 * time.Millisecond
	db := openEmpty(t, cfg)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	who := people(t, db, "ada@x", "bob@x")
	o := newTold()
	w, _ := running(t, db, o)
	settle(t, w, w.Keep(message(1, who[0], who[1], "ada@x/desk", "bob@x")))
	other := openEmpty(t, cfg)
	lock, err := other.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if settle(t, w, w.Keep(message(2, who[0], who[1], "ada@x/desk", "bob@x"))) {
		t.Error("stored in a locked database")
	}
	if took := time.Since(began); took > 3*patience/2 {
		t.Errorf("the sender heard after %v", took)
	}
	began = time.Now()
	settle(t, w, w.Keep(message(3, who[0], who[1], "ada@x/desk", "bob@x")))
	if took := time.Since(began); took > 2*haste {
		t.Errorf("the next sender heard after %v", took)
	}
	var c server.Classifier
	if err := o.losses()[3]; !errors.As(err, &c) || c.Refusal().Condition != stanza.ErrInternal.Condition {
		t.Errorf("lost for %v", err)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if !settle(t, w, w.Keep(message(4, who[0], who[1], "ada@x/desk", "bob@x"))) {
		t.Error("not stored after the lock was gone")
	}
	sameIDs(t, "ada", everything(t, db.Archive(w), who[0]), 1, 4)
}

// Nothing waits without bound: senders are held back until there is room.
func TestBackpressure(t *testing.T) {
	db := openEmpty(t, Config{Driver: SQLite, Path: filepath.Join(t.TempDir(), "r.db")})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	who := people(t, db, "ada@x", "bob@x")
	w := db.NewWriter(nil)
	kept := make(chan server.Ticket)
	const n = maxWaiting>>20 + 2
	go func() {
		for id := int64(1); id <= n; id++ {
			k := message(id, who[0], who[1], "ada@x/desk", "bob@x")
			k.Stanza = make([]byte, 1<<20)
			kept <- w.Keep(k)
		}
		close(kept)
	}()
	for range maxWaiting >> 20 {
		<-kept
	}
	select {
	case k := <-kept:
		t.Errorf("%d came in beyond the limit", k)
	case <-time.After(20 * time.Millisecond):
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, newTold()) }()
	var last server.Ticket
	for last = range kept {
	}
	if last != n || !settle(t, w, last) {
		t.Errorf("the last ticket is %d", last)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestInsertAt(t *testing.T) {
	for raw, want := range map[string]string{
		"<message/>":                           "<message>+</message>",
		"<message to='x' />":                   "<message to='x' >+</message>",
		"<message><body>a</body></message>":    "<message><body>a</body>+</message>",
		"<c:message><body/></c:message>":       "<c:message><body/>+</c:message>",
		"<c:message xmlns:c='jabber:client'/>": "<c:message xmlns:c='jabber:client'>+</c:message>",
	} {
		head, tail := insertAt([]byte(raw))
		if got := string(head) + "+" + string(tail); got != want {
			t.Errorf("%s: %s", raw, got)
		}
	}
}
