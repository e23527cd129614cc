package status

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
)

// engine holds what was reported last.
type engine struct {
	mu     sync.Mutex
	said   map[string]string // by subject and source
	ends   map[string]time.Time
	times  int // that something was reported
	synced []string
	full   bool
	over   bool
}

func (e *engine) Report(who presence.Subject, _ presence.Kind, source string, all []presence.Contribution) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.times++
	for _, c := range all {
		e.ends[string(who)+" "+source] = c.Expires
	}
	switch key := string(who) + " " + source; {
	case e.over:
		return presence.ErrEnded
	case e.full:
		return presence.ErrBusy
	case len(all) == 0:
		delete(e.said, key)
	default:
		var states []string
		for _, c := range all {
			states = append(states, c.State+"("+c.Facets.Device+c.Facets.Cause+")")
		}
		e.said[key] = fmt.Sprint(states)
	}
	return nil
}

func (e *engine) Forget(who presence.Subject) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.said {
		if len(key) > len(who) && key[:len(who)] == string(who) {
			delete(e.said, key)
		}
	}
}

func (e *engine) Synced(prefix string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.synced = append(e.synced, prefix)
}

func (e *engine) set(full, over bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.full, e.over = full, over
}

// bindings are those that a test says, and who was removed.
type bindings struct {
	mu      sync.Mutex
	all     map[string][]*registrar.Binding
	removed []string
}

func (b *bindings) Lookup(aor string) []*registrar.Binding {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[aor]
}

func (b *bindings) Remove(_ time.Time, aor string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.removed = append(b.removed, aor)
	delete(b.all, aor)
}

// Forget implements Publications.
func (b *bindings) Forget(_ time.Time, resource, publisher string, _ time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.removed = append(b.removed, "publications of "+publisher+" about "+resource)
}

// shelf keeps devices nowhere.
type shelf struct{}

func (shelf) LoadDevices(context.Context) ([]device.Device, error)          { return nil, nil }
func (shelf) SaveDevices(context.Context, []*device.Device, []string) error { return nil }

type stage struct {
	t *testing.T
	*Board
	*engine
	*bindings
	devices *device.Register
}

func newStage(t *testing.T, known *presence.Effective) *stage {
	s := &stage{t: t, engine: &engine{said: map[string]string{}, ends: map[string]time.Time{}}, bindings: &bindings{all: map[string][]*registrar.Binding{}}}
	s.devices = device.NewRegister(shelf{}, device.Config{Domain: "phones.x"})
	s.Board = New(Parts{
		Engine: s.engine, Bindings: s.bindings, Publications: s.bindings, Devices: s.devices.Picture, Catalogue: presence.DefaultCatalogue,
		Known: func(presence.Subject) *presence.Effective { return known }, Log: slog.New(slog.DiscardHandler),
	})
	s.devices.OnChanged(s.Changed)
	s.put(device.Device{ID: "2001", Name: "Desk", Class: device.Phone, User: "2001", Owner: "ada@x"})
	return s
}

func (s *stage) put(d device.Device) {
	s.t.Helper()
	_, err := s.devices.Change(s.t.Context(), func(*device.Picture) ([]device.Device, error) { return []device.Device{d}, nil })
	if err != nil {
		s.t.Fatal(err)
	}
}

// run plays a scene while the board runs.
func (s *stage) run(scene func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var all sync.WaitGroup
	all.Go(func() { s.Run(ctx) })
	synctest.Wait()
	scene()
	cancel()
	all.Wait()
}

func (s *stage) want(what string, want ...string) {
	s.t.Helper()
	synctest.Wait()
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	var got []string
	for key, said := range s.said {
		got = append(got, key+": "+said)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: said are\n\t%q, and not\n\t%q", what, got, want)
	}
}

// register has 2001 be registered or not.
func (s *stage) register(what registrar.Event, reboot string) {
	b := &registrar.Binding{ID: 1, AOR: "2001@phones.x", Created: time.Now(), Expires: time.Now().Add(time.Hour)}
	c := registrar.Change{What: what, AOR: b.AOR, Binding: b, Reboot: reboot, At: time.Now()}
	s.bindings.mu.Lock()
	s.all[b.AOR] = nil
	if !what.Gone() {
		s.all[b.AOR] = []*registrar.Binding{b}
		c.After = s.all[b.AOR]
	}
	s.bindings.mu.Unlock()
	s.Registered(c)
}

