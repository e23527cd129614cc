package storage

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/directory"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

var _ directory.Store = (*Directory)(nil)

var ada = directory.Person{
	Local: "ada", Entry: "1", Name: "Ada", Given: "A", Family: "L", Mail: "ada@x", Phone: "+44", Title: "Countess", Org: "AE", Unit: "P",
}

func save(t *testing.T, db *DB, c directory.Changes, now time.Time) {
	t.Helper()
	if err := db.Directory().Save(t.Context(), "x", &c, now); err != nil {
		t.Fatal(err)
	}
}

func wantStaff(t *testing.T, db *DB, want ...directory.Account) {
	t.Helper()
	got, err := db.Directory().Accounts(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	byJID := cmpopts.SortSlices(func(a, b directory.Account) bool { return a.JID < b.JID })
	if diff := cmp.Diff(want, got, byJID); diff != "" {
		t.Error(diff)
	}
	for _, a := range want {
		one, found, err := db.Directory().Account(t.Context(), a.JID)
		if diff := cmp.Diff(a, one); err != nil || !found || diff != "" {
			t.Errorf("%s alone: %v, %v\n%s", a.JID, found, err, diff)
		}
	}
}

func TestDirectory(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		now := time.UnixMicro(1_000_000).UTC()
		for _, who := range []jid.Bare{"bob@x", "ada@y", "x@ax"} {
			if _, err := db.Accounts().Create(t.Context(), who, someKeys); err != nil {
				t.Fatal(err)
			}
		}
		bob := directory.Account{JID: "bob@x"}
		wantStaff(t, db, bob)
		save(t, db, directory.Changes{Create: []directory.Person{ada, {Local: "bob"}}}, now)
		wantStaff(t, db, bob, directory.Account{JID: "ada@x", Theirs: true, Person: ada}) // bob was there
		if id, found, err := db.Accounts().ID(t.Context(), "ada@x"); !found || err != nil || id == 0 {
			t.Errorf("ada is %d, %v, %v", id, found, err)
		}

		more := ada
		more.Phone, more.Entry = "", "2"
		save(t, db, directory.Changes{
			Update: []directory.Person{more, {Local: "bob"}, {Local: "nobody"}}, Vanish: []jid.Bare{"ada@x", "bob@x", "nobody@x"},
		}, now)
		wantStaff(t, db, bob, directory.Account{JID: "ada@x", Theirs: true, Person: more, Gone: now})
		save(t, db, directory.Changes{Vanish: []jid.Bare{"ada@x"}}, now.Add(time.Hour))
		wantStaff(t, db, bob, directory.Account{JID: "ada@x", Theirs: true, Person: more, Gone: now}) // since then
		save(t, db, directory.Changes{Update: []directory.Person{ada}}, now)
		wantStaff(t, db, bob, directory.Account{JID: "ada@x", Theirs: true, Person: ada})

		save(t, db, directory.Changes{TakeOver: []directory.Person{{Local: "bob"}, {Local: "nobody"}}}, now)
		wantKeys(t, db.Accounts(), "bob@x", sasl.SHA256, sasl.Keys{}, false)
		bob.Theirs, bob.Person.Local = true, "bob"
		wantStaff(t, db, bob, directory.Account{JID: "ada@x", Theirs: true, Person: ada})

		// Keys that came some other way are of no use.
		if _, err := db.exec(t.Context(), "account.put_keys", 1, sasl.SHA256.String(), []byte("s"), 4096, []byte("k"), []byte("k")); err != nil {
			t.Fatal(err)
		}
		wantKeys(t, db.Accounts(), "bob@x", sasl.SHA256, sasl.Keys{}, false)

		// An account that has a password here is ours, and one that is removed is gone.
		if err := db.Accounts().SetKeys(t.Context(), "bob@x", someKeys); err != nil {
			t.Fatal(err)
		}
		if err := db.Accounts().Delete(t.Context(), "ada@x"); err != nil {
			t.Fatal(err)
		}
		wantStaff(t, db, directory.Account{JID: "bob@x"})
	})
}

