package hearsay

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
	"rollcall/sipgw/watcher"
	"rollcall/xmpp/jid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory keeps devices.
type memory []device.Device

func (m memory) LoadDevices(context.Context) ([]device.Device, error) { return m, nil }

func (m memory) SaveDevices(context.Context, []*device.Device, []string) error { return nil }

// shelf keeps presence.
type shelf struct {
	mu      sync.Mutex
	start   presence.Start
	records map[presence.Subject]presence.Record
}

func (s *shelf) Load(_ context.Context, each func(presence.Record) error) (presence.Start, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start.Epoch++
	for _, r := range s.records {
		if err := each(r); err != nil {
			return presence.Start{}, err
		}
	}
	return s.start, nil
}

func (s *shelf) Save(_ context.Context, b *presence.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records == nil {
		s.records = map[presence.Subject]presence.Record{}
	}
	for _, who := range b.Gone {
		delete(s.records, who)
	}
	for _, r := range b.Records {
		s.records[r.Subject] = r
	}
	if !b.Alive.IsZero() {
		s.start.Alive = b.Alive
	}
	return nil
}

// snapshot is the shelf as it is now, whatever comes to it later.
func (s *shelf) snapshot() *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &shelf{start: s.start, records: maps.Clone(s.records)}
}

// house has an engine that hears of a PBX's lines.
type house struct {
	*testing.T
	engine  *presence.Engine
	devices *device.Register
	tr      *transport.Transport
	stop    func()
}

const pbxAt = "192.0.2.9:5060"

func open(t *testing.T, n *siptest.Network, store presence.Store, devices ...device.Device) *house {
	t.Helper()
	h := &house{T: t}
	var err error
	if h.tr, err = transport.New(transport.Options{Network: n, Config: transport.Config{Listen: []string{"192.0.2.1:5060"}}}); err != nil {
		t.Fatal(err)
	}
	h.engine = presence.NewEngine(presence.Options{
		Store: store, Volatile: Sources(), Config: presence.EngineConfig{Barrier: 30 * time.Second}, Shards: 1,
	})
	h.devices = device.NewRegister(memory(devices), device.Config{Domain: "phones.x"})
	if err := h.devices.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	board := New(Parts{Engine: h.engine, Devices: h.devices.Picture, Catalogue: presence.DefaultCatalogue})
	w := watcher.New(watcher.Parts{SIP: h.tr, Devices: h.devices.Picture, Tell: board.Tell, Synced: board.Synced}, watcher.Config{
		Upstreams: []watcher.Upstream{{Name: "hq", Host: pbxAt, Packages: []string{"dialog"}, Exchange: true}},
	})
	h.devices.OnChanged(w.Changed)
	h.tr.Handle("NOTIFY", transport.Endpoint(w.Notified))
	if err := h.tr.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	inner, last := context.WithCancel(context.Background())
	var first, second sync.WaitGroup
	for _, run := range []func(context.Context) error{h.tr.Run, func(ctx context.Context) error { w.Run(ctx); return nil }, func(ctx context.Context) error { board.Run(ctx); return nil }} {
		first.Go(func() { run(ctx) })
	}
	second.Go(func() {
		if err := h.engine.Run(inner); err != nil {
			t.Error(err)
		}
	})
	h.stop = func() { cancel(); first.Wait(); last(); second.Wait() }
	return h
}

// shows fails unless a subject is in a state; "*" behind it is that it is stale.
func (h *house) shows(who jid.Bare, want string) {
	h.Helper()
	time.Sleep(300 * time.Millisecond)
	synctest.Wait()
	got := "nothing"
	if e := h.engine.State(who); e != nil {
		if got = e.State; e.Stale {
			got += "*"
		}
	}
	if got != want {
		h.Fatalf("%s is %s, want %s", who, got, want)
	}
}

// exchange is a PBX that tells of the calls of its lines.
type exchange struct {
	*house
	*siptest.Phone
	call    string // the state that the one call of all lines is in, or ""
	subs    map[string]*siptest.Message
	version int
}

func plug(h *house, n *siptest.Network) *exchange {
	h.Helper()
	p, err := siptest.NewPhone(n, siptest.Options{User: "pbx", Domain: "x", At: netip.MustParseAddrPort(pbxAt), Gateway: netip.MustParseAddrPort("192.0.2.1:5060"), Manual: true})
	if err != nil {
		h.Fatal(err)
	}
	return &exchange{h, p, "", map[string]*siptest.Message{}, 0}
}

