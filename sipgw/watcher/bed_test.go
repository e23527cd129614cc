package watcher

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rollcall/presence/device"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	gateway = "192.0.2.1:5060"
	pbxAt   = "192.0.2.9:5060"
)

// hq is the PBX of the tests.
func hq() Upstream {
	return Upstream{Name: "hq", Host: pbxAt, Packages: []string{"dialog"}, Exchange: true}
}

// memory keeps devices.
type memory []device.Device

func (m memory) LoadDevices(context.Context) ([]device.Device, error) { return m, nil }

func (m memory) SaveDevices(context.Context, []*device.Device, []string) error { return nil }

// bed is a watcher on a network in memory, and who is watched.
type bed struct {
	*testing.T
	*Watcher
	net     *siptest.Network
	devices *device.Register
	log     bytes.Buffer

	mu       sync.Mutex
	reach    map[string]Binding
	exchange *pbx
	learned  map[string][]Learned // by device
	waiting  []Waiting
	synced   time.Duration // after the start; 0 is not yet
	secrets  map[string]string
}

// play runs a test in a bubble.
func play(t *testing.T, cfg Config, devices []device.Device, test func(*bed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bed{T: t, net: &siptest.Network{}, reach: map[string]Binding{}, learned: map[string][]Learned{}, secrets: map[string]string{}}
		tr, err := transport.New(transport.Options{Network: b.net, Config: transport.Config{Listen: []string{gateway}}})
		if err != nil {
			t.Fatal(err)
		}
		b.exchange = b.peer("pbx", pbxAt) // before anything is sent to it
		b.devices = device.NewRegister(memory(devices), device.Config{Domain: "phones.x"})
		start := time.Now()
		b.Watcher = New(Parts{
			SIP: tr, Devices: b.devices.Picture, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
			Reach: func(d *device.Device) (Binding, bool) {
				b.mu.Lock()
				defer b.mu.Unlock()
				r, ok := b.reach[d.User]
				return r, ok
			},
			Secret: func(file string) (string, error) {
				b.mu.Lock()
				defer b.mu.Unlock()
				if s := b.secrets[file]; s != "" {
					return s, nil
				}
				return "", fmt.Errorf("there is no file %s", file)
			},
			Tell: func(l Learned) {
				b.mu.Lock()
				b.learned[l.Device.ID] = append(b.learned[l.Device.ID], l)
				b.mu.Unlock()
			},
			Synced: func() {
				b.mu.Lock()
				b.synced = time.Since(start) + 1
				b.mu.Unlock()
			},
			Waiting: func(x Waiting) { b.waiting = append(b.waiting, x) },
		}, cfg)
		b.devices.OnChanged(b.Changed)
		if err := b.devices.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		tr.Handle("NOTIFY", transport.Endpoint(b.Notified))
		tr.OnFlowClosed(b.Closed)
		if err := tr.Listen(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			if err := tr.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		running.Go(func() { b.Watcher.Run(ctx) })
		defer running.Wait()
		defer cancel()
		test(b)
	})
}

