package mailbox

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/mwi"
)

// engine keeps what it is told.
type engine struct {
	mu   sync.Mutex
	said map[string][]presence.Contribution // by subject and source
	busy int                                // so often it has too much to do
}

func (e *engine) Report(who presence.Subject, _ presence.Kind, source string, all []presence.Contribution) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.busy > 0 {
		e.busy--
		return presence.ErrBusy
	}
	key := string(who) + " " + source
	if e.said[key] = all; all == nil {
		delete(e.said, key)
	}
	return nil
}

func (e *engine) State(who presence.Subject) *presence.Effective {
	e.mu.Lock()
	defer e.mu.Unlock()
	state := &presence.Effective{}
	for key, all := range e.said {
		if name, source, _ := strings.Cut(key, " "); name == string(who) {
			for _, c := range all {
				c.Source = source
				state.All = append(state.All, c)
			}
		}
	}
	return state
}

func (e *engine) keys() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(e.said)), ", ")
}

// bench is mailboxes beside an engine and devices: 1 and 2 are ada's, 3 is shared.
type bench struct {
	*Mailboxes
	engine  *engine
	devices *device.Register
	changed []string
}

func play(t *testing.T, test func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{engine: &engine{said: map[string][]presence.Contribution{}}, devices: device.NewRegister(nobody{}, device.Config{Domain: "phones.x"})}
		for _, d := range []device.Device{{ID: "1", Owner: "ada@x"}, {ID: "2", Owner: "ada@x"}, {ID: "3", Owner: "ada@x", Shared: true}, {ID: "4"}} {
			d.Name = d.ID
			if _, err := b.devices.Add(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		b.begin()
		b.devices.OnChanged(func(before, now *device.Device) { b.Changed(before, now) })
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.Run(ctx) })
		test(b)
		stop()
		running.Wait()
	})
}

// begin makes mailboxes that know nothing.
func (b *bench) begin() {
	b.Mailboxes = New(Parts{
		Engine: b.engine, Devices: b.devices.Picture, Log: slog.New(slog.DiscardHandler),
		Changed: func(d *device.Device) { b.changed = append(b.changed, d.ID) },
	})
}

// told has a PBX tell, and returns whose phones are to show it.
func (b *bench) told(id string, waiting bool, fresh uint32) string {
	b.changed = nil
	s := &mwi.Summary{Waiting: waiting, Account: "sip:1@pbx"}
	s.Counts[mwi.Voice] = mwi.Count{New: fresh, Old: 1, Known: true}
	b.Told(b.devices.Picture().ByID(id), s)
	synctest.Wait()
	return strings.Join(b.changed, " ")
}

func (b *bench) waits(t *testing.T, want map[presence.Subject]uint32) {
	t.Helper()
	for who, n := range want {
		if s := b.Waiting(who); s.Counts[mwi.Voice].New != n || s.Waiting != (n > 0) || s.Account != "" {
			t.Errorf("for %s wait %+v, want %d", who, s, n)
		}
	}
}

type nobody struct{}

func (nobody) LoadDevices(context.Context) ([]device.Device, error)          { return nil, nil }
func (nobody) SaveDevices(context.Context, []*device.Device, []string) error { return nil }

func TestMailboxes(t *testing.T) {
	play(t, func(b *bench) {
		b.engine.busy = 3
		if got := b.told("1", true, 2); got != "1 2" {
			t.Errorf("shown at %s", got)
		}
		b.told("2", true, 3)
		if got := b.told("3", true, 4); got != "3" {
			t.Errorf("what waits at one for several is shown at %s", got)
		}
		time.Sleep(time.Second)
		const all = "1@phones.x mailbox, 2@phones.x mailbox, 3@phones.x mailbox, ada@x mailbox/1, ada@x mailbox/2"
		if got := b.engine.keys(); got != all {
			t.Errorf("the engine knows %s", got)
		}
		want := map[presence.Subject]uint32{"1@phones.x": 5, "2@phones.x": 5, "3@phones.x": 4, "4@phones.x": 0, "ada@x": 5, "bob@x": 0}
		b.waits(t, want)
		old := b.Mailboxes
		b.begin() // after a restart
		b.waits(t, want)
		b.Mailboxes = old

		b.told("1", false, 0)
		if got := b.engine.keys(); got != "2@phones.x mailbox, 3@phones.x mailbox, ada@x mailbox/2" {
			t.Errorf("the engine still knows %s", got)
		}
		b.waits(t, map[presence.Subject]uint32{"ada@x": 3})
		time.Sleep(keepFor)
		b.waits(t, map[presence.Subject]uint32{"ada@x": 0, "3@phones.x": 0})
	})
}

// What waits goes with the line.
func TestAnotherOwner(t *testing.T) {
	play(t, func(b *bench) {
		b.told("1", true, 2)
		change := func(f func(*device.Device)) string {
			b.changed = nil
			_, err := b.devices.Change(t.Context(), func(p *device.Picture) ([]device.Device, error) {
				d := *p.ByID("1")
				f(&d)
				return []device.Device{d}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return b.engine.keys()
		}
		if got := change(func(d *device.Device) { d.Name = "One" }); got != "1@phones.x mailbox, ada@x mailbox/1" || b.changed != nil {
			t.Errorf("by another name: %s, shown at %s", got, b.changed)
		}
		if got := change(func(d *device.Device) { d.Owner = "bob@x" }); got != "1@phones.x mailbox, bob@x mailbox/1" || !slices.Equal(b.changed, []string{"1", "2", "1"}) {
			t.Errorf("with another owner: %s, shown at %s", got, b.changed)
		}
		if got := change(func(d *device.Device) { d.User = "one" }); got != "1@phones.x mailbox, bob@x mailbox/one" {
			t.Errorf("with another user: %s", got)
		}
		if got := change(func(d *device.Device) { d.Shared = true }); got != "1@phones.x mailbox" {
			t.Errorf("shared: %s", got)
		}
		change(func(d *device.Device) { d.Shared = false })
		if err := b.devices.Remove(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := b.engine.keys(); strings.Contains(got, "bob@x") {
			t.Errorf("when it is gone: %s", got)
		}
		b.waits(t, map[presence.Subject]uint32{"bob@x": 0})
	})
}