const (
	adaPhone = "ada@x phone/2001: "
	reached  = "2001@phones.x registrar: [idle()]"
)

func TestBoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		s.run(func() {
			s.want("at first", "2001@phones.x registrar: [offline(not registered)]", adaPhone+"[offline(Desknot registered)]")
			if !slices.Equal(s.synced, Sources()) {
				t.Errorf("all has been said of %q", s.synced)
			}
			s.register(registrar.Registered, "")
			s.want("registered", reached, adaPhone+"[phone_only(Desk)]")
			s.Calls("2001@phones.x", call(dialoginfo.Confirmed))
			onCall := []string{"2001@phones.x calls: [on_call()]", reached, adaPhone + "[phone_only(Desk) on_call(Desk)]"}
			s.want("in a call", onCall...)
			s.Calls("9999@phones.x", call(dialoginfo.Confirmed))
			s.want("a call of nobody", onCall...)
			s.register(registrar.Rebooted, "another Call-ID")
			s.Calls("2001@phones.x", nil)
			s.want("started anew", reached, adaPhone+"[phone_only(Desk)]")
			if want := []string{"publications of 2001 about 2001@phones.x"}; !slices.Equal(s.removed, want) {
				t.Errorf("removed were %q", s.removed)
			}
			s.Answers(registrar.Report{Binding: s.all["2001@phones.x"][0], Health: registrar.Degraded})
			s.want("slow", "2001@phones.x qualifier: [degraded(no answer)]", reached, adaPhone+"[phone_only(Desk)]")
			s.Answers(registrar.Report{Binding: s.all["2001@phones.x"][0], Health: registrar.Good})
			s.want("well", reached, adaPhone+"[phone_only(Desk)]")
			s.register(registrar.Expired, "")
			s.want("gone", "2001@phones.x registrar: [offline(registration expired)]", adaPhone+"[offline(Deskregistration expired)]")
		})
	})
}

func TestPublications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		s.register(registrar.Registered, "")
		p := &publish.Publication{ID: 7, Resource: "2001@phones.x", Expires: time.Now().Add(time.Hour), State: &dialoginfo.Document{
			Dialogs: []dialoginfo.Dialog{{ID: "a", State: dialoginfo.Confirmed}},
		}}
		s.run(func() {
			s.Published(publish.Change{What: publish.Published, Publication: p, At: time.Now()})
			on := []string{"2001@phones.x publish/7: [on_call()]", reached, adaPhone + "[phone_only(Desk) on_call(Desk)]"}
			s.want("in a call", on...)
			s.Published(publish.Change{What: publish.Refreshed, Publication: p, At: time.Now()})
			s.want("still", on...)
			over := *p
			over.State = &dialoginfo.Document{} // of the same version: each publication stands by itself
			s.Published(publish.Change{What: publish.Modified, Publication: &over, At: time.Now()})
			s.want("over", reached, adaPhone+"[phone_only(Desk)]")
			s.Published(publish.Change{What: publish.Modified, Publication: p, At: time.Now()})
			s.want("again", on...)
			s.Published(publish.Change{What: publish.Expired, Publication: p, At: time.Now()})
			s.want("expired", reached, adaPhone+"[phone_only(Desk)]")
		})
	})
}

