package notifier

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
	"rollcall/sipgw/mwi"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

// A bed is a notifier on a network in memory, with what it is told. What is in it is
// set before it is asked for.
type bed struct {
	t      *testing.T
	net    *siptest.Network
	engine *presence.Engine
	store  *memory
	cfg    Config

	mu       sync.Mutex                          // guards what follows
	levels   map[presence.Subject]presence.Level // of subjects, for everybody; Status if it is not here
	said     map[presence.Subject]event.Permission
	owners   map[string]presence.Subject // of devices, by SIP user
	calls    map[presence.Subject][]dialoginfo.Live
	bindings map[presence.Subject]reginfo.Registration
	waiting  map[presence.Subject]mwi.Summary
	groups   map[string][]Member
	flows    map[string]transport.Flow // by which requests of users came last

	n    *Notifier
	tr   *transport.Transport
	stop func()
}

const gateway = "192.0.2.1:5060"

// play runs a test in a bubble.
func play(t *testing.T, cfg Config, test func(*bed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bed{
			t: t, net: &siptest.Network{}, cfg: cfg,
			levels:   map[presence.Subject]presence.Level{},
			said:     map[presence.Subject]event.Permission{},
			owners:   map[string]presence.Subject{},
			calls:    map[presence.Subject][]dialoginfo.Live{},
			bindings: map[presence.Subject]reginfo.Registration{},
			waiting:  map[presence.Subject]mwi.Summary{},
			groups:   map[string][]Member{},
			flows:    map[string]transport.Flow{},
		}
		b.engine = presence.NewEngine(presence.Options{})
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { b.engine.Run(ctx) })
		defer running.Wait()
		defer cancel()
		b.start()
		defer func() { b.stop() }()
		test(b)
	})
}

// start starts the notifier and its transport.
func (b *bed) start() {
	b.t.Helper()
	tr, err := transport.New(transport.Options{Config: transport.Config{Listen: []string{gateway}}, Network: b.net})
	if err != nil {
		b.t.Fatal(err)
	}
	watch := b.engine.WatchOnly()
	parts := Parts{
		Transport: tr, Who: who, Watcher: b.watcher, Subject: subject, Level: b.level, Approval: b.approval, Group: b.group,
		States: b.engine, Watch: watch, Catalogue: presence.DefaultCatalogue,
		Lines: b, Registrations: b, Mailboxes: b, Log: slog.New(slog.DiscardHandler),
	}
	if b.store != nil {
		parts.Store = b.store
	}
	n := New(parts, b.cfg)
	n.Register(tr.Handle)
	tr.Handle("INFO", func(r *transport.Request) {
		b.set(func() { b.flows[r.From().URI.User] = r.Flow() })
		r.Respond(200, "")
	})
	if err := tr.Listen(); err != nil {
		b.t.Fatal(err)
	}
	if err := n.Load(context.Background()); err != nil {
		b.t.Fatal(err)
	}
	b.n, b.tr = n, tr
	telling, noMore := context.WithCancel(context.Background())
	carrying, cut := context.WithCancel(context.Background())
	var a, c sync.WaitGroup
	a.Go(func() { n.Run(telling) })
	c.Go(func() { tr.Run(carrying) })
	b.stop = func() {
		noMore()
		a.Wait()
		watch.Close()
		cut()
		c.Wait()
		b.stop = func() {}
	}
	synctest.Wait()
}

// who believes what From says, but for nobody.
func who(r *transport.Request) (string, []transport.Field, bool) {
	user := r.From().URI.User
	if user == "nobody" {
		r.Respond(401, "", transport.Field{Name: "WWW-Authenticate", Value: `Digest realm="x"`})
		return "", nil, false
	}
	return user, nil, true
}

func (b *bed) watcher(user string) (Watcher, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	device := presence.Subject(user + "@phones.x")
	if owner := b.owners[user]; owner != "" {
		return Watcher{owner, device}, true
	}
	return Watcher{device, device}, user != "stranger"
}

func subject(u transport.URI) (presence.Subject, bool) {
	if u.Host != "x" && u.Host != "phones.x" {
		return "", false
	}
	return presence.Subject(u.User + "@" + u.Host), true
}

func (b *bed) level(_, s presence.Subject) presence.Level {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.levels[s]; ok {
		return l
	}
	return presence.Status
}

func (b *bed) approval(_, s presence.Subject) event.Permission {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.said[s]; ok {
		return p
	}
	return event.Allowed
}

func (b *bed) group(name string, _ presence.Subject) ([]Member, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.groups[name]
	return slices.Clone(m), ok
}

func (b *bed) Calls(s presence.Subject) []dialoginfo.Live {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[s]
}

func (b *bed) Registration(s presence.Subject) reginfo.Registration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bindings[s]
}

func (b *bed) Waiting(s presence.Subject) mwi.Summary {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting[s]
}

