package storage

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/roster"
	"rollcall/xmpp/jid"
)

func newAccount(t testing.TB, db *DB, who jid.Bare) AccountID {
	t.Helper()
	id, err := db.Accounts().Create(t.Context(), who, nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// What a book shows after changes is what another book reads from the database.
func TestRosterIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		newAccount(t, db, "ada@x")
		b := roster.NewBook(db.Rosters(), roster.Config{MaxTombstones: 2})
		same := func(what string) {
			t.Helper()
			got, err := roster.NewBook(db.Rosters(), roster.Config{}).Of(ctx, "ada@x")
			if err != nil {
				t.Fatal(err)
			}
			want, _ := b.Of(ctx, "ada@x")
			if diff := cmp.Diff(want, got, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("after %s: in memory (-) and in the database (+):\n%s", what, diff)
			}
		}
		must := func(what string, _ roster.Result, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			same(what)
		}
		set := func(e roster.Edit) (string, roster.Result, error) {
			r, err := b.Set(ctx, "ada@x", e, nil)
			return "set " + string(e.Contact), r, err
		}
		out := func(c jid.Bare, e roster.Event) (string, roster.Result, error) {
			r, err := b.Outbound(ctx, "ada@x", c, e, nil)
			return e.String() + " to " + string(c), r, err
		}
		in := func(c jid.Bare, e roster.Event) (string, roster.Result, error) {
			r, err := b.Inbound(ctx, "ada@x", c, e, []byte("<presence/>"), nil)
			return e.String() + " from " + string(c), r, err
		}
		rm := func(c jid.Bare) (string, roster.Result, error) {
			r, err := b.Remove(ctx, "ada@x", c, nil)
			return "remove " + string(c), r, err
		}
		must(set(roster.Edit{Contact: "bob@x", Name: "Bob \U0001F41D", Groups: []string{"Friends", `a "b"`}}))
		must(set(roster.Edit{Contact: "cy@x"}))
		must(out("bob@x", roster.Subscribe))
		must(in("bob@x", roster.Subscribed))
		must(in("bob@x", roster.Subscribe))
		must(in("stranger@y", roster.Subscribe))
		must(out("bob@x", roster.Subscribed))
		must(out("dee@x", roster.Subscribed)) // approved beforehand
		must(rm("bob@x"))
		must(set(roster.Edit{Contact: "bob@x", Name: "again"}))
		must(rm("bob@x"))
		must(rm("cy@x"))
		must(rm("dee@x")) // the first tombstone is forgotten
		must(out("stranger@y", roster.Unsubscribed))
		r, err := b.Of(ctx, "ada@x")
		if err != nil || r.Len() != 0 {
			t.Errorf("%d items are left, %v", r.Len(), err)
		}
	})
}

func TestRosterOfNobody(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		if _, err := db.Rosters().LoadRoster(t.Context(), "nobody@x"); !errors.Is(err, roster.ErrNoAccount) {
			t.Errorf("loading: %v", err)
		}
		u := roster.Update{Contact: "bob@x", After: 1, Item: &roster.Item{Contact: "bob@x"}}
		if err := db.Rosters().SaveRoster(t.Context(), "nobody@x", u); !errors.Is(err, roster.ErrNoAccount) {
			t.Errorf("saving: %v", err)
		}
	})
}

// Two books, as of two nodes, change one roster: no change is lost.
func TestTwoBooks(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		newAccount(t, db, "ada@x")
		a := roster.NewBook(db.Rosters(), roster.Config{})
		b := roster.NewBook(db.Rosters(), roster.Config{})
		for i := range 3 {
			for j, book := range []*roster.Book{a, b} {
				contact := jid.Bare(fmt.Sprintf("c%d-%d@x", i, j))
				if _, err := book.Set(t.Context(), "ada@x", roster.Edit{Contact: contact}, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		r, err := b.Of(t.Context(), "ada@x")
		if err != nil || r.Len() != 6 {
			t.Errorf("%d items, %v", r.Len(), err)
		}
		stale := roster.Update{Contact: "z@x", Before: 2, After: 3, Item: &roster.Item{Contact: "z@x", Version: 3}}
		if err := db.Rosters().SaveRoster(t.Context(), "ada@x", stale); !errors.Is(err, roster.ErrStale) {
			t.Errorf("an update of an old version: %v", err)
		}
	})
}

func fiftyItems(t testing.TB, db *DB, who jid.Bare) {
	t.Helper()
	newAccount(t, db, who)
	store := db.Rosters()
	for i := range 50 {
		contact := jid.Bare(fmt.Sprintf("colleague%02d@example.org", i))
		it := roster.Item{
			Contact: contact, Name: fmt.Sprintf("Colleague %d", i), State: roster.Both,
			Groups: []string{[]string{"Friends", "Work", "Family"}[i%3]}, Version: uint32(i + 1),
		}
		u := roster.Update{Contact: contact, Before: uint32(i), After: uint32(i + 1), Item: &it}
		if err := store.SaveRoster(t.Context(), who, u); err != nil {
			t.Fatal(err)
		}
	}
}

// benchEach runs a benchmark on each kind of database.
func benchEach(b *testing.B, bench func(b *testing.B, db *DB)) {
	for _, kind := range kinds() {
		b.Run(kind, func(b *testing.B) {
			db := openEmpty(b, configFor(b, kind))
			if _, err := db.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			bench(b, db)
		})
	}
}

func BenchmarkLoadRosterOf50(b *testing.B) {
	benchEach(b, func(b *testing.B, db *DB) {
		fiftyItems(b, db, "ada@example.org")
		store := db.Rosters()
		b.ReportAllocs()
		for b.Loop() {
			c, err := store.LoadRoster(b.Context(), "ada@example.org")
			if err != nil {
				b.Fatal(err)
			}
			if r := roster.New(c); r.Len() != 50 {
				b.Fatal(r.Len())
			}
		}
	})
}