// serve lets time pass, in which the PBX answers.
func (x *exchange) serve(most time.Duration) {
	x.Helper()
	for range most / (100 * time.Millisecond) {
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		for _, m := range x.Unread() {
			x.Take(m)
			id := m.Header("Call-ID")
			switch {
			case m.Method != "SUBSCRIBE":
			case strings.Contains(m.Header("To"), "tag=") && x.subs[id] == nil:
				x.say("481")
			default:
				x.subs[id] = m
				x.say("200\nExpires: 600")
				x.tell(id)
			}
		}
	}
}

func (x *exchange) say(text string) {
	x.Helper()
	m, err := siptest.Write(text)
	if err == nil {
		err = x.Say(m)
	}
	if err != nil {
		x.Fatal(err)
	}
}

func (x *exchange) tell(id string) {
	x.Helper()
	dialog := ""
	if x.call != "" {
		dialog = `<dialog id="1" call-id="1" direction="recipient"><state>` + x.call + `</state></dialog>`
	}
	x.say(fmt.Sprintf("NOTIFY\nCall-ID: %s\nEvent: dialog\nSubscription-State: active;expires=600\nContent-Type: application/dialog-info+xml\n--\n"+
		`<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="%d" state="full" entity="sip:2001@hq">%s</dialog-info>`, id, x.version, dialog))
	x.version++
}

// calls has all lines be in a call, or in none.
func (x *exchange) calls(state string) {
	x.Helper()
	x.call = state
	for id := range x.subs {
		x.tell(id)
	}
	x.serve(time.Second)
}

const (
	phone = jid.Bare("2001@phones.x")
	ada   = jid.Bare("ada@x")
)

// A call at a PBX, its restart, and its silence, as people see them.
func TestBehindPBX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &siptest.Network{}
		h := open(t, n, nil, device.Device{ID: "2001", User: "2001", Upstream: "hq", Owner: ada})
		x := plug(h, n)
		h.shows(phone, "nothing")
		x.serve(time.Second)
		h.shows(phone, "idle")
		h.shows(ada, "phone_only")
		x.calls("confirmed")
		h.shows(phone, "on_call")
		h.shows(ada, "on_call")
		x.calls("")
		h.shows(phone, "idle")
		x.calls("confirmed")
		// The PBX is restarted: the call goes with it, and so does the subscription.
		clear(x.subs)
		x.call, x.version = "", 0
		x.serve(10 * time.Minute)
		h.shows(phone, "idle")
		// It falls silent.
		n.Lose(func(_, to netip.AddrPort, _ []byte) bool { return to.String() == pbxAt })
		x.serve(11 * time.Minute)
		h.shows(phone, "unknown")
		h.shows(ada, "offline")
		x.serve(6 * time.Hour)
		h.shows(phone, "unknown")
		// It is back, with a call.
		n.Lose(nil)
		x.call = "confirmed"
		x.serve(2 * time.Minute)
		h.shows(phone, "on_call")
		h.shows(ada, "on_call")
		// The device belongs to somebody else, and then it is no more.
		if _, err := h.devices.Set(t.Context(), "2001", func(d *device.Device) error { d.Owner = "bob@x"; return nil }); err != nil {
			t.Fatal(err)
		}
		h.shows(ada, "offline")
		h.shows("bob@x", "on_call")
		if err := h.devices.Remove(t.Context(), "2001"); err != nil {
			t.Fatal(err)
		}
		h.engine.Forget(phone)
		h.shows(phone, "nothing")
		h.shows("bob@x", "offline")
		h.stop()
		x.Close()
	})
}

// After a restart of ours what was known is stale until the PBX has told it again; if it
// does not, the device is unknown before that is forgotten.
func TestRestartOfOurs(t *testing.T) {
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n, store := &siptest.Network{}, &shelf{}
			line := device.Device{ID: "2001", User: "2001", Upstream: "hq", Owner: ada}
			h := open(t, n, store, line)
			x := plug(h, n)
			x.serve(time.Second)
			x.calls("confirmed")
			h.shows(phone, "on_call")
			crashed := store.snapshot()
			h.stop()
			x.Close()
			time.Sleep(5 * time.Second)

			seen := []string{}
			h = open(t, n, crashed, line)
			h.shows(phone, "on_call*")
			h.shows(ada, "on_call*")
			if !silent {
				x = plug(h, n)
				x.serve(time.Second) // without the call
				h.shows(phone, "idle")
				h.shows(ada, "phone_only")
				h.stop()
				x.Close()
				return
			}
			for range 400 {
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
				if s := h.engine.State(phone).State; len(seen) == 0 || seen[len(seen)-1] != s {
					seen = append(seen, s)
				}
			}
			if !slices.Equal(seen, []string{"on_call", "unknown"}) {
				t.Errorf("it was %v", seen)
			}
			h.shows(ada, "offline")
			h.stop()
		})
	}
}