// A vCard is made of what the directory says until its owner makes one.
func TestDirectoryCards(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		want := func(want string) {
			t.Helper()
			if got, _, err := db.VCards().Get(t.Context(), "ada@x"); err != nil || string(got) != want {
				t.Errorf("the vCard is %s, %v; want %s", got, err, want)
			}
		}
		step := func(c directory.Changes) { save(t, db, c, time.UnixMicro(1)) }
		more := ada
		more.Phone = "+1"
		step(directory.Changes{Create: []directory.Person{ada}})
		want(string(ada.VCard()))
		step(directory.Changes{Update: []directory.Person{more}})
		want(string(more.VCard()))
		more.Name = "Countess"
		step(directory.Changes{Update: []directory.Person{more}})
		if got := found(t, db, 5, "countess"+anyField); got != "ada" {
			t.Errorf("found: %q", got)
		}
		if hash, kept, err := db.VCards().Photo(t.Context(), 1); hash != "" || !kept || err != nil {
			t.Errorf("the picture: %q, %v, %v", hash, kept, err)
		}
		for _, own := range []string{"<vCard xmlns='vcard-temp'><FN>me</FN></vCard>", ""} { // the latter is none, on purpose
			if err := db.VCards().Set(t.Context(), "ada@x", []byte(own)); err != nil {
				t.Fatal(err)
			}
			step(directory.Changes{Update: []directory.Person{ada}})
			want(own)
			step(directory.Changes{Update: []directory.Person{more}})
			want(own)
		}
	})
}

// So many people are saved as there are.
func TestDirectoryOfMany(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		var c directory.Changes
		for i := range 2*saveTogether + 1 {
			c.Create = append(c.Create, directory.Person{Local: fmt.Sprintf("p%d", i)})
		}
		save(t, db, c, time.UnixMicro(1))
		if n, err := db.Accounts().Count(t.Context()); n != len(c.Create) || err != nil {
			t.Errorf("%d accounts, %v", n, err)
		}
	})
}

// What is the directory's is not changed here, as long as there is one and the
// person is in it.
func TestRegistrationsBesideADirectory(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		save(t, db, directory.Changes{Create: []directory.Person{ada, {Local: "bob"}}}, time.UnixMicro(1))
		beside := db.Registrations(sasl.MinIterations).Beside("x")
		err := beside.SetPassword(t.Context(), "ada@x", "secret")
		if !errors.Is(err, ErrPasswordElsewhere) || !errors.Is(err, stanza.ErrNotAllowed) {
			t.Errorf("the password was changed: %v", err)
		}
		err = beside.Remove(t.Context(), "ada@x")
		if !errors.Is(err, ErrAccountElsewhere) || !errors.Is(err, stanza.ErrNotAllowed) {
			t.Errorf("the account was removed: %v", err)
		}
		save(t, db, directory.Changes{Vanish: []jid.Bare{"ada@x"}}, time.UnixMicro(2))
		if err := beside.SetPassword(t.Context(), "ada@x", "secret"); !errors.Is(err, ErrPasswordElsewhere) {
			t.Errorf("the password was changed when she was gone: %v", err)
		}
		if err := beside.Remove(t.Context(), "ada@x"); err != nil {
			t.Errorf("it cannot be removed when she is gone: %v", err)
		}
		if err := beside.Create(t.Context(), "carol@x", "secret"); err != nil {
			t.Error(err)
		}
		if err := beside.SetPassword(t.Context(), "carol@x", "another"); err != nil {
			t.Errorf("an account of ours: %v", err)
		}
		if err := beside.Remove(t.Context(), "carol@x"); err != nil {
			t.Errorf("an account of ours: %v", err)
		}
		// Without a directory, or with one for others, bob is as everybody else.
		for _, r := range []*Registrations{db.Registrations(sasl.MinIterations), db.Registrations(sasl.MinIterations).Beside("y")} {
			if err := r.SetPassword(t.Context(), "bob@x", "secret"); err != nil {
				t.Error(err)
			}
		}
		wantStaff(t, db, directory.Account{JID: "bob@x"})
	})
}