// What is the same for longer is reported later and once, unless its end is near.
func TestProlonged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		const who = "2001@phones.x"
		b := &registrar.Binding{ID: 1, AOR: who, Created: time.Now()}
		p := &publish.Publication{ID: 7, Resource: who, State: &dialoginfo.Document{Dialogs: []dialoginfo.Dialog{{ID: "a", State: dialoginfo.Confirmed}}}}
		refresh := func(what registrar.Event, params string, lasts time.Duration) {
			old := b
			fresh := *b
			fresh.Params, fresh.Expires = params, time.Now().Add(lasts)
			b = &fresh
			s.bindings.mu.Lock()
			s.all[who] = []*registrar.Binding{b}
			s.bindings.mu.Unlock()
			s.Registered(registrar.Change{What: what, AOR: who, Binding: b, Old: old, After: s.all[who], At: time.Now()})
		}
		paper := func(what publish.What, lasts time.Duration) {
			fresh := *p
			fresh.Expires = time.Now().Add(lasts)
			p = &fresh
			s.Published(publish.Change{What: what, Publication: p, At: time.Now()})
		}
		reported := func(what string, want bool) {
			t.Helper()
			synctest.Wait()
			s.engine.mu.Lock()
			defer s.engine.mu.Unlock()
			reach, call := s.ends[who+" registrar"].Equal(b.Expires.Add(registrar.Grace)), s.ends[who+" publish/7"].Equal(p.Expires)
			if reach != want || call != want {
				t.Errorf("%s: how long it can be reached is reported: %v, how long it is on the phone: %v", what, reach, call)
			}
		}
		s.run(func() {
			refresh(registrar.Registered, "", time.Hour)
			paper(publish.Published, time.Hour)
			reported("new", true)
			s.engine.mu.Lock()
			before := s.times
			s.engine.mu.Unlock()
			for range 19 {
				time.Sleep(time.Second)
				refresh(registrar.Refreshed, "", time.Hour)
				paper(publish.Refreshed, time.Hour)
			}
			reported("refreshed", false)
			time.Sleep(prolong - 18*time.Second)
			reported("later", true)
			if s.engine.mu.Lock(); s.times != before+3 { // two of the device and one of its owner
				t.Errorf("it was reported %d times", s.times-before)
			}
			s.engine.mu.Unlock()
			time.Sleep(time.Second)
			refresh(registrar.Refreshed, "methods=MESSAGE", time.Hour)
			paper(publish.Modified, time.Hour)
			reported("something else", true)
			time.Sleep(time.Second)
			refresh(registrar.Refreshed, b.Params, time.Minute)
			paper(publish.Refreshed, time.Minute)
			reported("for less long", true)
			time.Sleep(59 * time.Second)
			refresh(registrar.Refreshed, b.Params, time.Hour)
			paper(publish.Refreshed, time.Hour)
			reported("at the last moment", true)
		})
	})
}

func TestOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		s.register(registrar.Registered, "")
		d := device.Device{ID: "2001", Name: "Desk", Class: device.Phone, User: "2001", Owner: "bob@x"}
		s.run(func() {
			s.put(d)
			s.want("another's", reached, "bob@x phone/2001: [phone_only(Desk)]")
			d.Shared = true
			s.put(d)
			s.want("shared", reached)
			d.Shared, d.Disabled = false, true
			s.put(d)
			s.want("disabled", "2001@phones.x registrar: [offline(disabled)]", "bob@x phone/2001: [offline(Deskdisabled)]")
			if err := s.devices.Remove(t.Context(), "2001"); err != nil {
				t.Fatal(err)
			}
			s.want("removed")
		})
		if !slices.Contains(s.removed, "2001@phones.x") {
			t.Errorf("removed were %q", s.removed)
		}
	})
}

// An engine that has too much to do is told later, and one that has ended is not.
func TestBusyEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, nil)
		s.engine.set(true, false)
		s.run(func() {
			s.want("busy")
			s.engine.set(false, false)
			time.Sleep(busy)
			s.want("not any more", "2001@phones.x registrar: [offline(not registered)]", adaPhone+"[offline(Desknot registered)]")
			s.engine.set(false, true)
			s.register(registrar.Registered, "")
			synctest.Wait()
			s.engine.set(true, false)
			s.register(registrar.Registered, "")
		})
	})
}

// Since when a device is lost, and why, is known over a restart.
func TestRecall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, &presence.Effective{All: []presence.Contribution{
			{Source: FromRegistrar, State: presence.Offline, Since: time.Now().Add(-time.Hour), Facets: presence.Facets{Cause: "connection lost"}},
		}})
		s.run(func() {
			s.want("as before", "2001@phones.x registrar: [offline(connection lost)]", adaPhone+"[offline(Deskconnection lost)]")
		})
	})
}

func TestIsAOR(t *testing.T) {
	d := &device.Device{User: "a@b", JID: "2001@phones.x"}
	for aor, want := range map[string]bool{
		AOR(d): true, "a@b": false, "a@b@": false, "a@b@phones.y": false, "a@c@phones.x": false, "xa@b@phones.x": false, "": false,
	} {
		if got := IsAOR(aor, d); got != want {
			t.Errorf("%q: %v", aor, got)
		}
	}
}
