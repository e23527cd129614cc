package manual

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/presence"
)

const (
	ada  presence.Subject = "ada@x"
	door presence.Subject = "door@phones.x"
)

// shelf is a store in memory.
type shelf map[presence.Subject]presence.Sharing

func (s shelf) Sharings(_ context.Context, each func(presence.Subject, presence.Sharing) error) error {
	for who, choice := range s {
		if err := each(who, choice); err != nil {
			return err
		}
	}
	return nil
}

var errNobody = errors.New("no such account")

func (s shelf) SetSharing(_ context.Context, who presence.Subject, choice presence.Sharing) error {
	if who == "nobody@x" {
		return errNobody
	}
	s[who] = choice
	return nil
}

// stage is a service with an engine that runs, in a bubble.
type stage struct {
	*testing.T
	*Service
	engine *presence.Engine
	told   []string
}

func play(t *testing.T, scene func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{T: t}
		s.engine = presence.NewEngine(presence.Options{
			Expired: func(who presence.Subject, k presence.Kind, c *presence.Contribution) { s.Expired(who, k, c) },
			Terms: func(who presence.Subject, _ presence.Kind) presence.Terms {
				return presence.Terms{Sharing: s.Sharing(who)}
			},
		})
		s.Service = New(Options{Engine: s.engine, Store: shelf{"old@x": presence.ShareNothing}, Tell: func(who presence.Subject, text string) {
			s.told = append(s.told, string(who)+": "+text)
		}})
		if err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- s.engine.Run(ctx) }()
		go func() { ended <- s.Service.Run(ctx) }()
		s.report(ada, presence.Person, "client/desk", presence.Contribution{State: presence.Available, Channels: presence.Chat})
		s.report(door, presence.Device, "registrar", presence.Contribution{State: "idle", Channels: presence.Voice})
		scene(s)
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

func (s *stage) report(who presence.Subject, k presence.Kind, source string, c presence.Contribution) {
	s.Helper()
	c.Expires = time.Now().Add(100 * 24 * time.Hour)
	if err := s.engine.Report(who, k, source, []presence.Contribution{c}); err != nil {
		s.Error(err)
	}
	synctest.Wait()
}

func (s *stage) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// set sets a state, which is to last so long from now on.
func (s *stage) set(o Order, lasts time.Duration) Setting {
	s.Helper()
	x, err := s.Set(s.Context(), o)
	if err != nil {
		s.Errorf("%+v: %v", o, err)
	} else if got := x.Until.Sub(x.Since); got != lasts {
		s.Errorf("%s lasts %v, want %v", x.State, got, lasts)
	}
	synctest.Wait()
	return x
}

// refused wants an order to be refused in these words.
func (s *stage) refused(o Order, want string) {
	s.Helper()
	_, err := s.Set(s.Context(), o)
	var r Refusal
	if !errors.As(err, &r) || !strings.Contains(string(r), want) {
		s.Errorf("%+v: %v, want %q", o, err, want)
	}
}

func (s *stage) is(who presence.Subject, want string) {
	s.Helper()
	if e := s.engine.State(who); e == nil || e.State != want {
		s.Errorf("%s is %+v, want %s", who, e, want)
	}
}

func own(state string) Order { return Order{Subject: ada, By: presence.ByManual, State: state} }

func ordered(who presence.Subject, state string) Order {
	o := Order{Subject: who, By: presence.ByRole, State: state}
	if who == door {
		o.Kind = presence.Device
	}
	return o
}

// For as long as usual, for as long as is said, and at most for the longest.
func TestHowLong(t *testing.T) {
	play(t, func(s *stage) {
		s.set(own("break"), 20*time.Minute)
		o := own("break")
		o.For, o.Text = 2*time.Hour, "  a \n b "
		if x := s.set(o, 2*time.Hour); x.Shortened || x.Text != "a b" || x.Name != "Break" {
			t.Errorf("%+v", x)
		}
		o.For = 100 * time.Hour
		if x := s.set(o, 12*time.Hour); !x.Shortened {
			t.Errorf("%+v", x)
		}
		o.For, o.Until = 0, time.Now().Add(5*time.Minute)
		s.set(o, 5*time.Minute)
		s.is(ada, "break")
		if e := s.engine.State(ada); !e.Until.Equal(o.Until) {
			t.Errorf("it is planned to end at %v, want %v", e.Until, o.Until)
		}
		o.Until = time.Now()
		s.refused(o, "that time is past")
		o.Until, o.For = time.Time{}, -time.Second
		s.refused(o, "too short")
		o.For, o.Text = 0, strings.Repeat("ö", MaxText+1)
		s.refused(o, "200 characters at most")
		o.Text = "bell\a"
		s.refused(o, "nobody can see")
		s.refused(ordered(door, "maintenance"), "say for how long")
	})
}

