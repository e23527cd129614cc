package main

import (
	"path/filepath"
	"testing"

	"rollcall/roster"
	"rollcall/storage"
)

// What is seeded is what the load tool insists on: mutual neighbours, and
// watchers and publishers who agree with each other.
func TestSeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	groups := []group{
		{prefix: "user", count: 2},
		{prefix: "wat", count: 3, contacts: every("pub", 2, roster.To)},
		{prefix: "pub", count: 2, contacts: every("wat", 3, roster.From)},
		{prefix: "storm", count: 6, contacts: neighbours("storm", 6, 4)},
		{prefix: "own", count: 5, contacts: neighbours("own", 5, 4)},
		{prefix: "lst", count: 2, blocks: 3},
		{prefix: "shr", count: 3, shared: true},
	}
	s := seeder{domain: "localhost", password: "pass", iterations: 4096}
	for range 2 { // the second time there is nothing to do
		if err := s.run(t.Context(), path, groups); err != nil {
			t.Fatal(err)
		}
	}
	db, err := storage.Open(t.Context(), storage.Config{Driver: storage.SQLite, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n, err := db.Accounts().Count(t.Context()); n != 23 || err != nil {
		t.Errorf("%d accounts, %v; want 23", n, err)
	}
	book := roster.NewBook(db.Rosters(), roster.Config{})
	for _, tt := range []struct {
		prefix string
		i      int
		other  string
		j      int
		want   roster.State
	}{
		{"wat", 2, "pub", 1, roster.To},
		{"pub", 1, "wat", 2, roster.From},
		{"storm", 0, "storm", 1, roster.Both},
		{"storm", 0, "storm", 4, roster.Both},
		{"storm", 0, "storm", 3, roster.None},
		{"user", 0, "user", 1, roster.None},
		{"own", 0, "own", 2, roster.Both},
		{"own", 4, "own", 0, roster.Both},
	} {
		r, err := book.Of(t.Context(), s.who(tt.prefix, tt.i))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.State(s.who(tt.other, tt.j)); got != tt.want {
			t.Errorf("%s%d has %s%d as %v, want %v", tt.prefix, tt.i, tt.other, tt.j, got, tt.want)
		}
	}
	lists, err := db.PrivacyLists().LoadLists(t.Context(), s.who("lst", 1))
	if err != nil || lists.Default != "blocked" || len(lists.Lists) != 1 || len(lists.Lists[0].Items()) != 3 {
		t.Errorf("the lists are %+v, %v", lists, err)
	}
	shared, err := db.Groups().LoadGroups(t.Context())
	if err != nil || len(shared) != 1 || !shared[0].Mutual || len(shared[0].Members) != 3 {
		t.Errorf("the shared groups are %+v, %v", shared, err)
	}
}
