package presence

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Record is what is kept of a subject over a restart.
type Record struct {
	Subject Subject
	Kind    Kind
	Version uint64
	State   string    // that is shown; "" is none yet
	Since   time.Time // when it began
	Last    int64     // its latest entry in the journal; 0: there is none
	Said    []Contribution
}

// Start is what is known about the runs before this one.
type Start struct {
	Epoch uint64    // this is the so-manieth run; the first is 1
	Alive time.Time // when the last one was alive; zero: there was none
	Entry int64     // the latest id in the journal
}

// Batch is what is stored together, or not at all.
type Batch struct {
	Alive   time.Time // zero: not worth to be noted
	Gone    []Subject // are removed, before
	Records []Record  // each subject once
	Journal []Entry
}

// Store keeps what an engine knows over a restart.
type Store interface {
	// Load begins a run: it counts it, and calls each for all that is kept.
	Load(ctx context.Context, each func(Record) error) (Start, error)
	// Save stores a batch.
	Save(ctx context.Context, b *Batch) error
}

const (
	// saveEvery is the least time between two transactions. What comes meanwhile
	// shares the next one; after a quiet time the first is written at once.
	saveEvery = 250 * time.Millisecond

	// hurryEvery is the same for what is not said again by itself after a restart.
	hurryEvery = 20 * time.Millisecond

	// saveAgain is before another attempt.
	saveAgain = time.Second

	// saveWithin is how long an attempt may take.
	saveWithin = 4 * time.Second

	// beat is how often it is noted that the program is alive.
	beat = 15 * time.Second

	// maxBacklog is how many entries of the journal wait while the database is
	// away. Those that come then are lost.
	maxBacklog = 1 << 16
)

// saver is the one goroutine that writes.
type saver struct {
	// Fixed.
	e    *Engine
	wake chan struct{} // holds a token if there is something to do
	rush chan struct{} // holds a token if that should be soon

	// Safe.
	backlog atomic.Int64 // entries of the journal that are not written
	lost    atomic.Int64 // that were not taken in

	mu    sync.Mutex // guards the field below
	asked []chan error

	// Owned by the goroutine of run.
	batch Batch
	began time.Time // when the last transaction was begun
	alive time.Time // the last that was written
	down  bool      // the last write failed
}

func newSaver(e *Engine) *saver {
	return &saver{e: e, wake: make(chan struct{}, 1), rush: make(chan struct{}, 1)}
}

// poke says that there is something to store.
func (s *saver) poke(soon bool) {
	if soon {
		token(s.rush)
	}
	token(s.wake)
}

// token puts one into a channel that has room for one.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// admit reports whether there is room for an entry of the journal.
func (s *saver) admit() bool {
	if s.backlog.Add(1) > maxBacklog {
		s.backlog.Add(-1)
		s.lost.Add(1)
		return false
	}
	return true
}

// flush waits until all that has happened is written.
func (s *saver) flush(ctx context.Context) error {
	done := make(chan error, 1)
	s.mu.Lock()
	s.asked = append(s.asked, done)
	s.mu.Unlock()
	s.poke(true)
	select {
	case err := <-done:
		return err
	case <-s.e.ended:
		return nil // with all written
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run writes until ctx is done, and then what is left.
func (s *saver) run(ctx context.Context) {
	timer := time.NewTimer(0) // to begin with, that the program is alive
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-s.wake:
			s.gather(ctx)
		case <-timer.C:
		case <-ctx.Done():
		}
		if s.write(ctx); s.down {
			timer.Reset(saveAgain)
		} else {
			timer.Reset(beat)
		}
	}
	s.write(ctx)
}

// gather waits a moment if there was a transaction just now. While the database is
// away it waits longer.
func (s *saver) gather(ctx context.Context) {
	if s.down {
		s.pause(ctx, saveAgain, nil)
		return
	}
	s.pause(ctx, saveEvery, s.rush)
	s.pause(ctx, hurryEvery, nil)
}

// pause waits until so much time has passed since the last transaction, or for a
// token.
func (s *saver) pause(ctx context.Context, every time.Duration, or <-chan struct{}) {
	left := every - time.Since(s.began)
	if left <= 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-or:
	case <-ctx.Done():
	}
}

// write stores what there is and answers those who wait for it.
func (s *saver) write(ctx context.Context) {
	s.mu.Lock()
	asked := s.asked
	s.asked = nil
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	s.began = time.Now()
	select {
	case <-s.rush:
	default:
	}
	err := s.collect(ctx)
	b := &s.batch
	if b.Alive = (time.Time{}); s.began.Sub(s.alive) >= beat {
		b.Alive = s.began
	}
	if err == nil && (!b.Alive.IsZero() || len(b.Gone)+len(b.Records)+len(b.Journal) > 0) {
		if err = s.e.opts.Store.Save(ctx, b); err == nil {
			s.stored()
		}
	}
	s.outage(err)
	for _, done := range asked {
		done <- err
	}
}

// collect takes over what the shards have to be stored.
func (s *saver) collect(ctx context.Context) error {
	for _, sh := range s.e.shards {
		if err := sh.ask(ctx, func(sh *shard) { sh.handOver(&s.batch) }); err != nil {
			return err
		}
	}
	if s.down {
		s.batch.compact()
	}
	return nil
}

// handOver is done by the shard while the saver waits.
func (s *shard) handOver(b *Batch) {
	for _, en := range s.unsaved {
		if en.unsaved = false; s.table.find(en.hash, en.subject) == en {
			b.Records = append(b.Records, en.record())
		}
	}
	b.Gone = append(b.Gone, s.gone...)
	b.Journal = append(b.Journal, s.journal...)
	s.unsaved, s.gone, s.journal = emptied(s.unsaved), nil, emptied(s.journal)
}

func (en *entry) record() Record {
	r := Record{Subject: en.subject, Kind: en.kind, Last: en.last, Said: en.flat(make([]Contribution, 0, len(en.said)))}
	if shown := en.shown.Load(); shown != nil {
		r.Version, r.State, r.Since = shown.version, shown.state(), shown.since.time()
	}
	return r
}

// compact keeps the last record of each subject, after a write that failed.
func (b *Batch) compact() {
	last := make(map[Subject]int, len(b.Records))
	for i := range b.Records {
		last[b.Records[i].Subject] = i
	}
	kept := b.Records[:0]
	for i := range b.Records {
		if last[b.Records[i].Subject] == i {
			kept = append(kept, b.Records[i])
		}
	}
	clear(b.Records[len(kept):])
	b.Records = kept
	slices.Sort(b.Gone)
	b.Gone = slices.Compact(b.Gone)
}

func (s *saver) stored() {
	b := &s.batch
	s.backlog.Add(-int64(len(b.Journal)))
	if !b.Alive.IsZero() {
		s.alive = b.Alive
	}
	b.Gone, b.Records, b.Journal = nil, emptied(b.Records), emptied(b.Journal)
}

// keepEmpty is for how many things an empty list holds on to its room.
const keepEmpty = 64

// emptied returns a list with nothing in it, for use anew.
func emptied[T any](list []T) []T {
	if cap(list) > keepEmpty {
		return nil
	}
	clear(list)
	return list[:0]
}

// outage logs when the database goes away and comes back.
func (s *saver) outage(err error) {
	if down := err != nil; down != s.down {
		s.down = down
		if down {
			s.e.opts.Log.Error("presence is not stored", "err", err)
		} else {
			s.e.opts.Log.Info("presence is stored again")
		}
	}
	if n := s.lost.Swap(0); n > 0 {
		s.e.opts.Log.Error("changes are missing in the presence journal", "count", n)
	}
}
