package call

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/digest"
	"rollcall/sipgw/door"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const gateway = "192.0.2.1:5060"

// drawer is a store in memory.
type drawer struct {
	mu  sync.Mutex
	all map[uint64]*Dialog
}

func (s *drawer) LoadDialogs(context.Context) ([]*Dialog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Collect(maps.Values(s.all))
	slices.SortFunc(all, func(a, b *Dialog) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (s *drawer) SaveDialogs(_ context.Context, put []*Dialog, gone []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range put {
		s.all[d.ID] = d
	}
	for _, id := range gone {
		delete(s.all, id)
	}
	return nil
}

func (s *drawer) copy() map[uint64]*Dialog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.all)
}

// shelf is where bindings are kept, in memory.
type shelf struct {
	mu  sync.Mutex
	all map[uint64]registrar.Binding
}

func (s *shelf) copy() map[uint64]registrar.Binding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.all)
}

func (s *shelf) LoadBindings(context.Context) (all []*registrar.Binding, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.all {
		all = append(all, &b)
	}
	return all, nil
}

func (s *shelf) SaveBindings(_ context.Context, put []*registrar.Binding, gone []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range put {
		s.all[b.ID] = *b
	}
	for _, id := range gone {
		delete(s.all, id)
	}
	return nil
}

// nobody is a store of devices that keeps nothing.
type nobody struct{}

func (nobody) LoadDevices(context.Context) ([]device.Device, error)          { return nil, nil }
func (nobody) SaveDevices(context.Context, []*device.Device, []string) error { return nil }

// A house has devices that are registered at a gateway on a network in memory.
type house struct {
	t       *testing.T
	net     siptest.Network
	phones  map[string]*siptest.Phone
	devices *device.Register
	store   drawer
	shelf   shelf
	cfg     Config
	set     func(*Parts)

	tr    *transport.Transport
	reg   *registrar.Registrar
	proxy *Proxy
	stop  func()

	mu    sync.Mutex // guards what follows
	calls map[string][]dialoginfo.Live
	ended []Ended
	told  map[string]int
	log   journal
}

// A journal is a buffer that many write to.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// devices are those of all tests. 2009 is at a PBX, 2010 has no secret to register
// with, ada has two and a room's.
var all = []device.Device{
	{ID: "2001", Name: "Ada", Owner: "ada@people", Numbers: []string{"+49302001", "11"}},
	{ID: "2002", Name: "Bob", Numbers: []string{"11"}},
	{ID: "2003", Name: "Carol"},
	{ID: "2004", Name: "Ada's mobile", Owner: "ada@people"},
	{ID: "2005", Name: "Room", Owner: "ada@people", Shared: true},
	{ID: "door-12", Name: "Door", User: "d12"},
	{ID: "2009", Name: "Behind the PBX", Upstream: "pbx"},
	{ID: "2011", Name: "Off", Disabled: true},
}

