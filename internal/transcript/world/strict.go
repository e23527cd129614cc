package world

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
)

// strict fails the test on what somebody would have to act upon, unless that is
// expected.
type strict struct {
	slog.Handler
	t        testing.TB
	expected *expected
}

// Handle implements slog.Handler.
func (s *strict) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError && !s.expected.has(r.Message) {
		s.t.Errorf("the server logged an error: %s", r.Message)
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s *strict) WithAttrs(a []slog.Attr) slog.Handler {
	return &strict{s.Handler.WithAttrs(a), s.t, s.expected}
}

// WithGroup implements slog.Handler.
func (s *strict) WithGroup(name string) slog.Handler {
	return &strict{s.Handler.WithGroup(name), s.t, s.expected}
}

// expected are the errors that a test expects, by words in them.
type expected struct {
	mu    sync.Mutex
	words []string
}

func (e *expected) add(words string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.words = append(e.words, words)
}

func (e *expected) has(message string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.words, func(w string) bool { return strings.Contains(message, w) })
}
