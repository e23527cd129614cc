package presence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What a source says replaces all that it said before, and nothing of others.
func TestSnapshots(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		s.shows(ada, "nothing")
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		s.report(ada, "phone/2001", says(Reachability, "", Voice), says(Engagement, "on_call", 0))
		s.shows(ada, "on_call")
		s.report(ada, "phone/2001", says(Reachability, "", Voice))
		s.shows(ada, Available)
		if e := s.State(ada); e.Channels != Chat|Voice {
			t.Errorf("channels: %v", e.Channels)
		}
		s.report(ada, "client/desk")
		s.shows(ada, PhoneOnly)
		s.report(ada, "phone/2001")
		s.shows(ada, Offline)
		s.changed(ada)

		s.report(bob, "client/home") // of whom nothing is known
		s.shows(bob, "nothing")
		s.changed()
	})
}

func TestReportsThatAreWrong(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		endless := says(Willingness, Available, Chat)
		endless.Expires = time.Time{}
		for _, c := range []struct {
			subject Subject
			source  string
			said    []Contribution
			want    error
		}{
			{ada, "client/desk", []Contribution{endless}, ErrEndless},
			{"", "client/desk", nil, ErrNameless},
			{ada, "", nil, ErrNameless},
			{ada, "client/desk", slices.Repeat([]Contribution{says(Willingness, Available, Chat)}, maxSaid+1), ErrTooMany},
		} {
			if err := s.Report(c.subject, Person, c.source, c.said); !errors.Is(err, c.want) {
				t.Errorf("%v: %v", err, c.want)
			}
		}
		s.shows(ada, "nothing")
	})
}

func TestLimits(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		long := says(Willingness, Available, Chat)
		long.Facets.Text = strings.Repeat("ü", maxWords)
		s.report(ada, "client/desk", long)
		if got := s.State(ada).Winner.Facets.Text; len(got) > maxWords+len("…") || !strings.HasSuffix(got, "ü…") {
			t.Errorf("%d bytes of text", len(got))
		}
		for i := range maxSources + 10 {
			s.report(ada, fmt.Sprint("phone/", i), says(Reachability, "", Voice))
		}
		cs, err := s.Contributions(s.Context(), ada)
		if err != nil || len(cs) != maxSources {
			t.Errorf("%d sources, %v", len(cs), err)
		}
	})
}

// A source that floods before anybody takes it up is heard once, with its last word.
// Of different ones only so many wait.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Options{Shards: 1})
		for i := range 3 * maxReports {
			c := says(Willingness, Available, Chat)
			c.Facets.Text = fmt.Sprint(i)
			if err := e.Report(ada, Person, "client/desk", []Contribution{c}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(e.shards[0].in.reports); n != 1 {
			t.Errorf("%d reports wait", n)
		}
		one := []Contribution{says(Willingness, Available, Chat)}
		var err error
		for i := 0; err == nil && i <= maxReports; i++ {
			err = e.Report(Subject(fmt.Sprint(i, "@x")), Person, "client/desk", one)
		}
		if n := len(e.shards[0].in.reports); !errors.Is(err, ErrBusy) || n != maxReports {
			t.Errorf("%d reports wait, %v", n, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { e.Run(ctx) })
		synctest.Wait()
		if got := e.State(ada).Winner.Facets.Text; got != fmt.Sprint(3*maxReports-1) {
			t.Errorf("the last word was %q", got)
		}
		n := 0
		for range e.All() {
			n++
		}
		if n != maxReports {
			t.Errorf("%d subjects", n)
		}
		cancel()
		wg.Wait()
		if _, err := e.Contributions(t.Context(), ada); !errors.Is(err, ErrEnded) {
			t.Errorf("asked after the end: %v", err)
		}
		if err := e.Report(ada, Person, "client/desk", one); !errors.Is(err, ErrEnded) {
			t.Errorf("reported after the end: %v", err)
		}
	})
}