func play(t *testing.T, set func(*house), test func(*house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{
			t: t, phones: map[string]*siptest.Phone{}, store: drawer{all: map[uint64]*Dialog{}}, shelf: shelf{all: map[uint64]registrar.Binding{}},
			calls: map[string][]dialoginfo.Live{}, told: map[string]int{},
		}
		if set != nil {
			set(h)
		}
		h.devices = device.NewRegister(nobody{}, device.Config{Domain: "x"})
		for _, d := range all {
			if _, err := h.devices.Add(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		h.start()
		defer func() {
			for _, p := range h.phones {
				p.Close()
			}
			h.stop()
			if t.Failed() {
				t.Log(h.log.String())
			}
		}()
		test(h)
	})
}

// start starts the gateway.
func (h *house) start() {
	log := slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.reg = registrar.New(registrar.Parts{Store: &h.shelf, Log: log}, registrar.Config{Jitter: func() float64 { return 0.5 }})
	domain := func(host string) (string, bool) { return "x", host == "x" || host == "people" || host == "192.0.2.1" }
	d := door.New(door.Parts{
		Verifier:  digest.New(digest.Config{Realm: "x"}),
		Registrar: h.reg,
		Secrets: func(user string) (digest.Secrets, bool) {
			return digest.HA1(user, "x", "secret of "+user), true
		},
		Domain:  domain,
		May:     func(user, aor string) bool { return aor == user+"@x" },
		Trusted: func(netip.Addr) bool { return true }, // phones come by any proxy that they name
		Log:     log,
	})
	var err error
	h.tr, err = transport.New(transport.Options{
		Config: transport.Config{Listen: []string{gateway}}, Network: &h.net, Hosts: []string{"x"}, Key: []byte("key"), Log: log,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	parts := Parts{
		Transport: h.tr, Who: d.WhoPasses, Realm: "x", Devices: h.devices.Picture, Domain: domain, Bindings: h.reg.Lookup,
		MayKnow: func(d *device.Device) bool { return d.ID == "2003" },
		Peer: func(f transport.Flow) (string, bool) {
			return "hq", f.Remote().Addr() == netip.MustParseAddr("192.0.2.200")
		},
		Router: &Plain{Bindings: h.reg.Lookup, Domain: "x", Upstream: func(d *device.Device) (string, bool) {
			return "sip:" + d.User + "@192.0.2.200:5060", d.Upstream == "pbx"
		}},
		Store: &h.store, OnChange: h.changed, OnEnd: h.over, Log: log,
	}
	if h.set != nil {
		h.set(&parts)
	}
	h.proxy = New(parts, h.cfg)
	h.reg.OnChange(h.proxy.Observe)
	h.tr.Handle("REGISTER", d.Register)
	h.tr.OnFlowClosed(d.Closed)
	h.proxy.Serve()
	h.run()
}

func (h *house) run() {
	if err := h.tr.Listen(); err != nil {
		h.t.Fatal(err)
	}
	if err := h.reg.Load(h.t.Context(), time.Now()); err != nil {
		h.t.Fatal(err)
	}
	if err := h.proxy.Load(h.t.Context(), time.Now()); err != nil {
		h.t.Fatal(err)
	}
	outer, cancel := context.WithCancel(context.Background())
	inner, stop := context.WithCancel(context.Background())
	var first, then sync.WaitGroup
	first.Go(func() { h.tr.Run(outer) })
	then.Go(func() { h.reg.Run(inner) })
	then.Go(func() { h.proxy.Run(inner) })
	h.stop = func() { // who keeps things ends after those who bring them
		cancel()
		first.Wait()
		synctest.Wait()
		stop()
		then.Wait()
	}
}

func (h *house) changed(device string, calls []dialoginfo.Live) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[device] = calls
	h.told[device]++
}

func (h *house) over(e Ended) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = append(h.ended, e)
}

// phone adds a phone. Those at 192.0.2.200 are PBXs and do nothing by themselves.
func (h *house) phone(name, user, at string, tcp bool) *siptest.Phone {
	h.t.Helper()
	addr := netip.MustParseAddrPort(at)
	p, err := siptest.NewPhone(&h.net, siptest.Options{
		User: user, Word: name, Domain: "x", Password: "secret of " + user, At: addr, Gateway: netip.MustParseAddrPort(gateway), TCP: tcp,
		Manual: addr.Addr().String() == "192.0.2.200", Heard: func(mark, text string) { fmt.Fprintf(&h.log, "%s %s %s\n", name, mark, text) },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.phones[name] = p
	return p
}

// register registers a phone and fails unless that works.
func (h *house) register(name string, fields ...siptest.Field) {
	h.t.Helper()
	p := h.phones[name]
	if err := p.Say(&siptest.Message{Method: "REGISTER", URI: "sip:x", Fields: fields}); err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
	h.take(name, "200")
}

// take takes the first unread message that begins with a method or a status.
func (h *house) take(name, what string) *siptest.Message {
	h.t.Helper()
	for _, m := range h.phones[name].Unread() {
		if m.Method == what || m.Status != 0 && strings.HasPrefix(fmt.Sprint(m.Status, " ", m.Reason), what) {
			h.phones[name].Take(m)
			return m
		}
	}
	h.t.Fatalf("%s has no %s, but %s", name, what, unread(h.phones[name]))
	return nil
}

func unread(p *siptest.Phone) string {
	var all []string
	for _, m := range p.Unread() {
		if m.Method != "" {
			all = append(all, m.Method)
		} else {
			all = append(all, fmt.Sprint(m.Status))
		}
	}
	return strings.Join(all, " ") + "."
}

// engaged writes what a device is in, as it was last told: state and who, in order.
func (h *house) engaged(device string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, l := range h.calls[device] {
		hold := ""
		if l.Local.Rendering == dialoginfo.RenderingNo {
			hold = " (held)"
		}
		arrow := " -> "
		if l.Direction == dialoginfo.Recipient {
			arrow = " <- "
		}
		all = append(all, l.State.String()+arrow+strings.TrimPrefix(l.Remote.Identity, "sip:")+hold)
	}
	return strings.Join(all, ", ")
}

// TestConversations plays the scripts in testdata. A line is one of:
//
//	phones 2001, 2002      they register, over UDP
//	phone b of 2002 q=0.5  another phone of a user's; "over TCP" is one too
//	pbx                    a PBX
//	2001 > INVITE sip:2002@x       it sends; what is indented below goes with it
//	2002 < INVITE                  it has received that, with what is indented below
//	2002 < nothing
//	2002 answers 180               answers the call that came last
//	2002: early <- 2001@x          what the device is in, or nothing
//	2002 lost: remote-bye 0 cause (why)   its calls that are over since that was last asked
//	after 2m
//	2002 reboots | is unplugged | reconnects
//	the server is killed           and starts again
//	the server restarts
//	stored: 1                      so many calls are
func TestConversations(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("there are no scripts")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			play(t, nil, func(h *house) { h.script(string(text)) })
		})
	}
}

// script plays a script.
func (h *house) script(text string) {
	h.t.Helper()
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line, number := lines[i], i+1
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") {
			i++
			line += "\n" + strings.TrimPrefix(lines[i], "  ")
		}
		if why := h.step(line); why != "" {
			h.t.Fatalf("line %d: %s\n%s", number, line, why)
		}
		synctest.Wait()
	}
}

