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
		{"wat", 3, every("pub", 2, roster.To)},
		{"pub", 2, every("wat", 3, roster.From)},
		{"storm", 6, neighbours("storm", 6, 4)},
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
	if n, err := db.Accounts().Count(t.Context()); n != 13 || err != nil {
		t.Errorf("%d accounts, %v; want 13", n, err)
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
	} {
		r, err := book.Of(t.Context(), s.who(tt.prefix, tt.i))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.State(s.who(tt.other, tt.j)); got != tt.want {
			t.Errorf("%s%d has %s%d as %v, want %v", tt.prefix, tt.i, tt.other, tt.j, got, tt.want)
		}
	}
}
