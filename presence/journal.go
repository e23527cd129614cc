package presence

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Entry is a line of the journal: a subject's state has changed, and watchers have
// heard of it. It does not hold people's own words, nor who is called.
type Entry struct {
	ID   int64 // when, in microseconds since 1970, made unique
	Prev int64 // the id of the subject's entry before; 0: there was none

	Subject Subject
	Kind    Kind
	From    string // the id of the state before; "" is nothing known
	To      string // "" is forgotten

	Source string // whose word has made it so; "" is the engine
	Cause  string // the source's own cause, or what has become of its word: "expired"

	Since time.Time // when the state began, as far as its source knows
	Until time.Time // when it is planned to end; zero is unknown
}

// At is when watchers were told.
func (e *Entry) At() time.Time { return time.UnixMicro(e.ID).UTC() }

// Query says which entries to read.
type Query struct {
	Subject Subject   // "" is all
	Since   time.Time // the first moment of interest
	Before  time.Time // the moment after the last; zero is now
	Older   int64     // an id of the subject's, for the next page: only older ones; 0 is the newest
	Limit   int       // how many at most
}

// Journal reads what was. All its methods are safe for use by many goroutines.
type Journal interface {
	// Entries returns entries, the newest first.
	Entries(ctx context.Context, q Query) ([]Entry, error)
	// At returns the entry that tells a subject's state at a time: To of the last
	// one before. What is known of times of which entries have been swept is the
	// state alone. Nothing is known, found is false, of times before the first.
	At(ctx context.Context, subject Subject, at time.Time) (e Entry, found bool, err error)
	// Expire removes the oldest entries before a time, so many at most, and returns
	// how many there were.
	Expire(ctx context.Context, before time.Time, most int) (int64, error)
}

// errNoJournal is for an engine that keeps none.
var errNoJournal = errors.New("presence: there is no journal")

// Entries reads the journal, see [Journal].
func (e *Engine) Entries(ctx context.Context, q Query) ([]Entry, error) {
	if err := e.written(ctx); err != nil {
		return nil, err
	}
	return e.opts.Journal.Entries(ctx, q)
}

// At returns in which state a subject was, see [Journal].
func (e *Engine) At(ctx context.Context, subject Subject, at time.Time) (Entry, bool, error) {
	if err := e.written(ctx); err != nil {
		return Entry{}, false, err
	}
	return e.opts.Journal.At(ctx, subject, at)
}

// written waits until what has happened is in the journal.
func (e *Engine) written(ctx context.Context) error {
	if e.opts.Journal == nil || e.saver == nil {
		return errNoJournal
	}
	return e.saver.flush(ctx)
}

// notable reports whether a change is one for the journal. Whose clients come and
// go, and what people write, is not.
func notable(before, next *Effective) bool {
	return before == nil || before.State != next.State || !before.Until.Equal(next.Until) ||
		!slices.Equal(before.Secondary, next.Secondary)
}

// note adds a change to the journal.
func (s *shard) note(en *entry, before, next *Effective, w why, now time.Time) {
	if s.e.saver == nil || !s.e.saver.admit() {
		return
	}
	line := Entry{
		ID: s.e.newID(now), Prev: en.last, Subject: en.subject, Kind: en.kind,
		Source: w.source, Cause: w.how,
	}
	if before != nil {
		line.From = before.State
	}
	if next != nil {
		line.To, line.Since, line.Until = next.State, next.Since, next.Until
		if next.Winner.Facets.Cause != "" {
			line.Cause = next.Winner.Facets.Cause
		}
	}
	en.last = line.ID
	s.journal = append(s.journal, line)
}

// newID makes the id of an entry.
func (e *Engine) newID(now time.Time) int64 {
	for {
		last := e.entry.Load()
		id := max(last+1, now.UnixMicro())
		if e.entry.CompareAndSwap(last, id) {
			return id
		}
	}
}

// How the journal is swept.
const (
	sweepFirst = time.Minute // after the start
	sweepEvery = time.Hour
	sweepStep  = 500                    // entries in a transaction
	sweepPause = 100 * time.Millisecond // between two
)

// sweep removes what is older than it has to be kept, in small steps so that nobody
// waits long for the database.
func (e *Engine) sweep(ctx context.Context) {
	timer := time.NewTimer(sweepFirst)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		n, err := e.opts.Journal.Expire(ctx, time.Now().Add(-e.opts.Config.Journal), sweepStep)
		if err != nil && ctx.Err() == nil {
			e.opts.Log.Warn("old entries of the presence journal are not removed", "err", err)
		}
		if n < sweepStep {
			timer.Reset(sweepEvery)
		} else {
			timer.Reset(sweepPause)
		}
	}
}
