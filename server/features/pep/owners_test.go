package pep

import (
	"context"
	"errors"
	"slices"
	"testing"

	"rollcall/presence"
	"rollcall/xmpp/jid"
)

// counted is a store that counts who asks.
type counted struct {
	Store
	owners []jid.Bare
	asked  int
	fails  error
}

// Owners implements Census.
func (c *counted) Owners(_ context.Context, f func(jid.Bare)) error {
	c.asked++
	for _, j := range c.owners {
		f(j)
	}
	return c.fails
}

// uncovered are views of people over whom nothing lies.
type uncovered struct{}

// Level implements Views.
func (uncovered) Level(jid.Bare, jid.Bare) presence.Level { return presence.Full }

// View implements Views.
func (uncovered) View(jid.Bare) View { return nil }

// Of those who have nothing nobody looks for nodes, however many contacts somebody has
// who comes.
func TestPromises(t *testing.T) {
	store := &counted{owners: []jid.Bare{"ada@x"}, fails: errors.New("no database")}
	f := New(store, nil, nil, uncovered{}, Config{})
	nodes := []string{nodeActivity, "urn:a"}
	promises := func(who jid.Bare) bool {
		t.Helper()
		some, err := f.promises(t.Context(), who, nodes)
		if err != nil {
			t.Fatal(err)
		}
		return some
	}
	if _, err := f.promises(t.Context(), "bob@x", nodes); !errors.Is(err, store.fails) {
		t.Errorf("without a database: %v", err)
	}
	store.fails = nil
	for range 10 {
		if promises("bob@x") || !promises("ada@x") {
			t.Fatal("ada has nodes, and bob none")
		}
	}
	if store.asked != 2 {
		t.Errorf("the store was asked %d times", store.asked)
	}
	if f.owners.add("bob@x"); !promises("bob@x") {
		t.Error("bob has nodes now")
	}
	f.shelves.put("bob@x", newShelf([]Node{{Name: "urn:b", Items: 1, Options: defaults("urn:b")}}))
	if promises("bob@x") {
		t.Error("bob has none of those")
	}
}

// What is remembered of others is forgotten with whom it names.
func TestNaming(t *testing.T) {
	f := New(nil, nil, nil, uncovered{}, Config{})
	f.shelves.put("ada@x", newShelf([]Node{{Name: "n", Affiliations: []Affiliation{{"dan@x", Member}}}}))
	f.shelves.put("bob@x", newShelf([]Node{{Name: "n", Subscribers: []jid.JID{jid.MustParse("dan@x/home")}}}))
	f.shelves.put("cat@x", newShelf([]Node{{Name: "n", Subscribers: []jid.JID{jid.MustParse("danny@x")}}}))
	got := f.shelves.naming("dan@x")
	if slices.Sort(got); !slices.Equal(got, []jid.Bare{"ada@x", "bob@x"}) {
		t.Errorf("dan is named by %v", got)
	}
}
