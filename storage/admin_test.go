package storage

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/roster/privacy"
	"rollcall/server"
	"rollcall/server/features/announcements"
	"rollcall/xmpp/jid"
)

func TestAdmit(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Accounts()
		id := newAccount(t, db, "ada@x")
		if has, err := s.Admit(ctx, id); err != nil || has != (Holdings{}) {
			t.Errorf("an account that is as it was made: %v, %+v", err, has)
		}
		for n, c := range []privacy.Change{{Put: privacy.NewList("a", nil)}, {Remove: "a"}} {
			if err := db.PrivacyLists().SaveLists(ctx, "ada@x", privacy.Update{Before: uint32(n), After: uint32(n + 1), Change: c}); err != nil {
				t.Fatal(err)
			}
			if has, err := s.Admit(ctx, id); err != nil || has != (Holdings{Lists: true}) {
				t.Errorf("after %d changes of its lists: %v, %+v", n+1, err, has)
			}
		}
		for _, card := range []string{"<vCard xmlns='vcard-temp'/>", ""} {
			if err := db.VCards().Set(ctx, "ada@x", []byte(card)); err != nil {
				t.Fatal(err)
			}
			if has, err := s.Admit(ctx, id); err != nil || has != (Holdings{Lists: true, VCard: true}) {
				t.Errorf("with the vCard %q: %v, %+v", card, err, has)
			}
		}
		if err := s.Disable(ctx, "ada@x", true); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Admit(ctx, id); !errors.Is(err, server.ErrDisabled) {
			t.Errorf("disabled: %v", err)
		}
		if err := s.Disable(ctx, "ada@x", false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Admit(ctx, id); err != nil {
			t.Errorf("enabled again: %v", err)
		}
		if err := s.Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		newAccount(t, db, "ada@x") // another one, of the same name
		if _, err := s.Admit(ctx, id); !errors.Is(err, ErrNoAccount) {
			t.Errorf("removed: %v", err)
		}
	})
}

func TestDisabledAccountsAreListedAndCounted(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Accounts()
		for _, who := range []jid.Bare{"ada@x", "bob@x", "carol@x", "dan@x"} {
			newAccount(t, db, who)
		}
		for _, who := range []jid.Bare{"ada@x", "carol@x", "dan@x"} {
			if err := s.Disable(ctx, who, true); err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.ListDisabled(ctx, "ada@x", 5)
		if err != nil || len(list) != 2 || list[0].JID != "carol@x" || list[1].JID != "dan@x" || !list[0].Disabled {
			t.Errorf("after ada: %v, %v", list, err)
		}
		if list, err := s.ListDisabled(ctx, "", 1); err != nil || len(list) != 1 || list[0].JID != "ada@x" {
			t.Errorf("the first: %v, %v", list, err)
		}
		if n, err := s.CountDisabled(ctx); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestLoggedIn(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Accounts()
		ada, bob := newAccount(t, db, "ada@x"), newAccount(t, db, "bob@x")
		first := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for _, at := range []time.Time{first, first.Add(time.Hour), first.Add(time.Minute)} { // the last one came late
			if err := s.LoggedIn(ctx, map[int64]time.Time{int64(ada): at, 4711: at}); err != nil {
				t.Fatal(err)
			}
		}
		list, err := s.List(ctx, "", 10)
		if err != nil || len(list) != 2 || !list[0].LastLogin.Equal(first.Add(time.Hour)) || !list[1].LastLogin.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		if a, err := s.Lookup(ctx, "ada@x"); err != nil || !a.LastLogin.Equal(first.Add(time.Hour)) {
			t.Errorf("%+v, %v", a, err)
		}
		if err := s.Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		if hashes, err := s.Hashes(ctx, bob); err != nil || hashes != nil {
			t.Errorf("bob has no password, and %v, %v", hashes, err)
		}
		if err := s.SetKeys(ctx, "bob@x", someKeys); err != nil {
			t.Fatal(err)
		}
		if hashes, err := s.Hashes(ctx, bob); err != nil || !slices.Equal(hashes, []string{"SCRAM-SHA-1", "SCRAM-SHA-256"}) {
			t.Errorf("bob has %v, %v", hashes, err)
		}
	})
}

