// Package migrations holds the steps that bring an empty database to the one
// that this program works with: the same numbers and names for SQLite and for
// PostgreSQL, applied in order, never changed once released and never undone.
package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Migration is one step.
type Migration struct {
	Version  int    // 1 for the first
	Name     string // "core" of 0001_core.sql
	SQL      string
	Checksum string // of SQL
}

// For returns the steps for a kind of database, "sqlite" or "postgres".
func For(kind string) ([]Migration, error) {
	entries, err := files.ReadDir(kind)
	if err != nil {
		return nil, fmt.Errorf("migrations: there are none for %q", kind)
	}
	out := make([]Migration, 0, len(entries))
	for i, e := range entries { // sorted by name
		text, err := files.ReadFile(path.Join(kind, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		number, name, _ := strings.Cut(strings.TrimSuffix(e.Name(), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 || name == "" {
			return nil, fmt.Errorf("migrations: %s/%s should be named %04d_what.sql", kind, e.Name(), i+1)
		}
		sum := sha256.Sum256(text)
		out = append(out, Migration{version, name, string(text), hex.EncodeToString(sum[:])})
	}
	return out, nil
}
