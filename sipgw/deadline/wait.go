package deadline

import (
	"context"
	"time"
)

// atLeast keeps a crowd of things that end one after another from being looked at
// one by one.
const atLeast = 100 * time.Millisecond

// Wait waits until it is time, or something is to be done sooner than was known, or
// the context ends. The zero time is never.
func Wait(ctx context.Context, until time.Time, sooner <-chan struct{}) {
	var timer <-chan time.Time
	if !until.IsZero() {
		timer = time.After(max(time.Until(until), atLeast))
	}
	select {
	case <-timer:
	case <-sooner:
	case <-ctx.Done():
	}
}
