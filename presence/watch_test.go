package presence

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Who is slow to ask hears of each subject once, and finds its last state.
func TestSlowWatch(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		for i := range 100 {
			c := says(Willingness, Available, Chat)
			c.Facets.Text = fmt.Sprint(i)
			s.report(ada, "client/desk", c)
			if i == 50 {
				s.report(bob, "client/home", says(Willingness, Idle, Chat))
			}
		}
		s.changed(ada, bob)
		s.changed()
		if got := s.State(ada).Winner.Facets.Text; got != "99" {
			t.Errorf("the last state is %q", got)
		}
		s.report(ada, "client/desk")
		s.changed(ada)
	})
}

func TestWatchOnly(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		come := func(subject Subject) { s.report(subject, "client/x", says(Willingness, Available, Chat)) }
		leave := func(subject Subject) { s.report(subject, "client/x") }
		w := s.WatchOnly(ada)
		come(ada)
		come(bob)
		changed(s.T, w, ada)
		w.Add(bob, bob)
		leave(bob)
		leave(ada)
		changed(s.T, w, bob, ada)
		w.Remove(ada, door)
		come(ada)
		changed(s.T, w)
		come(bob)
		changed(s.T, w, bob)
		w.Close()
		leave(bob)
		w.Add(ada)
		if _, err := w.Next(s.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		for _, sh := range s.shards {
			if n := len(sh.audience.of); n > 0 {
				t.Errorf("%d subjects are watched", n)
			}
		}
		s.watch.Add(ada) // it has all
		s.changed(ada, bob)
	})
}

// Next waits, and ends with its context or the watch.
func TestNextWaits(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		next := func(ctx context.Context) <-chan error {
			done := make(chan error, 1)
			go func() {
				_, err := s.watch.Next(ctx)
				done <- err
			}()
			synctest.Wait()
			return done
		}
		began := time.Now()
		done := next(s.Context())
		s.after(time.Minute)
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		if err := <-done; err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithCancel(s.Context())
		done = next(ctx)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		done = next(s.Context())
		s.watch.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if n := len(*s.all.Load()); n != 0 {
			t.Errorf("%d watches are left", n)
		}
	})
}

// A large set is handed out whole.
func TestManyChanges(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		for round := range 2 {
			for i := range 3 * keepMarked {
				c := says(Willingness, Available, Chat)
				c.Facets.Text = fmt.Sprint(round)
				s.Report(Subject(fmt.Sprint(i, "@x")), Person, "client/x", []Contribution{c})
			}
			synctest.Wait()
			got, err := s.watch.Next(s.Context())
			seen := map[Subject]bool{}
			for _, subject := range got {
				seen[subject] = true
			}
			if err != nil || len(got) != 3*keepMarked || len(seen) != len(got) {
				t.Errorf("%d changes of %d subjects, %v", len(got), len(seen), err)
			}
			s.changed()
		}
	})
}
