package contacts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/xmpp/jid"
)

const door = jid.Bare("door@phones.x")

// street is a door, its state, and those who watch it.
type street struct {
	mu       sync.Mutex
	states   map[jid.Bare]*presence.Effective
	changed  map[jid.Bare]bool
	wake     chan struct{}
	watchers []jid.Bare // by groups
	absent   jid.Bare
	sent     map[string][]string // by whom they are for
	level    map[jid.Bare]presence.Level
	kept     map[Subscriber]bool
	broken   bool
}

func (s *street) State(who presence.Subject) *presence.Effective {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[who]
}

// becomes has the door be in a state; "" is that nothing is known.
func (s *street) becomes(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[door] = nil; state != "" {
		s.states[door] = &presence.Effective{Subject: door, Kind: presence.Device, State: state, Channels: presence.Voice}
	}
	s.changed[door] = true
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *street) Next(ctx context.Context) (all []presence.Subject, err error) {
	select {
	case <-s.wake:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for who := range s.changed {
		all = append(all, who)
	}
	clear(s.changed)
	return all, nil
}

func (s *street) Sees(watcher, _ jid.Bare) bool { return slices.Contains(s.watchers, watcher) }

func (s *street) Watchers(jid.Bare) iter.Seq[jid.Bare] { return slices.Values(s.watchers) }

func (s *street) Level(watcher jid.Bare, _ presence.Subject) presence.Level { return s.level[watcher] }

func (s *street) Language() string { return "en" }

func (s *street) Show(e *presence.Effective, l presence.Level) presence.Shown {
	if e == nil || l == presence.Hidden {
		return presence.Shown{Unavailable: true}
	}
	shown := presence.Shown{Show: "dnd"}
	if l > presence.Basic {
		shown.Text = e.State
	}
	return shown
}

func (s *street) LoadSubscribers(context.Context) (all []Subscriber, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for x := range s.kept {
		all = append(all, x)
	}
	return all, nil
}

func (s *street) SetSubscriber(_ context.Context, x Subscriber, subscribed bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("broken")
	}
	if s.kept[x] = true; !subscribed {
		delete(s.kept, x)
	}
	return nil
}

func (s *street) send(_ context.Context, raw []byte) error {
	_, rest, _ := strings.Cut(string(raw), " to='")
	to, rest, _ := strings.Cut(rest, "'")
	head, _, _ := strings.Cut(string(raw), " to='")
	text := "there"
	switch {
	case strings.Contains(string(raw), "subscribed"):
		text = strings.Trim(rest, " /><")
	case strings.Contains(head, "unavailable"):
		text = "gone"
	case strings.Contains(rest, "<status"):
		_, text, _ = strings.Cut(rest, "xml:lang='en'>")
		text, _, _ = strings.Cut(text, "<")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[to] = append(s.sent[to], text)
	return nil
}

// read returns what somebody got since the last time.
func (s *street) read(who jid.Bare) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.sent[string(who)]
	delete(s.sent, string(who))
	return got
}

// shelf keeps devices nowhere.
type shelf struct{}

func (shelf) LoadDevices(context.Context) ([]device.Device, error)          { return nil, nil }
func (shelf) SaveDevices(context.Context, []*device.Device, []string) error { return nil }

func newStreet(t *testing.T) (*street, *Service, *device.Register) {
	s := &street{
		states: map[jid.Bare]*presence.Effective{}, changed: map[jid.Bare]bool{}, wake: make(chan struct{}, 1),
		watchers: []jid.Bare{"ada@x", "bob@x", "cy@x"}, absent: "cy@x", sent: map[string][]string{}, kept: map[Subscriber]bool{},
		level: map[jid.Bare]presence.Level{"ada@x": presence.Status, "bob@x": presence.Basic, "cy@x": presence.Status, "dan@x": presence.Status},
	}
	devices := device.NewRegister(shelf{}, device.Config{Domain: "phones.x"})
	service := New(Parts{
		Devices: devices.Picture, States: s, Watch: s, Audience: func() Audience { return s }, Groups: func() Groups { return s },
		Online: func(who jid.Bare) bool { return who != s.absent }, Send: s.send, Store: s, Log: slog.New(slog.DiscardHandler),
	})
	devices.OnChanged(service.Changed)
	if _, err := devices.Add(t.Context(), device.Device{ID: "door", Name: "Door", Class: device.Intercom, User: "door"}); err != nil {
		t.Fatal(err)
	}
	return s, service, devices
}

