package storage_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/portable"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/features/archive"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// moved takes accounts straight into a database.
type moved struct{ *storage.Portable }

func (m moved) Take(ctx context.Context, d *portable.Delivery) (storage.Receipt, error) {
	return m.Put(ctx, &d.Parcel, d.Terms)
}

// export writes all accounts of a database.
func export(t *testing.T, db *storage.DB, without ...string) string {
	t.Helper()
	p := db.Portable(nil, roster.Config{})
	ids, err := archive.NewIDs(bytes.Repeat([]byte{7}, archive.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	names, err := p.Names(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	doc := portable.NewDocument(&b)
	x := &portable.Exporter{Store: p, IDs: ids, Without: without}
	for _, who := range names {
		if err := x.Account(t.Context(), who, doc.Account); err != nil {
			t.Fatal(err)
		}
	}
	if err := doc.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// load imports a document, or a file, into a database.
func load(t *testing.T, db *storage.DB, file, text string, terms storage.Terms) *portable.Importer {
	t.Helper()
	i := &portable.Importer{To: moved{db.Portable(nil, roster.Config{})}, Terms: terms, Options: portable.Options{Now: time.Now()}}
	i.Notes.Say = func(p portable.Problem) { t.Errorf("%s", p) }
	if err := i.File(t.Context(), file, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return i
}

// empty opens one more database.
func empty(t *testing.T) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Config{Path: storage.Memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// What others wrote goes in, comes out, goes into another database, and comes out
// the same, to the byte. Nothing is there twice when it goes in again.
func TestRoundTrip(t *testing.T) {
	storage.OnEach(t, func(t *testing.T, db *storage.DB) {
		for _, pattern := range []string{"prosody-0.12/[^r]*.xml", "prosody-0.12/rest.xml"} {
			files, err := filepath.Glob("../internal/portable/testdata/" + pattern)
			if err != nil || len(files) == 0 {
				t.Fatalf("%q, %v", files, err)
			}
			for _, file := range files {
				load(t, db, file, "", storage.Terms{Existing: storage.Merge})
			}
		}
		first := export(t, db)
		for _, part := range []string{"Ada Lovelace", "for later 2", "tea@rooms.example", "SCRAM-SHA-1", "from='dave@old.example'"} {
			if !strings.Contains(first, part) {
				t.Errorf("the export is without %q", part)
			}
		}
		other := empty(t)
		i := load(t, other, "-", first, storage.Terms{})
		if i.Summary.Made != 5 || i.Summary.Added[storage.PartArchived] != 22 || i.Summary.Added[storage.PartWaiting] != 4 {
			t.Errorf("it came to %+v", i.Summary)
		}
		if second := export(t, other); second != first {
			t.Errorf("the second export is not the first one:\n%s\n\n%s", first, second)
		}
		for _, existing := range []storage.Existing{storage.Merge, storage.Replace, storage.Skip} {
			load(t, other, "-", first, storage.Terms{Existing: existing})
			if again := export(t, other); again != first {
				t.Errorf("after %s it is\n%s", existing, again)
			}
		}
		i = load(t, db, "-", first, storage.Terms{Existing: storage.Merge})
		if len(i.Summary.Added) > 0 || i.Summary.Same != 5 {
			t.Errorf("into where it came from: %+v", i.Summary)
		}
		if short := export(t, db, "archive", "passwords"); strings.Contains(short, "<archive") || strings.Contains(short, "scram") || !strings.Contains(short, "<vCard") {
			t.Errorf("without archive and passwords:\n%s", short)
		}
	})
}

// What clients sent in their own way of writing XML is exported in one way, and
// known again when it comes back.
func TestRoundTripOfWhatClientsSent(t *testing.T) {
	storage.OnEach(t, func(t *testing.T, db *storage.DB) {
		if _, err := db.Accounts().Create(t.Context(), "ada@x", nil); err != nil {
			t.Fatal(err)
		}
		if err := db.VCards().Set(t.Context(), "ada@x", []byte(`<v:vCard xmlns:v="vcard-temp"><v:FN><![CDATA[A & B]]></v:FN></v:vCard>`)); err != nil {
			t.Fatal(err)
		}
		sent := archived(t, db, "ada@x")
		text := export(t, db)
		if !strings.Contains(text, "<vCard xmlns='vcard-temp'><FN>A &amp; B</FN></vCard>") || strings.Count(text, "<result ") != sent {
			t.Errorf("the export is\n%s", text)
		}
		if i := load(t, db, "-", text, storage.Terms{Existing: storage.Merge}); len(i.Summary.Added) > 0 {
			t.Errorf("it came back as something new: %+v", i.Summary)
		}
		other := empty(t)
		load(t, other, "-", text, storage.Terms{})
		if again := export(t, other); again != text {
			t.Errorf("the second export is\n%s\nafter\n%s", again, text)
		}
	})
}

// archived has messages archived as a server would, and returns how many.
func archived(t *testing.T, db *storage.DB, who jid.Bare) int {
	t.Helper()
	id, _, err := db.Accounts().ID(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	w := db.NewWriter(slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, nobody{}) }()
	stanzas := []string{
		`<message to="bob@x" type="chat" from='ada@x/desk'><body>one</body></message>`,
		`<message from='ada@x/desk' to='bob@x'><e:x xmlns:e='urn:e' e:a="&#x26;" b='1'><![CDATA[<]]></e:x></message>`,
		`<message from='ada@x/desk' to='bob@x'/>`,
	}
	for i, raw := range stanzas {
		w.Keep(keptMessage(int64(i)+1_000_000, int64(id), raw))
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return len(stanzas)
}

// nobody hears what became of messages.
type nobody struct{}

func (nobody) Lost(*server.Kept, error) {}
func (nobody) Waits(int64, int64, bool) {}
func (nobody) Gone(int64, int64)        {}

func keptMessage(id, sender int64, raw string) *server.Kept {
	return &server.Kept{
		Keep: server.Keep{ID: id, Sender: true, SenderID: sender},
		From: jid.MustParse("ada@x/desk"), To: jid.MustParse("bob@x"), Stanza: []byte(raw),
	}
}
