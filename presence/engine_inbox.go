package presence

import (
	"context"
	"sync"
)

// Limits of what sources may say.
const (
	maxSources = 64      // of a subject
	maxSaid    = 64      // contributions of a source to a subject
	maxWords   = 1024    // bytes of a text in a contribution
	maxReports = 1 << 16 // that wait for a shard, of different sources or subjects
)

// report is what a source says about a subject.
type report struct {
	subject Subject
	kind    Kind
	source  string
	said    []fact // never changed once it is taken in
}

// inbox holds what waits for a shard. Of each source it holds the last word on each
// subject, so a source that floods holds nobody up.
type inbox struct {
	wake chan struct{} // holds a token if there is something

	mu      sync.Mutex // guards the fields below
	reports []report
	at      map[origin]int // where in reports
	asks    []func(*shard)
}

type origin struct {
	subject Subject
	source  string
}

func (b *inbox) post(r report) error {
	key := origin{r.subject, r.source}
	b.mu.Lock()
	if i, waits := b.at[key]; waits {
		b.reports[i] = r
		b.mu.Unlock()
		return nil
	}
	if len(b.reports) >= maxReports {
		b.mu.Unlock()
		return ErrBusy
	}
	b.at[key] = len(b.reports)
	b.reports = append(b.reports, r)
	b.mu.Unlock()
	token(b.wake)
	return nil
}

// ask has something done by the shard after the reports that came before.
func (b *inbox) ask(do func(*shard)) {
	b.mu.Lock()
	b.asks = append(b.asks, do)
	b.mu.Unlock()
	token(b.wake)
}

// keepReports is what an idle inbox holds on to.
const keepReports = 1024

// take returns what waits and leaves spare for what comes next.
func (b *inbox) take(spare []report) ([]report, []func(*shard)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	reports, asks := b.reports, b.asks
	if len(reports) > keepReports {
		b.at = make(map[origin]int) // clearing a large one takes its time
	} else {
		clear(b.at)
	}
	b.reports, b.asks = spare[:0], nil
	return reports, asks
}

// ask has something done by the shard and waits for it.
func (s *shard) ask(ctx context.Context, do func(*shard)) error {
	done := make(chan struct{})
	s.in.ask(func(s *shard) {
		do(s)
		close(done)
	})
	select {
	case <-done:
		return nil
	case <-s.e.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}
