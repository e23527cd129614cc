package operator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/config"
	"rollcall/internal/portable"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/features/archive"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// newMover returns a mover for an empty database of the domain x.
func newMover(t *testing.T) *Mover {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Config{Path: storage.Memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Server.Domains = []server.Domain{{Name: "x"}}
	cfg.C2S.Auth.Iterations = 4096
	ids, err := archive.NewIDs(bytes.Repeat([]byte{1}, archive.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return New(Parts{DB: db, Config: cfg}).Mover(db.Portable(nil, roster.Config{}), ids)
}

func (m *Mover) text(t *testing.T, w Wanted) string {
	t.Helper()
	var b bytes.Buffer
	if err := m.Export(t.Context(), Actor{Name: "me", Origin: "here"}, w, portable.NewDocument(&b).Account); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMoverRefuses(t *testing.T) {
	m := newMover(t)
	for who, reason := range map[jid.Bare]Reason{"ADA@x": Wrong, "x": Wrong, "": Wrong, "ada@x/desk": Wrong, "ada@y": NotOurs} {
		_, err := m.Take(t.Context(), Actor{}, &portable.Delivery{Parcel: storage.Parcel{Account: who}})
		if said := new(Error); !errors.As(err, &said) || said.Reason != reason {
			t.Errorf("%q: %v", who, err)
		}
	}
	more := &portable.Delivery{Parcel: storage.Parcel{Account: "ada@x", More: true}}
	if _, err := m.Take(t.Context(), Actor{}, more); !errors.Is(err, storage.ErrNoAccount) {
		t.Errorf("a rest of nobody: %v", err)
	}
	err := m.Export(t.Context(), Actor{}, Wanted{Without: []string{"shoes"}}, nil)
	if said := new(Error); !errors.As(err, &said) || said.Reason != Wrong {
		t.Errorf("a section that there is not: %v", err)
	}
}

// A message that waits keeps the id under which its owner finds it in the archive
// here, and loses one by which nothing could be found.
func TestMoverOnIDsOfWaitingMessages(t *testing.T) {
	m := newMover(t)
	ours := string(m.ids.Append(nil, 1000))
	stanzaOf := func(id string) []byte {
		return []byte("<message from='bob@x/1' to='ada@x'><body>" + id + "</body><stanza-id xmlns='urn:xmpp:sid:0' by='ada@x' id='" + id + "'/></message>")
	}
	d := &portable.Delivery{Parcel: storage.Parcel{Account: "ada@x", Offline: []storage.Letter{
		{Stamp: 1000, Stanza: stanzaOf("foreign"), ID: "foreign"}, {Stamp: 2000, Stanza: stanzaOf(ours), ID: ours},
	}}}
	if _, err := m.Take(t.Context(), Actor{}, d); err != nil {
		t.Fatal(err)
	}
	text := m.text(t, Wanted{})
	if strings.Contains(text, "id='foreign'") || !strings.Contains(text, "id='"+ours+"'") {
		t.Errorf("they wait as\n%s", text)
	}
}

// Parcels that are skipped or only tried are not written down; the rest is.
func TestMoverNotes(t *testing.T) {
	m := newMover(t)
	by := Actor{Name: "me", Origin: "here"}
	for _, d := range []portable.Delivery{
		{Parcel: storage.Parcel{Account: "ada@x"}, Terms: storage.Terms{Dry: true}},
		{Parcel: storage.Parcel{Account: "ada@x"}, Password: "tea"}, // noted
		{Parcel: storage.Parcel{Account: "ada@x"}, Password: "coffee"},
		{Parcel: storage.Parcel{Account: "ada@x"}, Terms: storage.Terms{Existing: storage.Merge}},
		{Parcel: storage.Parcel{Account: "ada@x", VCard: []byte("<vCard xmlns='vcard-temp'><FN>A</FN></vCard>")}, Terms: storage.Terms{Existing: storage.Merge}}, // noted
	} {
		if _, err := m.Take(t.Context(), by, &d); err != nil {
			t.Fatal(err)
		}
	}
	m.text(t, Wanted{Accounts: []jid.Bare{"ada@x"}}) // noted
	a, err := m.desk.Do(t.Context(), by, NewOrder("audit.list"))
	if err != nil || len(a.Rows) != 3 {
		t.Fatalf("%v, %v", a.Rows, err)
	}
	for i, action := range []string{"account.export", "account.import", "account.import"} {
		if row := strings.Join(a.Rows[i], " "); !strings.Contains(row, "me here "+action+" ada@x") || strings.Contains(row, "tea") {
			t.Errorf("number %d is %q", i, row)
		}
	}
}

// While a server runs, a message of this very moment waits until no message of
// the server's can be about to take the same number.
func TestMoverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &Mover{desk: &Desk{live: &Live{}}}
		for age, want := range map[time.Duration]time.Duration{time.Second: settled - time.Second, settled: 0, time.Hour: 0} {
			began := time.Now()
			p := &storage.Parcel{Archive: []storage.Letter{{Stamp: began.Add(-age).UnixMicro()}}}
			if err := m.wait(t.Context(), p, false); err != nil || time.Since(began) != want {
				t.Errorf("a message %v old waits %v, %v", age, time.Since(began), err)
			}
			began = time.Now()
			if err := m.wait(t.Context(), p, true); err != nil || time.Since(began) != 0 {
				t.Errorf("only tried, it waits %v, %v", time.Since(began), err)
			}
		}
		future := &storage.Parcel{Offline: []storage.Letter{{Stamp: time.Now().Add(time.Hour).UnixMicro()}}}
		if err := m.wait(t.Context(), future, false); err == nil {
			t.Error("one from the future was taken")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		soon := &storage.Parcel{Offline: []storage.Letter{{Stamp: time.Now().UnixMicro()}}}
		if err := m.wait(ctx, soon, false); !errors.Is(err, context.Canceled) {
			t.Errorf("nobody waits for it any more: %v", err)
		}
	})
}

// What cannot be written ends an export.
func TestExportToNowhere(t *testing.T) {
	m := newMover(t)
	if _, err := m.Take(t.Context(), Actor{}, &portable.Delivery{Parcel: storage.Parcel{Account: "ada@x"}}); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := m.Export(t.Context(), Actor{}, Wanted{}, func(jid.Bare) (io.Writer, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Errorf("%v", err)
	}
}
