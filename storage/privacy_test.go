package storage

import (
	"errors"
	"slices"
	"testing"

	"rollcall/roster"
	"rollcall/roster/privacy"
)

// What a book shows after changes is what another book reads from the database.
func TestPrivacyListsAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		newAccount(t, db, "ada@x")
		b := privacy.NewBook(db.PrivacyLists(), privacy.Config{})
		change := func(what string, decide func(*privacy.Lists) (privacy.Change, error)) {
			t.Helper()
			if err := b.Change(ctx, "ada@x", decide, func(_, _ *privacy.Lists) {}); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			want, err := b.Of(ctx, "ada@x")
			if err != nil {
				t.Fatal(err)
			}
			got, err := privacy.NewBook(db.PrivacyLists(), privacy.Config{}).Of(ctx, "ada@x")
			if err != nil {
				t.Fatal(err)
			}
			if (got.Default() == nil) != (want.Default() == nil) || got.Default() != nil && got.Default().Name() != want.Default().Name() {
				t.Errorf("after %s the default list is %v, not %v", what, got.Default(), want.Default())
			}
			if !slices.EqualFunc(got.All(), want.All(), func(a, b *privacy.List) bool {
				return a.Name() == b.Name() && slices.Equal(a.Items(), b.Items())
			}) {
				t.Errorf("after %s: %v in the database, %v in memory", what, got.All(), want.All())
			}
		}
		put := func(name string, items ...privacy.Item) func(*privacy.Lists) (privacy.Change, error) {
			return func(l *privacy.Lists) (privacy.Change, error) { return l.Put(privacy.NewList(name, items)) }
		}
		change("nothing", func(l *privacy.Lists) (privacy.Change, error) { return l.Unblock(nil) })
		change("a list", put("work", privacy.Item{Type: privacy.Group, Value: `"Foes" & <co> \U0001F41D`, Action: privacy.Deny, Order: 1<<32 - 1, Kinds: privacy.Messages | privacy.PresencesOut},
			privacy.Item{Type: privacy.Subscription, Value: "both", Order: 0}, privacy.Item{Action: privacy.Deny, Order: 7}))
		change("another", put("home", privacy.Item{Order: 1}))
		change("a default", func(l *privacy.Lists) (privacy.Change, error) { return l.MakeDefault("home") })
		change("a block", func(l *privacy.Lists) (privacy.Change, error) { return l.Block([]string{"bob@x", "y", "y/z"}) })
		change("an edit", put("work", privacy.Item{Type: privacy.JID, Value: "a@b/c", Order: 3}))
		change("a removal", func(l *privacy.Lists) (privacy.Change, error) { return l.Remove("work") })
		change("an unblock", func(l *privacy.Lists) (privacy.Change, error) { return l.Unblock([]string{"y"}) })
		change("no default", func(l *privacy.Lists) (privacy.Change, error) { return l.DeclineDefault() })
		change("the last removal", func(l *privacy.Lists) (privacy.Change, error) { return l.Remove("home") })

		// Whoever gets the name of an account that is gone has nothing of it.
		change("a block", func(l *privacy.Lists) (privacy.Change, error) { return l.Block([]string{"bob@x"}) })
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		newAccount(t, db, "ada@x")
		got, err := privacy.NewBook(db.PrivacyLists(), privacy.Config{}).Of(ctx, "ada@x")
		if err != nil || len(got.All()) > 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestPrivacyListsOfNobody(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		if _, err := db.PrivacyLists().LoadLists(t.Context(), "nobody@x"); !errors.Is(err, roster.ErrNoAccount) {
			t.Errorf("loading: %v", err)
		}
		u := privacy.Update{After: 1, Change: privacy.Change{Put: privacy.NewList("l", []privacy.Item{{Order: 1}})}}
		if err := db.PrivacyLists().SaveLists(t.Context(), "nobody@x", u); !errors.Is(err, roster.ErrNoAccount) {
			t.Errorf("saving: %v", err)
		}
	})
}

// Two books, as of two nodes, change the lists of one account: no change is lost.
func TestTwoBooksOfLists(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		newAccount(t, db, "ada@x")
		one, two := privacy.NewBook(db.PrivacyLists(), privacy.Config{}), privacy.NewBook(db.PrivacyLists(), privacy.Config{})
		for i, b := range []*privacy.Book{one, two, one, two} {
			who := []string{"p" + string(rune('0'+i)) + "@x"}
			err := b.Change(ctx, "ada@x", func(l *privacy.Lists) (privacy.Change, error) { return l.Block(who) }, func(_, _ *privacy.Lists) {})
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := privacy.NewBook(db.PrivacyLists(), privacy.Config{}).Of(ctx, "ada@x")
		if err != nil || len(got.Default().Blocked()) != 4 {
			t.Errorf("%v, %v", got.Default().Blocked(), err)
		}
	})
}
