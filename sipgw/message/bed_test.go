package message

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rollcall/presence/device"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const gateway = "192.0.2.1:5060"

// shelf is a store of devices that are there from the beginning.
type shelf []device.Device

func (s shelf) LoadDevices(context.Context) ([]device.Device, error)          { return s, nil }
func (s shelf) SaveDevices(context.Context, []*device.Device, []string) error { return nil }

// devices of the house. Whose number is 2002, or 3000, is a question of who is asked.
var devices = shelf{
	{ID: "2001", Name: "Desk", Class: device.Phone, User: "2001"},
	{ID: "desk-bob", Name: "Bob's desk", Class: device.Phone, User: "2002", Owner: "bob@x", Numbers: []string{"3000", "+4930123"}},
	{ID: "cell-bob", Name: "Bob's cell", Class: device.Phone, User: "2003", Owner: "bob@x", Numbers: []string{"3000"}},
	{ID: "hall", Name: "Hall", Class: device.Phone, User: "2004", Owner: "bob@x", Shared: true, Numbers: []string{"3001"}},
	{ID: "lab", Name: "Lab", Class: device.Phone, User: "2005", Numbers: []string{"3002"}},
	{ID: "old", Name: "Old", Class: device.Phone, User: "2006", Disabled: true},
	{ID: "far", Name: "Far", Class: device.Phone, User: "700", Upstream: "192.0.2.50"},
}

// house is a service between a network of phones and a server that writes down what it
// is handed.
type house struct {
	t   *testing.T
	net siptest.Network
	tr  *transport.Transport
	*Service

	mu       sync.Mutex // guards what follows
	routes   map[string][]Route
	got      []string
	answer   func(to string) string // an error to a message that it is handed, "" is none
	fails    error
	passed   []string
	stranger bool // nobody proves who they are
}

// play plays a test in a bubble. tune may change what the service is made of.
func play(t *testing.T, tune func(*Parts), test func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, routes: map[string][]Route{"far": {{URI: "sip:700@192.0.2.50"}}}}
		var err error
		h.tr, err = transport.New(transport.Options{Config: transport.Config{Listen: []string{gateway}}, Network: &h.net})
		if err != nil {
			t.Fatal(err)
		}
		register := device.NewRegister(devices, device.Config{Domain: "phones.x"})
		if err := register.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		parts := Parts{
			Devices: register.Picture, Routes: h.where, SIP: h.tr, Who: h.who,
			Ours:   func(host string) bool { return host == "phones.x" || host == "192.0.2.1" || host == "x" },
			People: func(domain string) bool { return domain == "x" }, Home: "x",
			Elsewhere: h.elsewhere, Send: h.hand,
		}
		if tune != nil {
			tune(&parts)
		}
		h.Service = New(parts)
		h.tr.Handle("REGISTER", h.register)
		h.tr.Handle("MESSAGE", h.Serve)
		if err := h.tr.Listen(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { h.tr.Run(ctx) })
		all.Go(func() { h.Run(ctx) })
		test(h)
		cancel()
		all.Wait()
	})
}

// register is a registrar that believes everybody.
func (h *house) register(r *transport.Request) {
	contacts, _, err := r.Contacts()
	if err != nil || len(contacts) != 1 {
		h.t.Error("a REGISTER without a contact")
		return
	}
	id := h.parts.Devices().ByUser(r.From().URI.User).ID
	h.mu.Lock()
	uri := contacts[0].URI.String()
	h.routes[id] = append(slices.DeleteFunc(h.routes[id], func(o Route) bool { return o.URI == uri }), Route{URI: uri, Flow: r.Flow(), Agent: r.UserAgent()})
	h.mu.Unlock()
	r.Respond(200, "")
}

func (h *house) where(d *device.Device) []Route {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.routes[d.ID]
}

// who believes everybody as well.
func (h *house) who(r *transport.Request) (string, []transport.Field, bool) {
	if h.stranger {
		r.Respond(401, "")
		return "", nil, false
	}
	return r.From().URI.User, []transport.Field{{Name: "Authentication-Info", Value: "nextnonce=\"1\""}}, true
}