// Contributions end when they say, to the moment, unless they are said again.
func TestContributionsEnd(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		began := time.Now()
		busy := says(Willingness, "dnd", 0)
		busy.Expires = began.Add(20 * time.Minute)
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		s.report(ada, "manual", busy)
		s.changed(ada)
		s.after(10 * time.Minute)
		s.report(ada, "client/desk", says(Willingness, Available, Chat)) // 10 minutes longer
		version := s.State(ada).Version

		if got, err := s.watch.Next(s.Context()); err != nil || !slices.Equal(got, []Subject{ada}) || time.Since(began) != 20*time.Minute {
			t.Errorf("%v changed after %v, %v", got, time.Since(began), err)
		}
		s.shows(ada, Available)
		if v := s.State(ada).Version; v <= version {
			t.Errorf("version %d after %d", v, version)
		}
		s.watch.Next(s.Context())
		s.shows(ada, Offline)
		if d := time.Since(began); d != 70*time.Minute {
			t.Errorf("offline after %v", d)
		}
	})
}

// A device whose source is silent is unknown until the source speaks.
func TestLapse(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		ready := says(Reachability, "idle", Voice)
		ready.Lapse = Unknown
		s.report(door, "upstream/pbx", ready)
		s.shows(door, "idle")
		s.after(time.Hour)
		if e := s.State(door); e.Channels != 0 || e.State != Unknown {
			t.Errorf("after an hour of silence: %s, %v", e.State, e.Channels)
		}
		cs, err := s.Contributions(s.Context(), door)
		if err != nil || len(cs) != 1 {
			t.Errorf("%v, %v", cs, err)
		}
		ready.Expires = time.Now().Add(time.Minute)
		s.report(door, "upstream/pbx", ready)
		s.shows(door, "idle")
	})
}

// To say the same again is no change, whatever it costs others to say it.
func TestSaidAgain(t *testing.T) {
	store := newShelf()
	play(t, Options{Store: store}, func(s *stage) {
		since := time.Now()
		for range 10 {
			c := says(Reachability, "idle", Voice)
			c.Since = since
			s.report(door, "registrar", c)
			s.after(time.Minute)
		}
		s.changed(door)
		s.changed()
		if v := s.State(door).Version; v&(1<<epochBits-1) != 1 {
			t.Errorf("version %d", v)
		}
		if got, want := store.crash().records[door].Said[0].Expires, since.Add(time.Hour+9*time.Minute); !got.Equal(want) {
			t.Errorf("stored until %v, want %v", got, want)
		}
	})
}

// A subject is what was last said that it is.
func TestKind(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		c := says(Reachability, "", Voice)
		c.Since = noon
		s.report(ada, "registrar", c)
		s.Report(ada, Device, "registrar", []Contribution{c})
		s.changed(ada)
		if e := s.State(ada); e.Kind != Device || e.State != Unknown {
			t.Errorf("%v, %s", e.Kind, e.State)
		}
	})
}

// Who has nobody's word for a state has it since it was first shown.
func TestSinceWithoutWord(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		s.after(time.Minute)
		lost := micro(time.Now())
		s.report(door, "registrar")
		s.after(time.Minute)
		s.report(door, "health", says(Health, "degraded", 0))
		if e := s.State(door); e.State != Offline || !e.Since.Equal(lost) {
			t.Errorf("%s since %v, want %v", e.State, e.Since, lost)
		}
	})
}

func TestForget(t *testing.T) {
	store := newShelf()
	play(t, Options{Store: store, Journal: store}, func(s *stage) {
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		s.changed(door)
		s.Forget(door)
		s.Forget(ada) // of whom nothing is known
		s.changed(door)
		s.shows(door, "nothing")
		for e := range s.All() {
			t.Errorf("%s is still there", e.Subject)
		}
		got, err := s.Entries(s.Context(), Query{Subject: door})
		if err != nil || len(got) != 2 || got[0].To != "" || got[0].Cause != "forgotten" {
			t.Errorf("%+v, %v", got, err)
		}
		if n := len(store.crash().records); n != 0 {
			t.Errorf("%d subjects are stored", n)
		}
		for _, sh := range s.shards {
			for range sh.table.all() {
				t.Error("it still has a slot")
			}
		}
		s.after(2 * time.Hour)
		s.changed()
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		s.shows(door, "idle")
	})
}

