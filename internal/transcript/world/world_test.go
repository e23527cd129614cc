package world

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"rollcall/internal/transcript"
)

// TestEveryFeature wants every feature to be part of what is talked to.
func TestEveryFeature(t *testing.T) {
	const dir = "../../../server/features"
	listed := map[string]bool{}
	cfg, err := configuration(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range features(&World{}, cfg) {
		listed[f.Info().Name] = true
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

func TestConfigLines(t *testing.T) {
	if _, err := configuration(map[string]string{"archive.colour": `"blue"`}); err == nil {
		t.Error("an unknown key was taken")
	}
	cfg, err := configuration(map[string]string{"archive.enabled": "false"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.ArchiveEnabled || cfg.Server.Domains[0].Name != transcript.Domain {
		t.Errorf("the lines were not taken: %+v", cfg)
	}
}
