package assembly

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"rollcall/config"
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
