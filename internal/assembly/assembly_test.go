package assembly

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"rollcall/config"
	"rollcall/presence"
	"rollcall/storage"
)

// TestEveryFeature wants every feature to be in the list.
func TestEveryFeature(t *testing.T) {
	const dir = "../../server/features"
	listed := map[string]bool{}
	infos, err := Infos(config.Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range infos {
		listed[i.Name] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() || listed[e.Name()] {
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, e.Name(), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte("\nfunc New(")) {
				t.Errorf("the feature %s is not listed", e.Name())
			}
		}
	}
}

// What can change while the server runs is taken up by those whom it concerns.
func TestConfigure(t *testing.T) {
	db, err := storage.Open(t.Context(), storage.Config{Driver: storage.SQLite, Path: storage.Memory})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	a, err := New(t.Context(), t.Context(), Options{Config: cfg, Streams: cfg.C2S, DB: db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	closed, without := a.Registration.StreamFeature("localhost"), a.Server.StreamFeatures("localhost")
	cfg.Registration.Open = true
	cfg.Contact.Abuse = []string{"mailto:abuse@example.org"}
	cfg.Presence.Language = "de"
	a.Configure(cfg)
	if s, ok := a.Engine.Catalogue().Lookup(presence.Person, "break"); !ok || s.Name(a.Engine.Catalogue().Language()) != "Pause" {
		t.Errorf("the states are not those of the configuration: %+v", s)
	}
	if closed != nil || a.Registration.StreamFeature("localhost") == nil {
		t.Error("registration was not opened")
	}
	if with := a.Server.StreamFeatures("localhost"); bytes.Equal(with, without) {
		t.Errorf("the addresses do not count in the server's capabilities: %s", with)
	}
}
