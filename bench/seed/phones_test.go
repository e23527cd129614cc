package main

import (
	"path/filepath"
	"testing"

	"rollcall/presence/device"
	"rollcall/roster"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// Devices can prove who they are, and are seen by those of their part.
func TestSeedPhones(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := seeder{domain: "localhost", password: "passpass", iterations: 4096}
	devices := []deviceGroup{{prefix: "dev", count: 5, shown: 4, parts: 2, seenBy: "see", people: 4}, {prefix: "pub", count: 2}}
	for range 2 { // the second time there is nothing to do
		if err := s.run(t.Context(), path, []group{{prefix: "see", count: 4}}); err != nil {
			t.Fatal(err)
		}
		if err := s.phones(t.Context(), path, "phones.localhost", devices); err != nil {
			t.Fatal(err)
		}
	}
	db, err := storage.Open(t.Context(), storage.Config{Driver: storage.SQLite, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := device.NewRegister(db.Devices(), device.Config{Domain: "phones.localhost"})
	if err := all.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := device.NewKey("pub1", "phones.localhost", "passpass")
	if d := all.Picture().ByUser("pub1"); err != nil || all.Picture().Len() != 7 || d == nil || d.Key != want {
		t.Errorf("there are %d devices; pub1 is %+v", all.Picture().Len(), d)
	}
	groups, err := db.Groups().LoadGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := roster.NewDirectory(groups, nil)
	for _, tt := range []struct {
		who, whom jid.Bare
		want      bool
	}{
		{"see0@localhost", "dev0@phones.localhost", true},
		{"see1@localhost", "dev1@phones.localhost", true},
		{"see1@localhost", "dev2@phones.localhost", false},
		{"see2@localhost", "dev3@phones.localhost", true},
		{"see2@localhost", "dev4@phones.localhost", false},
		{"see0@localhost", "see1@localhost", false},
	} {
		if got := seen.Sees(tt.who, tt.whom); got != tt.want {
			t.Errorf("%s sees %s: %v, want %v", tt.who, tt.whom, got, tt.want)
		}
	}
}
