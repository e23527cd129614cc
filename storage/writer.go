package storage

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rollcall/server"
)

// Limits of what waits to be written. A sender over them is held back.
const (
	maxWaiting      = 8 << 20 // bytes
	maxWaitingCount = 16384   // messages
)

const (
	// gatherFor is the least time between two commits that have little to do:
	// what comes meanwhile shares the next one. It delays acks, not messages.
	gatherFor = 5 * time.Millisecond

	// plenty is how many messages are worth a commit of their own.
	plenty = 256
)

// Outcome hears what became of messages, on the writer's goroutine and after
// the commit. Its functions must not block.
type Outcome interface {
	// Lost is called for a message that could not be stored. What it points to
	// is valid during the call.
	Lost(k *server.Kept, err error)
	// Waits is called for an offline message that is stored, or is not.
	Waits(account, id int64, stored bool)
	// Gone is called for an offline message that is removed.
	Gone(account, id int64)
}

// Writer is the server's Keeper: it stores messages, for archives and for those
// who are away, all that wait in one transaction. A transaction ends on the
// disk before anybody hears that a message is stored.
//
// The index of the archives is written behind, see indexer.
type Writer struct {
	db  *DB          // fixed
	log *slog.Logger // fixed

	// Owned by the goroutine of Run.
	index   indexer
	spare   *batch    // to be filled next
	began   time.Time // when the last commit was begun
	down    bool      // the last write failed
	outcome Outcome

	wake chan struct{} // holds a token if there is something to do

	mu      sync.Mutex // guards the fields below
	room    sync.Cond  // signalled when there is room again
	filling *batch
	writing *batch // nil while nothing is written
	issued  server.Ticket
	settled server.Ticket
	failed  []span // tickets of the last failed writes
	ready   bool   // what an earlier run left is in the index
	closed  bool   // Run has ended, nothing is stored any more
	waiting []caughtUp
}

type span struct{ first, last server.Ticket }

// caughtUp wants to know when all that was handed in is stored and an owner's
// messages are in the index.
type caughtUp struct {
	owner int64
	done  chan error
}

// NewWriter returns a writer for the database. It does nothing before Run.
func (db *DB) NewWriter(log *slog.Logger) *Writer {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	w := &Writer{db: db, log: log, wake: make(chan struct{}, 1), filling: &batch{}, spare: &batch{}}
	w.filling.reset(1)
	w.room.L = &w.mu
	return w
}

// LastID returns the highest id in the archives and of what waits.
func (db *DB) LastID(ctx context.Context) (id int64, err error) {
	_, err = db.one(ctx, "archive.last", nil, &id)
	return id, err
}

// Keep implements server.Keeper.
func (w *Writer) Keep(k *server.Kept) server.Ticket {
	w.mu.Lock()
	for !w.closed && !w.filling.room(len(k.Stanza)) {
		w.room.Wait()
	}
	w.issued++
	t := w.issued
	if w.closed {
		w.settled = t
		outcome := w.outcome
		w.mu.Unlock()
		if outcome != nil {
			lose(outcome, k, ErrUnavailable)
		}
		return t
	}
	w.filling.add(t, k)
	w.mu.Unlock()
	w.poke()
	return t
}

// drop has offline messages removed.
func (w *Writer) drop(account int64, ids []int64) {
	w.mu.Lock()
	for _, id := range ids {
		w.filling.drops = append(w.filling.drops, waiter{account, id})
	}
	w.mu.Unlock()
	w.poke()
}

