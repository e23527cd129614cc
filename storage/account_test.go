package storage

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/roster"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

var someKeys = map[sasl.Hash]sasl.Keys{
	sasl.SHA1:   {Salt: []byte("salt 1"), Iterations: 4096, StoredKey: []byte("stored 1"), ServerKey: []byte("server 1")},
	sasl.SHA256: {Salt: []byte{0, 255}, Iterations: 10000, StoredKey: []byte("stored 2"), ServerKey: []byte("server 2")},
}

var _ sasl.Credentials = (*Accounts)(nil)

func TestAccounts(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Accounts()
		before := time.Now().Add(-time.Second)
		id, err := s.Create(ctx, "ada@x", someKeys)
		if err != nil || id == 0 {
			t.Fatalf("created as %d, %v", id, err)
		}
		if _, err := s.Create(ctx, "ada@x", nil); !errors.Is(err, ErrExists) || !errors.Is(err, stanza.ErrConflict) {
			t.Errorf("created again: %v", err)
		}
		a, err := s.Lookup(ctx, "ada@x")
		if err != nil || a.ID != id || a.JID != "ada@x" || a.Disabled || a.Created.Before(before) || a.Created.After(time.Now()) {
			t.Errorf("looked up: %+v, %v", a, err)
		}
		if _, err := s.Lookup(ctx, "bob@x"); !errors.Is(err, ErrNoAccount) || !errors.Is(err, stanza.ErrItemNotFound) {
			t.Errorf("a stranger: %v", err)
		}
		for who, want := range map[jid.Bare]bool{"ada@x": true, "bob@x": false, "ADA@x": false, "": false} {
			if got, err := s.Exists(ctx, who); got != want || err != nil {
				t.Errorf("%q exists: %v, %v", who, got, err)
			}
		}
		if n, err := s.Count(ctx); n != 1 || err != nil {
			t.Errorf("%d accounts, %v", n, err)
		}
	})
}

func wantKeys(t *testing.T, s *Accounts, who jid.Bare, hash sasl.Hash, want sasl.Keys, there bool) {
	t.Helper()
	got, found, err := s.Keys(t.Context(), who, hash)
	if err != nil || found != there {
		t.Errorf("%s of %s: found %v, %v", hash, who, found, err)
	}
	if diff := cmp.Diff(want, got); found && diff != "" {
		t.Errorf("%s of %s:\n%s", hash, who, diff)
	}
}

func TestKeys(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Accounts()
		if _, err := s.Create(ctx, "ada@x", someKeys); err != nil {
			t.Fatal(err)
		}
		newAccount(t, db, "nokeys@x")
		wantKeys(t, s, "ada@x", sasl.SHA1, someKeys[sasl.SHA1], true)
		wantKeys(t, s, "ada@x", sasl.SHA256, someKeys[sasl.SHA256], true)
		wantKeys(t, s, "ada@x", sasl.SHA512, sasl.Keys{}, false)
		wantKeys(t, s, "nokeys@x", sasl.SHA1, sasl.Keys{}, false)
		wantKeys(t, s, "nobody@x", sasl.SHA1, sasl.Keys{}, false)

		changed := someKeys[sasl.SHA256]
		changed.Salt = []byte("new")
		if err := s.SetKeys(ctx, "ada@x", map[sasl.Hash]sasl.Keys{sasl.SHA256: changed}); err != nil {
			t.Fatal(err)
		}
		wantKeys(t, s, "ada@x", sasl.SHA256, changed, true)
		wantKeys(t, s, "ada@x", sasl.SHA1, someKeys[sasl.SHA1], false) // the old password opens nothing
		if err := s.SetKeys(ctx, "nobody@x", someKeys); !errors.Is(err, ErrNoAccount) {
			t.Errorf("of nobody: %v", err)
		}

		if err := s.Disable(ctx, "ada@x", true); err != nil {
			t.Fatal(err)
		}
		wantKeys(t, s, "ada@x", sasl.SHA256, changed, true) // Admit is who says no
		if a, err := s.Lookup(ctx, "ada@x"); err != nil || !a.Disabled {
			t.Errorf("disabled: %+v, %v", a, err)
		}
		if err := s.Disable(ctx, "ada@x", false); err != nil {
			t.Fatal(err)
		}
		wantKeys(t, s, "ada@x", sasl.SHA256, changed, true)
		if err := s.Disable(ctx, "nobody@x", true); !errors.Is(err, ErrNoAccount) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestListByPages(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		// In the order of bytes on both, whatever the database's language.
		want := []jid.Bare{"Zoe@x", "a-b@x", "a@x", "ab@x", "b@x", "\u00e9mile@x"}
		for i := range want {
			newAccount(t, db, want[(i*5)%len(want)])
		}
		var got []jid.Bare
		for after := jid.Bare(""); ; {
			page, err := db.Accounts().List(t.Context(), after, 4)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				got = append(got, a.JID)
			}
			after = page[len(page)-1].JID
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("listed %v, not %v", got, want)
		}
	})
}