func (h *house) step(line string) (wrong string) {
	h.t.Helper()
	words := strings.Fields(line)
	switch who, rest, _ := strings.Cut(line, " "); {
	case words[0] == "phones" || words[0] == "phone" || line == "pbx":
		h.plugIn(words)
	case words[0] == "after":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return err.Error()
		}
		time.Sleep(d)
	case line == "the server is killed":
		h.restart(true)
	case line == "the server restarts":
		h.restart(false)
	case words[0] == "stored:":
		time.Sleep(100 * time.Millisecond)
		if n := fmt.Sprint(len(h.store.copy())); n != words[1] {
			return n + " are"
		}
	case strings.HasSuffix(who, ":"):
		if got := h.engaged(strings.TrimSuffix(who, ":")); got != rest && !(got == "" && rest == "nothing") {
			return "it is: " + got
		}
	case strings.HasPrefix(rest, "lost: "):
		if got := h.lost(who); got != strings.TrimPrefix(rest, "lost: ") {
			return "it has lost: " + got
		}
	default:
		return h.act(who, rest)
	}
	return ""
}

// act is what a phone does.
func (h *house) act(name, what string) (wrong string) {
	h.t.Helper()
	p := h.phones[name]
	if p == nil {
		return "there is no such phone"
	}
	var err error
	switch verb, rest, _ := strings.Cut(what, " "); {
	case what == "registers":
		h.register(name)
	case what == "reboots":
		err = p.Reboot()
	case what == "reconnects":
		err = p.Reconnect()
	case what == "is unplugged":
		p.Close()
	case what == "hangs up":
		_, err = p.HangUp()
	case verb == "answers":
		m, bad := siptest.Write(rest)
		if bad != nil {
			return bad.Error()
		}
		err = p.Answer(m)
	case what == "< nothing":
		if got := unread(p); got != "." {
			return "there is " + got
		}
	case verb == "<":
		want, more, _ := strings.Cut(rest, "\n")
		m := h.take(name, want)
		for _, line := range strings.Split(more, "\n") {
			name, none := strings.CutSuffix(line, "(none)")
			if none == strings.Contains(m.Raw, strings.TrimSpace(name)) && line != "" {
				return "it is\n" + m.Raw
			}
		}
	case verb == ">":
		m, bad := siptest.Write(h.fill(rest))
		if bad != nil {
			return bad.Error()
		}
		err = p.Say(m)
	default:
		return "nobody can do that"
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// fill puts in what a script cannot know: {replaces 2003} is the call of a device as
// a Replaces header field names it for whoever has it; {contact 2003} the other end's.
func (h *house) fill(text string) string {
	for name, calls := range h.calls {
		if len(calls) == 0 {
			continue
		}
		l := calls[0]
		text = strings.ReplaceAll(text, "{replaces "+name+"}", l.CallID+";to-tag="+l.LocalTag+";from-tag="+l.RemoteTag)
		text = strings.ReplaceAll(text, "{contact "+name+"}", l.Local.Target)
	}
	return text
}

func (h *house) plugIn(words []string) {
	h.t.Helper()
	at := func() string { return fmt.Sprintf("192.0.2.%d:5060", 10+len(h.phones)) }
	switch words[0] {
	case "pbx":
		h.phone("pbx", "pbx", "192.0.2.200:5060", false)
	case "phones":
		for _, name := range words[1:] {
			name = strings.Trim(name, ",")
			h.phone(name, name, at(), false)
			h.register(name)
		}
	case "phone":
		name, user, more := words[1], words[3], strings.Join(words[4:], " ")
		tcp := more == "over TCP"
		h.phone(name, user, at(), tcp)
		var fields []siptest.Field
		if strings.HasPrefix(more, "q=") {
			p := h.phones[name]
			fields = append(fields, siptest.Field{Name: "Contact", Value: "<sip:" + user + "@192.0.2." + fmt.Sprint(9+len(h.phones)) +
				":5060>;+sip.instance=\"" + p.Instance() + "\";" + more})
		}
		h.register(name, fields...)
	}
}

// restart stops the gateway and starts it again. When it is killed, what it has not
// stored is gone.
func (h *house) restart(kill bool) {
	h.t.Helper()
	stored, bindings := h.store.copy(), h.shelf.copy()
	h.stop()
	if kill {
		h.store.all, h.shelf.all = stored, bindings
	}
	h.mu.Lock()
	h.calls, h.ended = map[string][]dialoginfo.Live{}, nil
	h.mu.Unlock()
	h.start()
}

// lost writes and forgets how calls of a device ended.
func (h *house) lost(device string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	h.ended = slices.DeleteFunc(h.ended, func(e Ended) bool {
		if e.Device != device {
			return false
		}
		s := fmt.Sprint(e.Call.Event, " ", e.Call.Code)
		if e.Cause != "" {
			s += " " + e.Cause + " (" + e.Why + ")"
		}
		all = append(all, s)
		return true
	})
	if all == nil {
		return "nothing"
	}
	return strings.Join(all, ", ")
}