// after lets time pass, and lets all that comes of it happen.
func (b *bed) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// last is what was learned last of a device.
func (b *bed) last(id string) Learned {
	b.Helper()
	b.after(50 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.learned[id]
	if len(all) == 0 {
		b.Fatalf("nothing was learned of %s", id)
	}
	return all[len(all)-1]
}

// stands fails unless a package of a device stands so.
func (b *bed) stands(id string, p Package, want Standing) Learned {
	b.Helper()
	l := b.last(id)
	got := l.Words[p].Standing
	if got == Told && !l.Words[p].Until.After(time.Now()) {
		got = Lost // what was told counts no more
	}
	if got != want {
		b.Fatalf("%s of %s: %s, want %s", p, id, got, want)
	}
	return l
}

// pbx is a PBX, or a phone that is asked: a script.
type pbx struct {
	b *bed
	*siptest.Phone
	versions map[string]int // by Call-ID
}

func (b *bed) pbx() *pbx { return b.exchange }

func (b *bed) peer(user, at string) *pbx { return b.plug(user, at, false) }

func (b *bed) plug(user, at string, tcp bool) *pbx {
	b.Helper()
	p, err := siptest.NewPhone(b.net, siptest.Options{
		User: user, Domain: "x", At: netip.MustParseAddrPort(at), Gateway: netip.MustParseAddrPort(gateway), Manual: true, TCP: tcp,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Close)
	return &pbx{b, p, map[string]int{}}
}

// take returns all that has come.
func (p *pbx) take() []*siptest.Message {
	p.b.Helper()
	synctest.Wait()
	all := p.Unread()
	for _, m := range all {
		p.Take(m)
	}
	return all
}

// one returns the only message that has come.
func (p *pbx) one(first string) *siptest.Message {
	p.b.Helper()
	all := p.take()
	if len(all) != 1 {
		p.b.Fatalf("%d messages, want one: %s\n%v", len(all), first, all)
	}
	got := all[0].Method
	if all[0].Status != 0 {
		got = fmt.Sprint(all[0].Status)
	}
	if got != first {
		p.b.Fatalf("%s came, want %s:\n%s", got, first, all[0].Raw)
	}
	return all[0]
}

// await waits for a message, at least for one time and at most for another.
func (p *pbx) await(first string, least, most time.Duration) *siptest.Message {
	p.b.Helper()
	if least > 0 {
		p.b.after(least)
		p.silent()
	}
	for range (most - least) / (100 * time.Millisecond) {
		if p.b.after(100 * time.Millisecond); len(p.Unread()) > 0 {
			return p.one(first)
		}
	}
	p.b.Fatalf("no %s within %v", first, most)
	return nil
}

// silent fails if anything has come.
func (p *pbx) silent() {
	p.b.Helper()
	if all := p.take(); len(all) > 0 {
		p.b.Fatalf("this came:\n%s", all[0].Raw)
	}
}

// subscribe takes a SUBSCRIBE and answers it.
func (p *pbx) subscribe(answer string) *siptest.Message {
	p.b.Helper()
	m := p.one("SUBSCRIBE")
	p.say(answer)
	return m
}

// say sends a message; a request is within the dialog of its Call-ID, or the last.
func (p *pbx) say(text string) {
	p.b.Helper()
	m, err := siptest.Write(text)
	if err == nil {
		err = p.Say(m)
	}
	if err != nil {
		p.b.Fatal(err)
	}
	synctest.Wait()
}

// notify sends a NOTIFY in the dialog of a SUBSCRIBE, and wants an answer.
func (p *pbx) notify(sub *siptest.Message, state, body, status string) {
	p.b.Helper()
	kind := accepts[Dialog]
	switch sub.Header("Event") {
	case "presence":
		kind = "application/pidf+xml"
	case "reg":
		kind = accepts[Reg]
	}
	text := "NOTIFY\nCall-ID: " + sub.Header("Call-ID") + "\nEvent: " + sub.Header("Event") + "\nSubscription-State: " + state
	if body != "" {
		text += "\nContent-Type: " + kind + "\n--\n" + body
	}
	p.say(text)
	p.answered(status)
}

// answered takes the one response that has come, and leaves requests.
func (p *pbx) answered(status string) {
	p.b.Helper()
	n := 0
	for _, m := range p.Unread() {
		if m.Status == 0 {
			continue
		}
		p.Take(m)
		if n++; fmt.Sprint(m.Status) != status || n > 1 {
			p.b.Fatalf("this came, want one %s:\n%s", status, m.Raw)
		}
	}
	if n == 0 {
		p.b.Fatalf("no answer, want %s", status)
	}
}

// calls is a document of a full state, with calls in states; each document of a
// subscription has the next version.
func (p *pbx) calls(sub *siptest.Message, states ...string) string {
	v := p.versions[sub.Header("Call-ID")]
	p.versions[sub.Header("Call-ID")]++
	return document(v, "full", states...)
}

// document is one of dialog-info, with a call c1, c2 … in each state.
func document(version int, state string, states ...string) string {
	var s strings.Builder
	fmt.Fprintf(&s, `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="%d" state="%s" entity="sip:2001@hq">`, version, state)
	for i, call := range states {
		if call != "" {
			fmt.Fprintf(&s, `<dialog id="c%d" call-id="c%d" direction="recipient"><state>%s</state></dialog>`, i+1, i+1, call)
		}
	}
	return s.String() + "</dialog-info>"
}

// begin plays the beginning of a subscription to calls: none is up.
func (p *pbx) begin(expires int) *siptest.Message {
	p.b.Helper()
	sub := p.subscribe(fmt.Sprintf("200\nExpires: %d", expires))
	p.notify(sub, fmt.Sprintf("active;expires=%d", expires), p.calls(sub), "200")
	return sub
}

var desk = device.Device{ID: "2001", User: "2001", Upstream: "hq", Owner: "ada@x"}

// near reports whether a time is so far from now, a tenth more or less.
func near(at time.Time, d time.Duration) bool {
	got := time.Until(at)
	return got > d*8/10 && got < d*12/10
}