// fill gives an account one of everything.
func fill(t *testing.T, db *DB, who jid.Bare) AccountID {
	t.Helper()
	ctx := t.Context()
	id, err := db.Accounts().Create(ctx, who, someKeys)
	if err != nil {
		t.Fatal(err)
	}
	b := roster.NewBook(db.Rosters(), roster.Config{})
	_, err1 := b.Set(ctx, who, roster.Edit{Contact: "friend@y"}, nil)
	_, err2 := b.Set(ctx, who, roster.Edit{Contact: "gone@y"}, nil)
	_, err3 := b.Remove(ctx, who, "gone@y", nil)
	_, err4 := b.Inbound(ctx, who, "eve@y", roster.Subscribe, []byte("<presence/>"), nil)
	err5 := db.VCards().Set(ctx, who, []byte("<vCard/>"))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"INSERT INTO offline_message (account, id, stored, stanza) VALUES ($1, 1, 1, $2)",
		"INSERT INTO archive_prefs (account, value) VALUES ($1, $2)",
	} {
		value := any([]byte("{}"))
		if text[12] == 'a' {
			value = "{}"
		}
		if _, err := db.write.ExecContext(ctx, text, int64(id), value); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func count(t *testing.T, db *DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.read.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var owned = []string{"credential", "roster", "roster_item", "roster_request", "roster_tombstone", "vcard", "offline_message", "archive_prefs"}

func TestDeleteAccount(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Accounts()
		ada, bob := fill(t, db, "ada@x"), fill(t, db, "bob@x")
		for _, table := range owned {
			if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE account = $1", int64(ada)); n == 0 {
				t.Errorf("the test puts nothing into %s", table)
			}
		}
		if err := s.Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		for _, table := range owned {
			if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE account = $1", int64(ada)); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
			if n := count(t, db, "SELECT count(*) FROM "+table+" WHERE account = $1", int64(bob)); n == 0 {
				t.Errorf("bob's rows are gone from %s", table)
			}
		}
		if there, err := s.Exists(ctx, "ada@x"); there || err != nil {
			t.Errorf("ada is still there: %v, %v", there, err)
		}
		if err := s.Delete(ctx, "ada@x"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("deleting again: %v", err)
		}
		again := newAccount(t, db, "ada@x")
		if again == ada || again == bob {
			t.Errorf("the id %d was given twice", again)
		}
		if got, found, err := s.ID(ctx, "ada@x"); got != again || !found || err != nil {
			t.Errorf("the id is %d, %v, %v, not %d", got, found, err, again)
		}
	})
}

