package world

import (
	"os"
	"strings"
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
		files, err := os.ReadDir(dir + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f.Name(), ".go") {
				t.Errorf("the feature %s is not listed", e.Name())
				break
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
	if cfg.Archive.Enabled || cfg.Server.Domains[0].Name != transcript.Domain {
		t.Errorf("the lines were not taken: %+v", cfg)
	}
}
