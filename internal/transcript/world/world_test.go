package world

import (
	"testing"

	"rollcall/internal/transcript"
)

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
