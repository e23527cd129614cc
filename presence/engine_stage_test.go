package presence

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// patience is what default.toml says.
var patience = EngineConfig{
	Settle:  Settle{Usual: 150 * time.Millisecond, Released: 250 * time.Millisecond, Idle: 5 * time.Second},
	Flaps:   FlapLimit{Changes: 4, Within: time.Minute, Hold: time.Minute},
	Barrier: 30 * time.Second,
}

const (
	ada  Subject = "ada@x"
	bob  Subject = "bob@x"
	door Subject = "door@phones.x"
)

// stage is an engine that runs in a bubble, and one who watches it.
type stage struct {
	*testing.T
	*Engine
	watch *Watch
	stop  func()
}

// play runs a test with an engine in a bubble, where nothing takes any time but
// waiting.
func play(t *testing.T, o Options, scene func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := start(t, o)
		scene(s)
		s.stop()
	})
}

func start(t *testing.T, o Options) *stage {
	if o.Volatile == nil {
		o.Volatile = []string{"client/", "phone/"}
	}
	e := NewEngine(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s := &stage{T: t, Engine: e, watch: e.Watch()}
	go func() { ended <- e.Run(ctx) }()
	s.stop = func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	synctest.Wait()
	return s
}

// says makes a contribution for an hour.
func says(axis Axis, state string, open Channel) Contribution {
	return Contribution{Axis: axis, State: state, Channels: open, Expires: time.Now().Add(time.Hour)}
}

func (s *stage) report(subject Subject, source string, cs ...Contribution) {
	s.Helper()
	kind := Person
	if subject == door {
		kind = Device
	}
	if err := s.Report(subject, kind, source, cs); err != nil {
		s.Error(err)
	}
	synctest.Wait()
}

// after lets time pass.
func (s *stage) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// shows checks what is shown of a subject.
func (s *stage) shows(subject Subject, want string) {
	s.Helper()
	got := "nothing"
	if e := s.State(subject); e != nil {
		got = e.State
		if e.Stale {
			got += ", stale"
		}
	}
	if got != want {
		s.Errorf("%s is %s, want %s", subject, got, want)
	}
}

// changed checks which subjects the watch has to tell.
func (s *stage) changed(want ...Subject) {
	s.Helper()
	changed(s.T, s.watch, want...)
}

func changed(t *testing.T, w *Watch, want ...Subject) {
	t.Helper()
	synctest.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what is there comes nevertheless, and nothing is waited for
	got, err := w.Next(ctx)
	if len(want) == 0 && errors.Is(err, context.Canceled) {
		err = nil
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v have changed, %v; want %v", got, err, want)
	}
}

// shelf is a store in memory. Everything is copied, and kept when the engine ends.
type shelf struct {
	mu      sync.Mutex // guards the fields below
	records map[Subject]Record
	entries []Entry
	start   Start
	fails   error
	saves   int
}

func newShelf() *shelf { return &shelf{records: make(map[Subject]Record)} }

// Load implements Store.
func (s *shelf) Load(_ context.Context, each func(Record) error) (Start, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return Start{}, s.fails
	}
	s.start.Epoch++
	for _, r := range s.records {
		if err := each(r); err != nil {
			return Start{}, err
		}
	}
	return s.start, nil
}

// Save implements Store.
func (s *shelf) Save(_ context.Context, b *Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	s.saves++
	for _, subject := range b.Gone {
		delete(s.records, subject)
	}
	seen := map[Subject]bool{}
	for _, r := range b.Records {
		if seen[r.Subject] {
			return errors.New(string(r.Subject) + " is there twice")
		}
		seen[r.Subject] = true
		r.Said = slices.Clone(r.Said)
		for i := range r.Said {
			r.Said[i].Stale = false
		}
		s.records[r.Subject] = r
	}
	for _, e := range b.Journal {
		s.entries = append(s.entries, e)
		s.start.Entry = max(s.start.Entry, e.ID)
	}
	if !b.Alive.IsZero() {
		s.start.Alive = b.Alive
	}
	return nil
}

// Entries implements Journal.
func (s *shelf) Entries(_ context.Context, q Query) (out []Entry, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range slices.Backward(s.entries) {
		if e.Subject == q.Subject {
			out = append(out, e)
		}
	}
	return out, nil
}

// At implements Journal.
func (s *shelf) At(_ context.Context, subject Subject, at time.Time) (Entry, bool, error) {
	all, _ := s.Entries(context.Background(), Query{Subject: subject})
	for _, e := range all {
		if e.ID <= at.UnixMicro() {
			return e, true, nil
		}
	}
	return Entry{}, false, nil
}

// Expire implements Journal.
func (s *shelf) Expire(_ context.Context, before time.Time, most int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(s.entries) && n < most && s.entries[n].ID < before.UnixMicro() {
		n++
	}
	s.entries = s.entries[n:]
	return int64(n), nil
}

// crash returns what would be found after a crash now.
func (s *shelf) crash() *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := newShelf()
	for subject, r := range s.records {
		c.records[subject] = r
	}
	c.entries, c.start = slices.Clone(s.entries), s.start
	return c
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}