func (w *Writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Settled implements server.Keeper.
func (w *Writer) Settled() server.Ticket {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settled
}

// WhenSettled implements server.Keeper.
func (w *Writer) WhenSettled(t server.Ticket, f func(stored bool)) {
	w.mu.Lock()
	switch {
	case t <= w.settled:
		ok := true
		for _, s := range w.failed {
			ok = ok && (t < s.first || t > s.last)
		}
		w.mu.Unlock()
		f(ok)
		return
	case w.writing != nil && t <= w.writing.last:
		w.writing.callers = append(w.writing.callers, f)
	default:
		w.filling.callers = append(w.filling.callers, f)
	}
	w.mu.Unlock()
}

// WhenStored calls f when all that was handed in so far is settled, with false if the
// write of the last of it failed. f must not block.
func (w *Writer) WhenStored(f func(stored bool)) {
	w.mu.Lock()
	t := w.issued
	w.mu.Unlock()
	w.WhenSettled(t, f)
}

// catchUp returns when all that was handed in before is settled, and the
// owner's messages are in the index.
func (w *Writer) catchUp(ctx context.Context, owner int64) error {
	c := caughtUp{owner, make(chan error, 1)}
	w.mu.Lock()
	idle := w.ready && w.writing == nil && len(w.filling.rows) == 0
	if w.closed || idle && !w.index.has(owner) {
		w.mu.Unlock()
		return nil
	}
	w.waiting = append(w.waiting, c)
	w.mu.Unlock()
	w.poke()
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run writes until ctx is done, and then what is left. Nobody may hand anything
// in after that. It runs once.
func (w *Writer) Run(ctx context.Context, outcome Outcome) error {
	w.outcome = outcome
	if err := w.recover(ctx); err != nil && ctx.Err() == nil {
		w.close(err)
		return err
	}
	w.mu.Lock()
	w.ready = true
	w.mu.Unlock()
	timer := time.NewTimer(indexAfter)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-w.wake:
			w.gather(ctx)
			w.turn(ctx)
		case <-timer.C:
			timer.Reset(indexAfter)
			w.turn(ctx) // with removals that failed
			w.writeIndex(ctx, false)
		case <-ctx.Done():
		}
	}
	for w.turn(ctx) && !w.down { // with the rest
	}
	w.writeIndex(ctx, true)
	w.close(nil)
	return nil
}

// gather waits a moment if there was a commit just now, so that more shares the
// next one.
func (w *Writer) gather(ctx context.Context) {
	left := gatherFor - time.Since(w.began)
	if left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	for {
		w.mu.Lock()
		enough := len(w.filling.rows) >= plenty
		w.mu.Unlock()
		if enough {
			return
		}
		select {
		case <-timer.C:
			return
		case <-w.wake:
		case <-ctx.Done():
			return
		}
	}
}

// turn writes what waits, if anything does, and answers those who wait for it.
func (w *Writer) turn(ctx context.Context) (some bool) {
	w.mu.Lock()
	b, asked := w.filling, w.waiting
	w.waiting = nil
	if b.empty() {
		b = nil
	} else {
		w.writing, w.filling, w.spare = b, w.spare, nil
		w.filling.reset(w.issued + 1)
		w.room.Broadcast()
	}
	w.mu.Unlock()
	if b != nil {
		w.began = time.Now()
		w.write(ctx, b)
		b.reset(0)
		w.spare = b
	}
	w.answer(ctx, asked)
	if len(w.index.entries) >= indexMany {
		w.writeIndex(ctx, false)
	}
	return b != nil
}

// answer indexes what is asked for.
func (w *Writer) answer(ctx context.Context, asked []caughtUp) {
	for _, c := range asked {
		var err error
		if w.index.has(c.owner) {
			err = w.writeIndex(ctx, false)
		}
		c.done <- err
	}
}

// settle ends a batch: all who wait for it hear how it went, in the order in
// which they asked. It counts as settled only then, lest somebody who asks later
// be told earlier: a client would see the count of its acks go back.
func (w *Writer) settle(b *batch, stored bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(b.callers) > 0 {
		callers := b.callers
		b.callers = nil
		w.mu.Unlock()
		for _, f := range callers {
			f(stored)
		}
		w.mu.Lock()
	}
	if b.last > w.settled {
		w.settled = b.last
	}
	if !stored {
		w.failed = append(w.failed, span{b.first, b.last})
		if n := len(w.failed); n > rememberFailed {
			w.failed = w.failed[n-rememberFailed:]
		}
	}
	w.writing = nil
}

// rememberFailed is for those who ask how a write went that has just ended.
const rememberFailed = 16

// close has all that is still handed in reported as lost.
func (w *Writer) close(err error) {
	w.mu.Lock()
	w.closed = true
	b, asked := w.filling, w.waiting
	w.waiting = nil
	w.room.Broadcast()
	w.mu.Unlock()
	if !b.empty() {
		if err == nil {
			err = ErrUnavailable
		}
		w.lose(b, err)
		w.settle(b, false)
	}
	for _, c := range asked {
		c.done <- err
	}
}