func TestMotd(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Motd()
		want := func(w announcements.Motd) {
			t.Helper()
			got, err := s.Load(ctx)
			if err != nil || got.Body != w.Body || !got.Changed.Equal(w.Changed) {
				t.Errorf("the message is %+v, %v; want %+v", got, err, w)
			}
		}
		shown := func(now, since time.Time, accounts []int64, want ...int64) {
			t.Helper()
			due, err := s.Show(ctx, accounts, now, since)
			if err != nil || !slices.Equal(due, want) {
				t.Errorf("at %v: shown to %v, %v; want %v", now, due, err, want)
			}
		}
		want(announcements.Motd{})
		if had, err := s.Drop(ctx); had || err != nil {
			t.Errorf("nothing was dropped: %v, %v", had, err)
		}
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		for i, edit := range []bool{true, false, true} { // the first edits what is not there
			now := at.Add(time.Duration(i) * time.Hour)
			if err := s.Set(ctx, "tea", now, edit); err != nil {
				t.Fatal(err)
			}
			want(announcements.Motd{Body: "tea", Changed: at.Add(time.Duration(min(i, 1)) * time.Hour)})
		}
		ada, bob := int64(newAccount(t, db, "ada@x")), int64(newAccount(t, db, "bob@x"))
		shown(at, at, []int64{ada}, ada)
		shown(at.Add(1*time.Hour), at, []int64{ada})
		shown(at.Add(1*time.Hour), at, []int64{ada, bob, 4711}, bob) // who is gone is passed over
		shown(at.Add(2*time.Hour), at.Add(90*time.Minute), []int64{bob, ada}, bob, ada)
		shown(at.Add(3*time.Hour), at.Add(90*time.Minute), []int64{ada, bob})
		if had, err := s.Drop(ctx); !had || err != nil {
			t.Errorf("it was dropped: %v, %v", had, err)
		}
		want(announcements.Motd{})
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAudit(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Audit()
		at := time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)
		var all []Act
		for i, who := range []string{"ada@x/desk", "uid 0", "ada@xy/desk", "ada@x", "ada@x/phone"} {
			a := Act{
				ID: int64(i + 1), At: at.Add(time.Duration(i) * time.Hour), Who: who, Origin: "192.0.2.1",
				Action: "account.remove", Subject: "bob@x carol@x", Detail: "max_items=3", Outcome: "it's not \U0001f4a5",
			}
			if err := s.Add(ctx, a); err != nil {
				t.Fatal(err)
			}
			all = append(all, a)
		}
		slices.Reverse(all)
		want := func(what string, f ActFilter, want ...Act) {
			t.Helper()
			got, err := s.Page(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s:\n%s", what, diff)
			}
		}
		want("all", ActFilter{Limit: 9}, all...)
		want("the newest", ActFilter{Limit: 2}, all[:2]...)
		want("the next", ActFilter{Limit: 2, Before: all[1].ID}, all[2:4]...)
		want("since then", ActFilter{Limit: 9, Since: at.Add(3 * time.Hour)}, all[:2]...)
		want("ada's clients", ActFilter{Limit: 9, Who: "ada@x"}, all[0], all[1], all[4])
		want("one client", ActFilter{Limit: 9, Who: "ada@x/desk"}, all[4])
		want("root", ActFilter{Limit: 9, Who: "uid 0"}, all[3])
		want("nobody", ActFilter{Limit: 9, Who: "a%"})
		if n, err := s.Expire(ctx, at.Add(2*time.Hour)); n != 2 || err != nil {
			t.Errorf("%d expired, %v; want 2", n, err)
		}
		want("what is left", ActFilter{Limit: 9}, all[:3]...)

		long := make([]rune, 3000)
		for i := range long {
			long[i] = 'ä'
		}
		if err := s.Add(ctx, Act{At: at, Subject: string(long)}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Page(ctx, ActFilter{Limit: 1})
		if err != nil || len(got) != 1 || len(got[0].Subject) > maxActText+3 || len(got[0].Subject) < maxActText {
			t.Errorf("a long one: %d bytes, %v", len(got[0].Subject), err)
		}
	})
}