// Another catalogue, and other terms, make other states.
func TestRefresh(t *testing.T) {
	var mu sync.Mutex
	sharing := SharePhone
	terms := func(Subject, Kind) Terms {
		mu.Lock()
		defer mu.Unlock()
		return Terms{Sharing: sharing}
	}
	play(t, Options{Terms: terms}, func(s *stage) {
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		s.report(ada, "phone/2001", says(Engagement, "on_call", Voice))
		s.shows(ada, "on_call")
		mu.Lock()
		sharing = ShareNothing
		mu.Unlock()
		s.shows(ada, "on_call")
		s.Refresh(ada)
		s.Refresh(bob)
		synctest.Wait()
		s.shows(ada, Available)
		s.changed(ada)

		state, _ := DefaultCatalogue().Lookup(Person, Available)
		other := *state
		other.Rank = 3 // below idle
		cat, faults := NewCatalogue(Config{States: []State{other}})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		s.report(ada, "client/mobile", says(Willingness, "idle", Chat))
		s.shows(ada, Available)
		s.UseCatalogue(cat)
		synctest.Wait()
		s.shows(ada, "idle")
	})
}

// Many report, many watch, and all learn the last state. It is for the race detector.
func TestManyAtOnce(t *testing.T) {
	const reporters, rounds, subjects = 8, 300, 20
	store := newShelf()
	e := NewEngine(Options{Store: store, Journal: store, Shards: 4})
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	end := time.Now().Add(time.Hour)
	name := func(i int) Subject { return Subject(fmt.Sprint("s", i, "@x")) }
	last := func(e *Engine, i int) bool {
		s := e.State(name(i))
		return s != nil && len(s.All) == reporters && !slices.ContainsFunc(s.All, func(c Contribution) bool { return c.Facets.Text != "last" })
	}
	var watchers, reporting sync.WaitGroup
	for i := range 6 {
		watchers.Go(func() {
			w := e.Watch()
			if i%2 == 0 {
				w = e.WatchOnly(name(0))
				for j := range subjects {
					w.Add(name(j))
				}
			}
			defer w.Close()
			versions := map[Subject]uint64{}
			missing := map[Subject]bool{}
			for j := range subjects {
				if missing[name(j)] = true; last(e, j) {
					delete(missing, name(j))
				}
			}
			for len(missing) > 0 {
				changed, err := w.Next(ctx)
				if err != nil {
					t.Errorf("%v; %d are missing", err, len(missing))
					return
				}
				for _, subject := range changed {
					v := e.State(subject).Version
					if v < versions[subject] {
						t.Errorf("%s went from version %d to %d", subject, versions[subject], v)
					}
					versions[subject] = v
				}
				for j := range subjects {
					if last(e, j) {
						delete(missing, name(j))
					}
				}
			}
		})
	}
	for r := range reporters {
		reporting.Go(func() {
			for i := range rounds {
				c := Contribution{Axis: Willingness, State: Available, Channels: Chat, Expires: end, Facets: Facets{Text: fmt.Sprint(i)}}
				if i >= rounds-subjects {
					c.Facets.Text = "last"
				}
				if err := e.Report(name(i%subjects), Person, fmt.Sprint("client/", r), []Contribution{c}); err != nil {
					t.Error(err)
				}
				if i%100 == 50 {
					e.Synced("client/")
				}
			}
		})
	}
	reporting.Wait()
	watchers.Wait()
	cancel()
	run.Wait()
	if n := len(store.crash().records); n != subjects {
		t.Errorf("%d subjects are stored", n)
	}
}

func TestStateAllocates(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		if n := testing.AllocsPerRun(100, func() { s.State(ada); s.State(bob) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
