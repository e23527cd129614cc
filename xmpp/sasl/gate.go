package sasl

import (
	"context"
	"fmt"
	"runtime"
)

// Gate bounds how many passwords are salted at once, so that logins with PLAIN
// cannot take every core from everybody who is logged in. It is safe for
// concurrent use; make one and share it.
type Gate struct {
	slots chan struct{}
}

// NewGate lets n through at a time; with n below 1, as many as there are cores.
func NewGate(n int) *Gate {
	if n < 1 {
		n = runtime.GOMAXPROCS(0)
	}
	return &Gate{slots: make(chan struct{}, n)}
}

// shared is for configurations without a gate of their own.
var shared = NewGate(0)

// Do runs f when there is room for it, or fails with ErrTemporary when ctx is
// done first.
func (g *Gate) Do(ctx context.Context, f func()) error {
	if g == nil {
		g = shared
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrTemporary, err)
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrTemporary, ctx.Err())
	}
	defer func() { <-g.slots }()
	f()
	return nil
}
