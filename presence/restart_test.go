package presence

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// restarted plays what comes after a crash, so long after it.
func restarted(t *testing.T, down time.Duration, before, after func(*stage)) {
	t.Helper()
	restartedWith(t, func(*Options) {}, down, before, after)
}

func restartedWith(t *testing.T, change func(*Options), down time.Duration, before, after func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := newShelf()
		o := Options{Config: patience, Store: store, Journal: store}
		change(&o)
		s := start(t, o)
		before(s)
		s.after(time.Second)
		crashed := store.crash()
		s.stop()
		time.Sleep(down)
		o.Store, o.Journal = crashed, crashed
		s = start(t, o)
		after(s)
		s.stop()
	})
}

// arrivals are two people and a door that come.
func arrivals(s *stage) {
	s.report(ada, "client/desk", says(Willingness, Available, Chat))
	s.report(ada, "phone/2001", says(Engagement, "on_call", Voice))
	s.report(bob, "client/home", says(Willingness, Available, Chat))
	s.report(bob, "manual", says(Willingness, "dnd", 0))
	s.report(door, "registrar", says(Reachability, "idle", Voice))
}

// The last states are back at once; those that rest on clients and telephones are
// stale until they are heard or the barrier falls.
func TestRestart(t *testing.T) {
	var versions map[Subject]uint64
	restarted(t, 5*time.Second, func(s *stage) {
		arrivals(s)
		s.after(time.Second)
		versions = map[Subject]uint64{ada: s.State(ada).Version, bob: s.State(bob).Version, door: s.State(door).Version}
	}, func(s *stage) {
		s.shows(ada, "on_call, stale")
		s.shows(bob, "dnd, stale") // and whether he is there is stale
		s.shows(door, "idle")
		for subject, v := range versions {
			if now := s.State(subject).Version; now <= v {
				t.Errorf("%s went from version %d to %d", subject, v, now)
			}
		}
		got, _ := s.watch.Next(s.Context())
		if len(got) != 3 {
			t.Errorf("%v were loaded", got)
		}
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		s.shows(ada, "on_call, stale")
		s.Synced("phone/")
		s.after(250 * time.Millisecond)
		s.shows(ada, Available)
		s.shows(bob, "dnd, stale")
		s.after(29 * time.Second)
		s.shows(bob, "dnd, stale")
		s.after(time.Second)
		s.shows(bob, Offline)
		s.shows(ada, Available)
		s.shows(door, "idle")
	})
}

// Who says the same again after a restart is not stale any more, and stays.
func TestConfirmed(t *testing.T) {
	restarted(t, time.Second, arrivals, func(s *stage) {
		since := s.State(ada).Since
		arrivals(s)
		s.after(time.Minute)
		s.shows(ada, "on_call")
		s.shows(bob, "dnd")
		if !s.State(ada).Since.Equal(since) {
			t.Errorf("since %v, was %v", s.State(ada).Since, since)
		}
	})
}

// What happens during the barrier counts at once.
func TestNewsDuringTheBarrier(t *testing.T) {
	restarted(t, time.Second, arrivals, func(s *stage) {
		s.report(ada, "operator", says(Policy, "emergency", 0))
		s.shows(ada, "emergency, stale") // whether she can be reached is
		s.report(bob, "client/home")
		s.after(150 * time.Millisecond)
		s.shows(bob, Offline)
	})
}

// A source that has synchronised keeps what it said and nothing else, whether it
// ends with the program or not.
func TestSyncedDurable(t *testing.T) {
	restarted(t, time.Second, func(s *stage) {
		arrivals(s)
		s.report("gate@phones.x", "registrar", says(Reachability, "idle", Voice))
	}, func(s *stage) {
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		s.Synced("registrar")
		s.after(time.Second)
		s.shows(door, "idle")
		s.shows("gate@phones.x", Offline)
		s.after(time.Minute)
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		s.Synced("registrar") // another time: it has been heard
		s.after(time.Second)
		s.shows(door, "idle")
	})
}

// After a long time nobody is where they were, and nobody seems to be for a moment.
func TestLongDown(t *testing.T) {
	restarted(t, 3*time.Minute, arrivals, func(s *stage) {
		s.shows(ada, Offline)
		s.shows(bob, Offline)
		s.shows(door, "idle")
	})
	restarted(t, 2*time.Hour, arrivals, func(s *stage) {
		s.shows(door, Offline) // it was registered for an hour
		got, err := s.Entries(s.Context(), Query{Subject: door})
		if err != nil || len(got) != 2 || got[0].From != "idle" || got[0].To != Offline || got[0].Cause != "restart" || got[0].Prev != got[1].ID {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// A device that was lost before a restart has been lost since then.
func TestLostBeforeRestart(t *testing.T) {
	var lost time.Time
	restarted(t, time.Hour, func(s *stage) {
		arrivals(s)
		s.after(time.Minute)
		s.report(door, "registrar")
		lost = micro(time.Now())
	}, func(s *stage) {
		if e := s.State(door); e.State != Offline || !e.Since.Equal(lost) {
			t.Errorf("%s since %v, want %v", e.State, e.Since, lost)
		}
	})
}

// Without a barrier stale word counts for nothing.
func TestNoBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newShelf()
		s := start(t, Options{Store: store})
		arrivals(s)
		s.stop()
		s = start(t, Options{Store: store})
		s.shows(ada, Offline)
		s.shows(door, "idle")
		s.stop()
	})
}

// A run that ends in good order has stored all.
func TestStoredAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newShelf()
		s := start(t, Options{Store: store, Journal: store})
		arrivals(s)
		s.report(door, "line", says(Engagement, "on_call", 0))
		s.stop()
		if r := store.records[door]; r.State != "on_call" || len(r.Said) != 2 || r.Last == 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestLoadFails(t *testing.T) {
	store := newShelf()
	store.fail(errors.New("no such table"))
	e := NewEngine(Options{Store: store})
	for range 2 {
		if err := e.Load(t.Context()); err == nil {
			t.Error("it was loaded")
		}
	}
	if err := e.Run(t.Context()); err == nil {
		t.Error("it ran")
	}
	if _, err := e.Contributions(t.Context(), ada); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
}

// What is stored is stored soon after it was shown, and that by hand sooner.
func TestSoon(t *testing.T) {
	store := newShelf()
	play(t, Options{Store: store, Journal: store}, func(s *stage) {
		shown := func(subject Subject) string { return store.crash().records[subject].State }
		s.after(time.Second)
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		if got := shown(ada); got != Available {
			t.Errorf("after a quiet time %q is stored", got)
		}
		s.report(ada, "client/desk", says(Willingness, Idle, Chat))
		s.after(saveEvery - time.Millisecond)
		if got := shown(ada); got != Available {
			t.Errorf("early %q is stored", got)
		}
		s.after(time.Millisecond)
		if got := shown(ada); got != Idle {
			t.Errorf("then %q is stored", got)
		}
		s.report(ada, "manual", says(Willingness, "dnd", 0))
		s.after(hurryEvery)
		if got := shown(ada); got != "dnd" {
			t.Errorf("of what was set by hand %q is stored", got)
		}
	})
}
