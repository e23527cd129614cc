package keep

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shelf keeps what it is given, unless it is broken.
type shelf struct {
	slow bool // it takes a second; fixed

	mu     sync.Mutex // guards the fields below
	has    map[int]string
	writes int // of single things
	calls  int
	broken error
}

func (s *shelf) save(ctx context.Context, changes []Change[int, string]) error {
	if s.slow {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.broken != nil {
		return s.broken
	}
	for _, c := range changes {
		s.writes++
		if c.Value == nil {
			delete(s.has, c.Key)
		} else {
			s.has[c.Key] = *c.Value
		}
	}
	return nil
}

func (s *shelf) setBroken(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func (s *shelf) expect(t *testing.T, what string, writes int, want map[int]string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !maps.Equal(s.has, want) || s.writes != writes {
		t.Errorf("%s: there is %v after %d writes, want %v after %d", what, s.has, s.writes, want, writes)
	}
}

// play runs a test with a keeper, which is stopped by stop or in the end.
func play(t *testing.T, test func(k *Keeper[int, string], s *shelf, log *bytes.Buffer, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		s, log := &shelf{has: map[int]string{}}, new(bytes.Buffer)
		k := New(Config[int, string]{Save: s.save, Log: slog.New(slog.NewTextHandler(log, nil)), What: "things"})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			k.Run(ctx)
		}()
		stop := func() {
			cancel()
			<-done
		}
		test(k, s, log, stop)
		stop()
	})
}

func str(s string) *string { return &s }

func TestSoonAndLazy(t *testing.T) {
	play(t, func(k *Keeper[int, string], s *shelf, _ *bytes.Buffer, _ func()) {
		k.Put(1, str("a"), Soon)
		k.Put(1, str("b"), Soon)
		k.Put(2, str("x"), Lazy)
		s.expect(t, "at once", 0, map[int]string{})
		time.Sleep(50 * time.Millisecond)
		s.expect(t, "soon", 1, map[int]string{1: "b"})
		for range 90 {
			k.Put(1, str("c"), Lazy)
			time.Sleep(50 * time.Millisecond)
		}
		s.expect(t, "not yet", 1, map[int]string{1: "b"})
		time.Sleep(450 * time.Millisecond)
		s.expect(t, "in the end", 3, map[int]string{1: "c", 2: "x"})
		k.Put(2, str("y"), Lazy)
		k.Drop(2)
		k.Put(1, str("d"), Soon)
		k.Put(1, str("e"), Lazy) // it is written with what is urgent
		time.Sleep(50 * time.Millisecond)
		s.expect(t, "what is urgent takes over", 5, map[int]string{1: "e"})
		time.Sleep(time.Minute)
		s.expect(t, "and nothing more", 5, map[int]string{1: "e"})
	})
}

// What hardly matters waits longest, unless the same thing is more urgent.
func TestIdle(t *testing.T) {
	play(t, func(k *Keeper[int, string], s *shelf, _ *bytes.Buffer, _ func()) {
		for i := 1; i <= 3; i++ {
			k.Put(i, str("a"), Idle)
		}
		k.Put(2, str("b"), Lazy)
		k.Put(2, str("c"), Idle)
		time.Sleep(5 * time.Second)
		s.expect(t, "lazy", 1, map[int]string{2: "c"})
		k.Drop(3)
		k.Put(3, str("d"), Idle)
		time.Sleep(50 * time.Millisecond)
		s.expect(t, "urgent", 2, map[int]string{2: "c", 3: "d"})
		k.Put(1, str("e"), Idle)
		time.Sleep(54 * time.Second)
		s.expect(t, "not yet", 2, map[int]string{2: "c", 3: "d"})
		time.Sleep(time.Second)
		s.expect(t, "at last", 3, map[int]string{1: "e", 2: "c", 3: "d"})
	})
}

func TestRestIsStoredAtTheEnd(t *testing.T) {
	play(t, func(k *Keeper[int, string], s *shelf, _ *bytes.Buffer, stop func()) {
		want := map[int]string{}
		for i := range 2*MaxBatch + 1 {
			k.Put(i, str("a"), Urgency(i%3))
			want[i] = "a"
		}
		stop()
		s.expect(t, "at the end", len(want), want)
		if s.calls != 3 {
			t.Errorf("it took %d calls", s.calls)
		}
	})
}

// What is being stored when the program stops is stored all the same, and nobody has to
// hear of it.
func TestStopInTheMiddle(t *testing.T) {
	play(t, func(k *Keeper[int, string], s *shelf, log *bytes.Buffer, stop func()) {
		s.slow = true
		k.Put(1, str("a"), Soon)
		time.Sleep(500 * time.Millisecond)
		stop()
		s.expect(t, "at the end", 1, map[int]string{1: "a"})
		if log.Len() > 0 {
			t.Errorf("the log is %q", log)
		}
	})
}

func TestFailureIsTriedAgain(t *testing.T) {
	play(t, func(k *Keeper[int, string], s *shelf, log *bytes.Buffer, _ func()) {
		s.setBroken(errors.New("no disk"))
		k.Put(1, str("a"), Soon)
		k.Put(2, str("b"), Lazy)
		time.Sleep(10 * time.Second)
		s.expect(t, "broken", 0, map[int]string{})
		k.Put(1, str("c"), Lazy)
		s.setBroken(nil)
		time.Sleep(time.Second)
		s.expect(t, "mended", 2, map[int]string{1: "c", 2: "b"})
		if n := strings.Count(log.String(), "no disk"); n != 1 || !strings.Contains(log.String(), "works again") {
			t.Errorf("the log is %q", log)
		}
	})
}

// What changes while it is being stored in vain is not overwritten by what it was.
func TestNewerWins(t *testing.T) {
	s := &shelf{has: map[int]string{}, broken: errors.New("no disk")}
	var k *Keeper[int, string]
	k = New(Config[int, string]{Log: slog.New(slog.DiscardHandler), Save: func(ctx context.Context, c []Change[int, string]) error {
		if s.calls == 0 {
			k.Put(1, str("new"), Soon)
			k.Put(2, str("new"), Lazy)
			k.Drop(3)
		}
		return s.save(ctx, c)
	}})
	for i := 1; i <= 3; i++ {
		k.Put(i, str("old"), Soon)
	}
	if k.flush(t.Context(), Soon) {
		t.Fatal("it did not fail")
	}
	s.setBroken(nil)
	if !k.flush(t.Context(), Soon) || !maps.Equal(s.has, map[int]string{1: "new", 2: "new"}) {
		t.Errorf("there is %v", s.has)
	}
}
