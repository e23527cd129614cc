package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/roster"
	"rollcall/xmpp/jid"
)

func newGroups(db *DB) *roster.Groups {
	return roster.NewGroups(roster.GroupParts{
		Store: db.Groups(), Book: roster.NewBook(db.Rosters(), roster.Config{}), Log: slog.New(slog.DiscardHandler),
		Accounts: func(ctx context.Context) ([]jid.Bare, error) { return db.Accounts().Everybody(ctx, "x") },
	}, roster.GroupConfig{})
}

func member(who jid.Bare, name string) roster.Member { return roster.Member{JID: who, Name: name} }

// What groups are after each change is what the database has.
func TestGroupsAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		g := newGroups(db)
		yes, no, title := true, false, `Die "Pflege" \ 🐝`
		for _, step := range []struct {
			what string
			err  error
		}{
			{"add", g.Add(ctx, roster.Group{Name: "b", Mutual: true, Members: []roster.Member{member("ada@x", "Dr. Ada"), member("zo\u00eb@x", "")}})},
			{"add another", g.Add(ctx, roster.Group{Name: "a", Title: "A", Members: []roster.Member{member("ada@x", ""), member("door@phones.y", "Door")}})},
			{"show", g.SetVisible(ctx, "a", "b", true)},
			{"show the other way", g.SetVisible(ctx, "b", "a", true)},
			{"set", g.Set(ctx, "b", roster.GroupChange{Title: &title, Everybody: &yes, Mutual: &no})},
			{"join", g.Join(ctx, "a", member("bob@x", "Bob"), member("ada@x", "Ada"))},
			{"leave", g.Leave(ctx, "a", "bob@x", "door@phones.y")},
			{"hide", g.SetVisible(ctx, "b", "a", false)},
			{"keep", g.Sync(ctx, "ldap", []roster.Group{{Name: "c", Title: "C", Mutual: true, Members: []roster.Member{member("cy@x", "")}}, {Name: "d"}})},
			{"keep less", g.Sync(ctx, "ldap", []roster.Group{{Name: "c", Title: "Cc"}})},
			{"set members", g.SetMembers(ctx, "b", nil)},
			{"remove", g.Remove(ctx, "b")},
		} {
			if step.err != nil {
				t.Fatalf("%s: %v", step.what, step.err)
			}
		}
		if err := sameGroups(ctx, g, db); err != nil {
			t.Error(err)
		}
		list, err := db.Groups().LoadGroups(ctx)
		if err != nil || len(list) != 2 || list[0].Name != "a" || len(list[0].VisibleTo) != 0 || len(list[0].Members) != 1 || list[0].Members[0].Name != "Ada" {
			t.Errorf("there are %+v, %v", list, err)
		}
	})
}

// sameGroups compares the groups with those in the database.
func sameGroups(ctx context.Context, g *roster.Groups, db *DB) error {
	want, err := g.List(ctx)
	if err != nil {
		return err
	}
	got, err := db.Groups().LoadGroups(ctx)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		return fmt.Errorf("in memory (-) and in the database (+), %v:\n%s", err, diff)
	}
	return nil
}

// Changes are made all or not at all.
func TestGroupsAreWhole(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		err := db.Groups().SaveGroups(ctx, []roster.GroupUpdate{
			{Name: "a", Put: &roster.Group{Name: "a", Title: "A"}},
			{Name: "no such group", Join: []roster.Member{member("ada@x", "")}},
		})
		if err == nil {
			t.Error("somebody is a member of nothing")
		}
		if list, err := db.Groups().LoadGroups(ctx); err != nil || len(list) != 0 {
			t.Errorf("there are %+v, %v", list, err)
		}
	})
}

// An account that is removed is out of all groups; others are not.
func TestRemovedAccountLeavesGroups(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		for _, who := range []jid.Bare{"ada@x", "bob@x", "eve@guests"} {
			newAccount(t, db, who)
		}
		if all, err := db.Accounts().Everybody(ctx, "x"); err != nil || !slices.Equal(all, []jid.Bare{"ada@x", "bob@x"}) {
			t.Errorf("everybody is %v, %v", all, err)
		}
		g := newGroups(db)
		for _, name := range []string{"a", "b"} {
			if err := g.Add(ctx, roster.Group{Name: name, Members: []roster.Member{member("ada@x", ""), member("bob@x", "")}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(db.Accounts().Delete(ctx, "ada@x"), g.AccountRemoved(ctx, "ada@x"), sameGroups(ctx, g, db)); err != nil {
			t.Error(err)
		}
		list, err := db.Groups().LoadGroups(ctx)
		if err != nil || len(list) != 2 || len(list[0].Members) != 1 || len(list[1].Members) != 1 {
			t.Errorf("there are %+v, %v", list, err)
		}
	})
}

// What people say of those whom a group shows is kept with the rest of the roster.
func TestSharedContactIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		newAccount(t, db, "ada@x")
		newAccount(t, db, "bob@x")
		b := roster.NewBook(db.Rosters(), roster.Config{})
		d := roster.NewDirectory([]roster.Group{{Name: "g", Title: "\u00c4rzte", Mutual: true, Members: []roster.Member{member("ada@x", ""), member("bob@x", "")}}}, nil)
		if err := b.Adopt(ctx, d); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Set(ctx, "ada@x", roster.Edit{Contact: "bob@x", Name: "Bobby", Groups: []string{"Tea"}}, nil); err != nil {
			t.Fatal(err)
		}
		c, err := db.Rosters().LoadRoster(ctx, "ada@x")
		want := roster.Item{Contact: "bob@x", Name: "Bobby", Groups: []string{"Tea"}, Left: []string{"\u00c4rzte"}, Noted: true, Version: 1}
		if err != nil || len(c.Items) != 1 || !cmp.Equal(c.Items[0], want) {
			t.Errorf("kept is %+v, %v", c.Items, err)
		}
	})
}
