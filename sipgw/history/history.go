// Package history keeps which calls there were: of which device and whose it was, with
// whom, for how long, and how each of them ended. What is in the calls themselves nobody
// here knows.
package history

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall/presence"
)

// Call is a call of a device that is over.
type Call struct {
	ID     int64 // when, in microseconds since 1970, made unique
	Device presence.Subject
	Owner  presence.Subject // whose it was then; "" if it was nobody's alone
	Made   bool             // by the device; else it was called
	With   string           // the address of the other end
	Began  time.Time
	Answer time.Time // zero: nobody has answered

	// How is by what it ended, an event of RFC 4235 §3.7.1, and Code the status of a call
	// that was not taken, or 0. Cause is "audit" or "reboot" if nobody has said that it is
	// over, and Why tells more about that, in words.
	How   string
	Code  int
	Cause string
	Why   string
}

// At is when the call ended.
func (c *Call) At() time.Time { return time.UnixMicro(c.ID).UTC() }

// Query says which calls to read.
type Query struct {
	Subject presence.Subject // a device, or whose it was
	Since   time.Time        // the first moment of interest
	Older   int64            // an id, for the next page: only older ones; 0 is the newest
	Limit   int              // how many at most
}

// Store keeps calls.
type Store interface {
	// SaveCalls adds calls. One whose ID is there already is left out.
	SaveCalls(ctx context.Context, all []Call) error

	// Calls returns calls, the newest first.
	Calls(ctx context.Context, q Query) ([]Call, error)

	// ExpireCalls removes the oldest calls before a time, so many at most, and returns
	// how many there were.
	ExpireCalls(ctx context.Context, before time.Time, most int) (int64, error)
}

// Parts are what a history needs.
type Parts struct {
	Store Store
	Keep  time.Duration // how long calls are kept; 0 is forever
	Log   *slog.Logger
}

// History keeps calls. It is safe for use by many goroutines.
type History struct {
	parts Parts         // fixed
	wake  chan struct{} // holds a token if there is something to store

	storing sync.Mutex // held while calls are stored, so that they are in order

	mu      sync.Mutex // guards the fields below
	waiting []Call
	lost    int // calls that there was no room for
	last    int64
}

// New returns a history. [History.Run] stores what it is told.
func New(parts Parts) *History { return &History{parts: parts, wake: make(chan struct{}, 1)} }

const (
	mostWaiting = 8192        // calls that wait to be stored
	mostText    = 512         // bytes of an address, or of a reason
	together    = time.Second // so long calls wait for others
	lastFor     = 10 * time.Second
)

// Add takes up a call that has ended at a time. It does not block. What there is no room
// for, since nothing can be stored, is lost.
func (h *History) Add(c Call, at time.Time) {
	c.With, c.Why = short(c.With), short(c.Why)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) >= mostWaiting {
		h.lost++
		return
	}
	c.ID = max(h.last+1, at.UnixMicro())
	h.last = c.ID
	h.waiting = append(h.waiting, c)
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// short cuts a text off.
func short(s string) string { return s[:min(len(s), mostText)] }

// Calls returns calls that have ended, the newest first.
func (h *History) Calls(ctx context.Context, q Query) ([]Call, error) {
	if err := h.store(ctx); err != nil {
		return nil, err
	}
	return h.parts.Store.Calls(ctx, q)
}

// Run stores calls, and removes those that have been kept for long enough, until the
// context ends; then it stores what is left.
func (h *History) Run(ctx context.Context) {
	sweep := time.NewTimer(time.Minute)
	defer sweep.Stop()
	var due <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastFor)
			defer cancel()
			h.try(rest)
			return
		case <-h.wake:
			if due == nil {
				due = time.After(together)
			}
		case <-due:
			if due = nil; !h.try(ctx) {
				due = time.After(10 * together)
			}
		case <-sweep.C:
			sweep.Reset(h.sweep(ctx))
		}
	}
}

// try stores what waits, and says whether it could.
func (h *History) try(ctx context.Context) bool {
	err := h.store(ctx)
	if err != nil && ctx.Err() == nil {
		h.parts.Log.Error("calls that are over cannot be written down; it is tried again", "err", err)
	}
	h.mu.Lock()
	lost := h.lost
	h.lost = 0
	h.mu.Unlock()
	if lost > 0 {
		h.parts.Log.Error("calls are missing in the journal", "calls", lost)
	}
	return err == nil
}

// store stores what waits.
func (h *History) store(ctx context.Context) error {
	h.storing.Lock()
	defer h.storing.Unlock()
	h.mu.Lock()
	batch := h.waiting
	h.waiting = nil
	h.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := h.parts.Store.SaveCalls(ctx, batch)
	if err != nil {
		h.mu.Lock()
		h.waiting = append(batch, h.waiting...)
		h.mu.Unlock()
	}
	return err
}

// sweep removes some calls that have been kept for long enough, and says when to go on.
func (h *History) sweep(ctx context.Context) time.Duration {
	const step, pause = 500, 100 * time.Millisecond
	if h.parts.Keep <= 0 {
		return 24 * time.Hour
	}
	n, err := h.parts.Store.ExpireCalls(ctx, time.Now().Add(-h.parts.Keep), step)
	if err != nil && ctx.Err() == nil {
		h.parts.Log.Warn("old calls are not removed from the journal", "err", err)
	}
	if n < step {
		return time.Hour
	}
	return pause
}