// Each may set what is for them.
func TestWhoMaySetWhat(t *testing.T) {
	play(t, func(s *stage) {
		s.refused(own("emergency"), "“emergency” is for operators to set; there are: appear_offline, available, ")
		s.refused(own("on_call"), "“on_call” is not set by hand; there are: ")
		s.refused(own("maintenance"), "there is no state “maintenance”")
		s.refused(own(""), "there is no state “”")
		s.refused(own("custom:Ä"), "there is no state")
		s.refused(own(custom+"*"), "there is no state")
		s.refused(own(strings.Repeat("x", 100)), "“"+strings.Repeat("x", 40)+"…”")
		s.refused(ordered(ada, "on_call"), "there are: active, appear_offline, ")
		s.refused(ordered(door, "dnd"), "there are: alarm, fault, locked, maintenance")
		team := Order{Subject: "team@x", Kind: presence.Team, By: presence.ByRole, State: "ready"}
		s.refused(team, "nothing can be set of a team")
		for _, name := range []string{"dnd", "Do not disturb", "bitte nicht STÖREN", "custom:site_visit", "CUSTOM:site_visit", "appear-offline"} {
			if _, err := s.Set(s.Context(), own(name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		o := ordered(door, "maintenance")
		o.For = time.Hour
		s.set(o, time.Hour)
		s.is(door, "maintenance")
		s.set(ordered(door, "alarm"), 8*time.Hour)
		s.is(door, "alarm")
		if all := s.All(); len(all) != 2 {
			t.Errorf("all that is set: %+v", all)
		}
	})
}

// What ends by itself is told to people, once; what was replaced or taken away is not.
func TestEnds(t *testing.T) {
	play(t, func(s *stage) {
		s.set(own("break"), 20*time.Minute)
		s.set(own("lunch"), time.Hour)
		o := ordered(door, "maintenance")
		o.For = time.Hour
		s.set(o, time.Hour)
		s.after(2 * time.Hour)
		if want := []string{"ada@x: Your state Lunch has ended."}; !slices.Equal(s.told, want) {
			t.Errorf("told %q, want %q", s.told, want)
		}
		s.is(ada, presence.Available)
		s.is(door, "idle")
		s.set(own("dnd"), 8*time.Hour)
		gone, err := s.Clear(s.Context(), ada, presence.Person, presence.ByManual)
		if err != nil || len(gone) != 1 || gone[0].State != "dnd" {
			t.Errorf("cleared %+v, %v", gone, err)
		}
		s.after(24 * time.Hour)
		if len(s.told) != 1 {
			t.Errorf("told %q", s.told)
		}
		s.is(ada, presence.Available)
		if text := s.ended(notice{ada, "break", time.Now().Add(-time.Hour)}, time.Now()); text != "Your state Break ended at 01:00." {
			t.Errorf("much later: %q", text)
		}
	})
}

// The last one counts, whoever set it; but people do not take away what only operators
// may set.
func TestOneState(t *testing.T) {
	play(t, func(s *stage) {
		sources := func(want ...string) {
			t.Helper()
			all, err := s.Settings(s.Context(), ada)
			var got []string
			for _, x := range all {
				got = append(got, x.Source+" "+x.State)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("set is %q, %v; want %q", got, err, want)
			}
			time.Sleep(time.Second)
		}
		s.set(own("dnd"), 8*time.Hour)
		sources("manual dnd")
		s.set(ordered(ada, "lunch"), time.Hour)
		sources("manual/operator lunch")
		s.set(own("break"), 20*time.Minute)
		sources("manual break")
		s.set(ordered(ada, "emergency"), 8*time.Hour)
		sources("manual/operator emergency")
		s.set(own("break"), 20*time.Minute)
		sources("manual break", "manual/operator emergency")
		if gone, err := s.Clear(s.Context(), ada, presence.Person, presence.ByManual); err != nil || len(gone) != 1 {
			t.Errorf("cleared %+v, %v", gone, err)
		}
		sources("manual/operator emergency")
		if gone, err := s.Clear(s.Context(), ada, presence.Person, presence.ByRole); err != nil || len(gone) != 1 {
			t.Errorf("cleared %+v, %v", gone, err)
		}
		sources()
		if gone, err := s.Clear(s.Context(), ada, presence.Person, presence.ByRole); err != nil || len(gone) != 0 {
			t.Errorf("cleared %+v, %v", gone, err)
		}
	})
}

func TestSharing(t *testing.T) {
	play(t, func(s *stage) {
		if got := s.Sharing("old@x"); got != presence.ShareNothing {
			t.Errorf("what was stored is %s", got)
		}
		s.report(ada, presence.Person, "phone/2001", presence.Contribution{Axis: presence.Engagement, State: "on_call", Channels: presence.Voice})
		s.is(ada, "on_call")
		for choice, want := range map[presence.Sharing]string{presence.ShareBusyOnly: presence.Busy, presence.ShareNothing: presence.Available, presence.SharePhone: "on_call"} {
			if err := s.Share(s.Context(), ada, choice); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			s.is(ada, want)
		}
		if err := s.Share(s.Context(), "nobody@x", presence.ShareNothing); !errors.Is(err, errNobody) || s.Sharing("nobody@x") != presence.SharePhone {
			t.Errorf("of nobody: %v", err)
		}
		s.Forget("old@x")
		if got := s.Sharing("old@x"); got != presence.SharePhone {
			t.Errorf("what was forgotten is %s", got)
		}
	})
}

func TestNotTooOften(t *testing.T) {
	play(t, func(s *stage) {
		for range changesAtOnce {
			s.set(own("break"), 20*time.Minute)
		}
		s.refused(own("break"), "very often")
		s.set(ordered(ada, "break"), 20*time.Minute) // who operates knows what they do
		s.after(changeEvery)
		s.set(own("break"), 20*time.Minute)
		s.refused(own("break"), "very often")
	})
	var p pace
	now := time.Now()
	for i := range 3 * keepPaces {
		p.allow(presence.Subject(strings.Repeat("a", i%100+1)+string(rune('a'+i/100))), now.Add(time.Duration(i)*time.Minute))
	}
	if len(p.used) > keepPaces {
		t.Errorf("%d are remembered", len(p.used))
	}
}