// set changes what is in the bed.
func (b *bed) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// says has a source of presence say something, for a day.
func (b *bed) says(s presence.Subject, kind presence.Kind, source string, cs ...presence.Contribution) {
	b.t.Helper()
	for i := range cs {
		cs[i].Source, cs[i].Since, cs[i].Expires = source, time.Now(), time.Now().Add(24*time.Hour)
	}
	if err := b.engine.Report(s, kind, source, cs); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// online is a person at a chat client, in a state: "available", "dnd".
func (b *bed) online(s presence.Subject, state string) {
	b.t.Helper()
	b.says(s, presence.Person, "client/desk", presence.Contribution{Axis: presence.Willingness, State: state, Channels: presence.Chat})
}

// registered is a device that can be reached, or not.
func (b *bed) registered(s presence.Subject, is bool) {
	b.t.Helper()
	c := presence.Contribution{Axis: presence.Reachability}
	if is {
		c.Channels = presence.Voice
	} else {
		c.State = presence.Offline
	}
	b.says(s, presence.Device, "registrar", c)
}

// talks gives a device calls.
func (b *bed) talks(s presence.Subject, calls ...dialoginfo.Live) {
	b.set(func() { b.calls[s] = calls })
	b.n.Changed("dialog", s)
	synctest.Wait()
}

func call(id string, state dialoginfo.State, dir dialoginfo.Direction) dialoginfo.Live {
	return dialoginfo.Live{
		Dialog: dialoginfo.Dialog{
			ID: id, CallID: "call-" + id, LocalTag: "l", RemoteTag: "r", Direction: dir, State: state, Duration: -1,
			Local: dialoginfo.Party{Identity: "sip:2001@phones.x"}, Remote: dialoginfo.Party{Identity: "sip:+4930@pstn.x"},
		},
		Began: time.Now(), Since: time.Now(),
	}
}

// A phone is one that answers NOTIFY.
type phone struct {
	*siptest.Phone
	b *bed
}

func (b *bed) phone(user string, more ...func(*siptest.Options)) *phone {
	b.t.Helper()
	o := siptest.Options{
		User: user, Domain: "phones.x", At: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, user[len(user)-1]}), 5060),
		Gateway: netip.MustParseAddrPort(gateway),
	}
	for _, f := range more {
		f(&o)
	}
	p, err := siptest.NewPhone(b.net, o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(p.Close)
	return &phone{p, b}
}

// manual is a phone that answers nothing by itself.
func manual(o *siptest.Options) { o.Manual = true }

// overTCP is one that has a connection.
func overTCP(o *siptest.Options) { o.TCP = true }

// say sends a message and returns the answer.
func (p *phone) say(text string) *siptest.Message {
	p.b.t.Helper()
	m, err := siptest.Write(text)
	if err == nil {
		err = p.Say(m)
	}
	if err != nil {
		p.b.t.Fatal(err)
	}
	synctest.Wait()
	for _, m := range p.Unread() {
		if m.Status != 0 {
			p.Take(m)
			return m
		}
	}
	p.b.t.Fatalf("%s has no answer to\n%s", p.Name(), text)
	return nil
}

// subscribes is a SUBSCRIBE that is granted.
func (p *phone) subscribes(uri, pkg string, fields ...string) *siptest.Message {
	p.b.t.Helper()
	res := p.say(strings.Join(append([]string{"SUBSCRIBE " + uri, "Event: " + pkg}, fields...), "\n"))
	if res.Status != 200 {
		p.b.t.Fatalf("%s is not granted:\n%s", uri, res.Raw)
	}
	return res
}

// told is the only NOTIFY that has come, whose Subscription-State begins so.
func (p *phone) told(state string) *siptest.Message {
	p.b.t.Helper()
	synctest.Wait()
	all := p.Unread()
	if len(all) != 1 || all[0].Method != "NOTIFY" {
		p.b.t.Fatalf("%s has heard %d messages, not one NOTIFY: %s", p.Name(), len(all), raws(all))
	}
	m := all[0]
	p.Take(m)
	if !strings.HasPrefix(m.Header("Subscription-State"), state) {
		p.b.t.Fatalf("%s expected %s, and there came\n%s", p.Name(), state, m.Raw)
	}
	return m
}

func raws(all []*siptest.Message) string {
	out := ""
	for _, m := range all {
		out += "\n" + m.Raw
	}
	return out
}

// nothing has come.
func (p *phone) nothing() {
	p.b.t.Helper()
	synctest.Wait()
	if all := p.Unread(); len(all) > 0 {
		p.b.t.Fatalf("%s has heard %s", p.Name(), raws(all))
	}
}

// has fails unless each text is in the body of a message, or is not where it begins
// with a "!".
func (b *bed) has(m *siptest.Message, texts ...string) *siptest.Message {
	b.t.Helper()
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(m.Body, text) == not {
			b.t.Errorf("%q, not %v, in\n%s", text, not, m.Raw)
		}
	}
	return m
}

// after lets time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// memory is a store.
type memory struct {
	mu   sync.Mutex
	rows map[uint64]Saved
	fail error
}

func (m *memory) LoadSubscriptions(context.Context) (all []*Saved, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.rows {
		all = append(all, &v)
	}
	return all, nil
}

func (m *memory) SaveSubscriptions(_ context.Context, put []*Saved, gone []uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, v := range put {
		m.rows[v.ID] = *v
	}
	for _, id := range gone {
		delete(m.rows, id)
	}
	return nil
}

// flow is the one by which a phone's messages come.
func (b *bed) flow(p *phone) (f transport.Flow) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.flows[p.Name()]
	if !ok {
		b.t.Fatal("nothing has come from", p.Name())
	}
	return f
}

func must(t *testing.T, text string) *siptest.Message {
	t.Helper()
	m, err := siptest.Write(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