// run plays a scene while the service runs.
func run(t *testing.T, s *Service, scene func()) {
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	scene()
	cancel()
	all.Wait()
}

// Watchers hear what makes a difference to them, if they are there.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, service, devices := newStreet(t)
		expect := func(what string, want ...string) {
			t.Helper()
			synctest.Wait()
			for i, who := range []jid.Bare{"ada@x", "bob@x", "cy@x"} {
				if got := strings.Join(s.read(who), " "); got != append(want, "", "", "")[i] {
					t.Errorf("%s: %s hears %q, and not %q", what, who, got, append(want, "", "", "")[i])
				}
			}
		}
		run(t, service, func() {
			s.becomes("")
			expect("nothing is known, which is no news")
			s.becomes("idle")
			expect("ready", "idle", "there")
			s.becomes("on_call")
			expect("a call, which one of them sees", "on_call")
			s.absent = ""
			s.becomes("ringing")
			expect("somebody came, and is told", "ringing", "", "ringing")
			s.becomes("")
			expect("lost", "gone", "gone", "gone")
			s.becomes("idle")
			expect("back", "idle", "there", "idle")
			if _, err := devices.Set(t.Context(), "door", func(d *device.Device) error { d.Name = "Gate"; return nil }); err != nil {
				t.Fatal(err)
			}
			expect("of another name", "idle", "there", "idle")
			if err := devices.Remove(t.Context(), "door"); err != nil {
				t.Fatal(err)
			}
			expect("removed", "gone", "gone", "gone")
			s.becomes("idle")
			expect("what is said of nothing")
		})
	})
}

// Another audience is heard of by those to whom it makes a difference.
func TestGrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, service, _ := newStreet(t)
		run(t, service, func() {
			s.becomes("idle")
			synctest.Wait()
			s.read("ada@x")
			s.read("bob@x")
			other := &street{level: map[jid.Bare]presence.Level{"ada@x": presence.Hidden, "bob@x": presence.Basic}}
			service.parts.Audience = func() Audience { return other }
			service.Grade()
			synctest.Wait()
			if a, b := s.read("ada@x"), s.read("bob@x"); fmt.Sprint(a, b) != "[gone] []" {
				t.Errorf("heard are %q and %q", a, b)
			}
			s.becomes("")
			synctest.Wait()
			if a, b := s.read("ada@x"), s.read("bob@x"); fmt.Sprint(a, b) != "[] [gone]" {
				t.Errorf("then heard are %q and %q", a, b)
			}
		})
	})
}

// However probes and changes coincide, everybody hears last what is true.
func TestLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, service, _ := newStreet(t)
		run(t, service, func() {
			states := []string{"idle", "on_call", "", "ringing"}
			for round := range 500 {
				var all sync.WaitGroup
				for _, state := range states {
					all.Go(func() { s.becomes(state) })
					all.Go(func() { service.probed("ada@x", door) })
					all.Go(func() { service.probed("bob@x", door) })
				}
				all.Wait()
				synctest.Wait()
				e := s.State(door)
				for _, who := range []jid.Bare{"ada@x", "bob@x"} {
					shown := s.Show(e, s.level[who])
					want := shown.Text
					if shown.Unavailable {
						want = "gone"
					} else if want == "" {
						want = "there"
					}
					if got := s.read(who); len(got) > 0 && got[len(got)-1] != want {
						t.Fatalf("round %d: %s heard %q, and what is true is %s", round, who, got, want)
					}
				}
			}
		})
	})
}

func TestSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, service, _ := newStreet(t)
		s.kept[Subscriber{"eve@x", door}] = true
		run(t, service, func() {
			service.subscribe("dan@x", door)
			service.subscribe("dan@x", door)
			service.subscribe("eve@x", door) // it is hidden from her
			service.subscribe("dan@x", "no@phones.x")
			synctest.Wait()
			if got := s.read("dan@x"); strings.Join(got, " ") != "type='subscribed' gone type='subscribed' gone type='unsubscribed'" {
				t.Errorf("dan hears %q", got)
			}
			if got := s.read("eve@x"); strings.Join(got, " ") != "type='unsubscribed'" {
				t.Errorf("eve hears %q", got)
			}
			service.subscribe("dan@x", door)
			service.AccountRemoved("eve@x")
			synctest.Wait()
			if s.kept[Subscriber{"eve@x", door}] || !s.kept[Subscriber{"dan@x", door}] {
				t.Errorf("kept are %v", s.kept)
			}
			s.broken = true
			service.unsubscribe("dan@x", door)
			synctest.Wait()
			s.mu.Lock()
			s.broken = false
			s.mu.Unlock()
			for i := range 2 * maxSubscribers {
				who := jid.Bare(fmt.Sprintf("p%d@x", i))
				s.level[who] = presence.Basic
				service.subscribe(who, door)
			}
			synctest.Wait()
		})
		if n := len(s.kept); n != maxSubscribers || s.kept[Subscriber{"dan@x", door}] {
			t.Errorf("%d are kept, and dan: %v", n, s.kept[Subscriber{"dan@x", door}])
		}
		if got := s.read(jid.Bare(fmt.Sprintf("p%d@x", maxSubscribers))); strings.Join(got, " ") != "type='unsubscribed'" {
			t.Errorf("one too many hears %q", got)
		}
	})
}

// Who comes is shown all that they see at once, one stanza each, and their other clients
// nothing. A change meanwhile reaches them all the same.
func TestIntroduce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, service, devices := newStreet(t)
		const n = 200
		list := []jid.Bare{"nobody@phones.x", door}
		for i := range n {
			id := fmt.Sprintf("p%d", i)
			if _, err := devices.Add(t.Context(), device.Device{ID: id, Name: id, User: id}); err != nil {
				t.Fatal(err)
			}
			who := jid.Bare(id + "@phones.x")
			s.states[who] = &presence.Effective{Subject: who, Kind: presence.Device, State: "idle", Channels: presence.Voice}
			list = append(list, who)
		}
		run(t, service, func() {
			service.Introduce(jid.Bare("ada@x").With("desk"), list)
			got := s.read("ada@x/desk")
			if len(got) != n || got[0] != "idle" {
				t.Errorf("%d stanzas: %v", len(got), got[:min(len(got), 3)])
			}
			if got := s.read("ada@x"); !slices.Equal(got, []string{"type='unsubscribed'"}) {
				t.Errorf("all clients hear %v", got)
			}
			s.becomes("idle")
			synctest.Wait()
			if got := s.read("ada@x"); !slices.Equal(got, []string{"idle"}) {
				t.Errorf("of the door they hear %v", got)
			}
		})
	})
}

// BenchmarkSpread is a change of a device that four people watch.
func BenchmarkSpread(b *testing.B) {
	s := &street{level: map[jid.Bare]presence.Level{}, states: map[jid.Bare]*presence.Effective{}}
	for i := range 4 {
		who := jid.Bare(fmt.Sprintf("p%d@x", i))
		s.watchers, s.level[who] = append(s.watchers, who), presence.Status
	}
	devices := device.NewRegister(shelf{}, device.Config{Domain: "phones.x"})
	if _, err := devices.Add(b.Context(), device.Device{ID: "door", Name: "Door", Class: device.Intercom, User: "door"}); err != nil {
		b.Fatal(err)
	}
	service := New(Parts{
		Devices: devices.Picture, States: s, Audience: func() Audience { return s }, Groups: func() Groups { return s },
		Send: func(context.Context, []byte) error { return nil },
	})
	service.audience = s
	both := [2]*presence.Effective{{State: "idle"}, {State: "on_call"}}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		s.states[door] = both[n%2]
		service.spread(door)
	}
}
