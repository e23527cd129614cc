package storage

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed *.sql
var queryFiles embed.FS

const queryMark = "-- name: "

// loadQueries reads the named queries of all .sql files. A line "-- name: x"
// begins query x; what stands before the first such line is a comment.
func loadQueries() (map[string]string, error) {
	entries, err := queryFiles.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	out := make(map[string]string)
	for _, e := range entries {
		text, err := queryFiles.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("storage: %w", err)
		}
		if err := splitQueries(strings.TrimSuffix(e.Name(), ".sql"), string(text), out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func splitQueries(file, text string, into map[string]string) error {
	parts := strings.Split("\n"+text, "\n"+queryMark)
	for _, part := range parts[1:] {
		name, body, _ := strings.Cut(part, "\n")
		name = file + "." + strings.TrimSpace(name)
		body = strings.TrimSuffix(strings.TrimSpace(body), ";")
		if body == "" || into[name] != "" {
			return fmt.Errorf("storage: query %s is empty or there twice", name)
		}
		into[name] = body
	}
	return nil
}