// A deleted account's messages stay in the archives of the others.
func TestDeleteLeavesOthersArchives(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		ada, bob := newAccount(t, db, "ada@x"), newAccount(t, db, "bob@x")
		exec := func(text string, args ...any) {
			t.Helper()
			if _, err := db.write.ExecContext(ctx, text, args...); err != nil {
				t.Fatal(err)
			}
		}
		message := func(id, keepers int64, from, to string) {
			exec("INSERT INTO archive_message (id, keepers, sender, recipient, stanza) VALUES ($1, $2, $3, $4, $5)",
				id, keepers, from, to, []byte("<message/>"))
		}
		index := func(owner AccountID, id int64) {
			exec("INSERT INTO archive_index (owner, id, peer) VALUES ($1, $2, 7)", int64(owner), id)
		}
		exec("INSERT INTO archive_state (name, value) VALUES ('indexed', 100)")
		message(1, 3, "ada@x/desk", "bob@x") // both keep it
		index(ada, 1)
		index(bob, 1)
		message(2, 1, "ada@x/desk", "eve@y") // only ada
		index(ada, 2)
		message(3, 2, "eve@y/z", "ada@x/desk") // only ada, as the recipient
		index(ada, 3)
		message(4, 3, "bob@x/home", "bad-ada@x") // nothing to do with her
		index(bob, 4)
		message(101, 3, "bob@x/home", "ada@x") // not in the index yet
		message(102, 3, "ada@x/desk", "ada@x") // to herself
		message(103, 3, "ada@x.org/1", "xada@x")
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		got := map[int64]int{}
		rows, err := db.read.QueryContext(ctx, "SELECT id, keepers FROM archive_message")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var keepers int
			if err := rows.Scan(&id, &keepers); err != nil {
				t.Fatal(err)
			}
			got[id] = keepers
		}
		rows.Close()
		if want := map[int64]int{1: 2, 4: 3, 101: 1, 103: 3}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("kept: %v, not %v", got, want)
		}
		if n := count(t, db, "SELECT count(*) FROM archive_index WHERE owner = $1", int64(ada)); n != 0 {
			t.Errorf("%d rows of hers are in the index", n)
		}
		if n := count(t, db, "SELECT count(*) FROM archive_index WHERE owner = $1", int64(bob)); n != 2 {
			t.Errorf("bob has %d rows in the index", n)
		}
	})
}

func TestVCards(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.VCards()
		newAccount(t, db, "ada@x")
		if xml, found, err := s.Get(ctx, "ada@x"); found || err != nil {
			t.Errorf("before any: %q, %v, %v", xml, found, err)
		}
		for _, want := range []string{"<vCard>1</vCard>", "<vCard>\u00e9</vCard>", ""} {
			if err := s.Set(ctx, "ada@x", []byte(want)); err != nil {
				t.Fatal(err)
			}
			if xml, found, err := s.Get(ctx, "ada@x"); !found || string(xml) != want || err != nil {
				t.Errorf("%q comes back as %q, %v, %v", want, xml, found, err)
			}
		}
		if err := s.Set(ctx, "ada@x", nil); err != nil {
			t.Errorf("nothing: %v", err)
		}
		if err := s.Set(ctx, "bob@x", []byte("<vCard/>")); !errors.Is(err, ErrNoAccount) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestIDCache(t *testing.T) {
	c := idCache{keep: 3}
	for i := range 10 {
		c.putIf(c.now(), jid.Bare(fmt.Sprint(i)), AccountID(i))
	}
	if len(c.ids) != 3 {
		t.Errorf("%d ids are kept", len(c.ids))
	}
	if id, found := c.get("9"); !found || id != 9 {
		t.Error("the last one is not among them")
	}
	era := c.now()
	c.drop("9")
	c.putIf(era, "9", 9) // read before the drop
	if _, found := c.get("9"); found {
		t.Error("a dropped id came back")
	}
}

func BenchmarkKeys(b *testing.B) {
	benchEach(b, func(b *testing.B, db *DB) {
		if _, err := db.Accounts().Create(b.Context(), "ada@x", someKeys); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, found, err := db.Accounts().Keys(b.Context(), "ada@x", sasl.SHA256); !found || err != nil {
				b.Fatal(found, err)
			}
		}
	})
}

func BenchmarkID(b *testing.B) {
	benchEach(b, func(b *testing.B, db *DB) {
		newAccount(b, db, "ada@x")
		b.ReportAllocs()
		for b.Loop() {
			if _, found, err := db.Accounts().ID(b.Context(), "ada@x"); !found || err != nil {
				b.Fatal(found, err)
			}
		}
	})
}

func BenchmarkRosterSet(b *testing.B) {
	benchEach(b, func(b *testing.B, db *DB) {
		fiftyItems(b, db, "ada@x")
		book := roster.NewBook(db.Rosters(), roster.Config{})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := book.Set(b.Context(), "ada@x", roster.Edit{Contact: "colleague07@example.org"}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