func (h *house) elsewhere(r *transport.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.passed = append(h.passed, r.Target())
	r.Respond(299, "")
}

// hand is the server. What it refuses it refuses at once, as the server does.
func (h *house) hand(_ context.Context, raw []byte) error {
	st, err := stream.New(stream.DefaultLimits).Whole(raw)
	if err != nil {
		h.t.Errorf("%s: %v", raw, err)
		return err
	}
	h.mu.Lock()
	h.got = append(h.got, string(raw))
	answer, fails := h.answer, h.fails
	h.mu.Unlock()
	if answer != nil && !st.IsType("error") {
		if e := answer(stanza.Text(st.To)); e != "" {
			h.says("<message type='error' from='" + stanza.Text(st.To) + "' to='" + stanza.Text(st.From) + "' id='" + stanza.Text(st.ID) + "'>" + e + "</message>")
		}
	}
	return fails
}

// says has a stanza come to the service, and returns what its sender hears at once.
func (h *house) says(raw string) error {
	h.t.Helper()
	st, err := stream.New(stream.DefaultLimits).Whole([]byte(raw))
	if err != nil {
		h.t.Fatalf("%s: %v", raw, err)
	}
	return h.Take(st, jid.MustParse(stanza.Text(st.From)), jid.MustParse(stanza.Text(st.To)))
}

// chat has bob write to a device.
func (h *house) chat(device, text string) error {
	h.t.Helper()
	return h.says("<message type='chat' id='1' from='bob@x/home' to='" + device + "@phones.x'><body>" + text + "</body><request xmlns='urn:xmpp:receipts'/></message>")
}

// taken returns what the server has been handed, and forgets it.
func (h *house) taken() string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	all := strings.Join(h.got, "\n")
	h.got = nil
	return all
}

// wants has the server been handed something with all of these in it, and nothing more.
func (h *house) wants(words ...string) {
	h.t.Helper()
	got := h.taken()
	if len(words) == 0 && got != "" || len(words) > 0 && strings.Count(got, "\n") > 0 {
		h.t.Errorf("the server was handed too much: %s", got)
	}
	for _, w := range words {
		if !strings.Contains(got, w) {
			h.t.Errorf("not in what the server was handed: %s\n%s", w, got)
		}
	}
}

// phone brings a phone onto the network, and registers it. One that is manual answers
// nothing by itself.
func (h *house) phone(user, at string, o siptest.Options) *siptest.Phone {
	h.t.Helper()
	o.User, o.Domain, o.At, o.Gateway = user, "phones.x", netip.MustParseAddrPort(at), netip.MustParseAddrPort(gateway)
	p, err := siptest.NewPhone(&h.net, o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(p.Close)
	h.phoneSays(p, "REGISTER sip:phones.x")
	if got := next(h.t, p); got.Status != 200 {
		h.t.Fatal(got.Raw)
	}
	return p
}

// phoneSays has a phone say something.
func (h *house) phoneSays(p *siptest.Phone, text string) {
	h.t.Helper()
	m, err := siptest.Write(text)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := p.Say(m); err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
}

// text has a phone send a text, and returns what is answered.
func (h *house) text(p *siptest.Phone, to, text string) *siptest.Message {
	h.t.Helper()
	h.phoneSays(p, "MESSAGE "+to+"\nContent-Type: text/plain\n--\n"+text)
	return next(h.t, p)
}

// next takes what a phone has not read.
func next(t *testing.T, p *siptest.Phone) *siptest.Message {
	t.Helper()
	synctest.Wait()
	all := p.Unread()
	if len(all) == 0 {
		t.Fatal(p.Name() + " has nothing to read")
	}
	p.Take(all[0])
	return all[0]
}

// silent wants a phone to have nothing to read.
func silent(t *testing.T, p *siptest.Phone) {
	t.Helper()
	synctest.Wait()
	for _, m := range p.Unread() {
		t.Errorf("%s has heard %s", p.Name(), m.Raw)
	}
	p.Forget()
}

// at is a moment, n seconds after the first.
func at(n int) time.Time { return time.Unix(1_700_000_000+int64(n), 0) }
