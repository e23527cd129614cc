package transcript

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

// fakeSIP is a small server for phones: a registrar that wants to know who they
// are, a proxy between them, and a notifier that tells everybody whether somebody
// is registered.
type fakeSIP struct {
	*fake
	net     *siptest.Network
	tr      *transport.Transport
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	secrets  map[string]string
	bindings map[string]binding
	watchers []*watching
}

type binding struct {
	uri  string
	flow transport.Flow
}

// watching is one subscription.
type watching struct {
	subject, contact, from, to, callID string
	cseq                               uint32
	flow                               transport.Flow
}

const fakeGateway = "192.0.2.1:5060"

func newFakeSIP() *fakeSIP {
	f := &fakeSIP{fake: newFake(), net: &siptest.Network{}, secrets: map[string]string{}, bindings: map[string]binding{}}
	var err error
	f.tr, err = transport.New(transport.Options{Config: transport.Config{Listen: []string{fakeGateway}}, Network: f.net, Hosts: []string{Domain}})
	if err != nil {
		panic(err)
	}
	f.tr.Handle("REGISTER", transport.Endpoint(f.register))
	f.tr.Handle("SUBSCRIBE", transport.Endpoint(f.subscribe))
	for _, m := range []string{"INVITE", "BYE", "MESSAGE"} {
		f.tr.Handle(m, f.pass)
	}
	f.tr.Handle("ACK", func(r *transport.Request) {
		if flow, ok := r.PopRoute(f.tr); ok {
			f.tr.Pass(r, transport.Leg{Flow: flow})
		}
	})
	if err := f.tr.Listen(); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	f.running.Go(func() { f.tr.Run(ctx) })
	return f
}

func (f *fakeSIP) SIP() (*siptest.Network, netip.AddrPort) {
	return f.net, netip.MustParseAddrPort(fakeGateway)
}

func (f *fakeSIP) AddDevice(user, password string) error {
	if user == "nobody" {
		return errors.New("there is no such device")
	}
	f.secrets[user] = password
	return nil
}

func (f *fakeSIP) Close() {
	f.cancel()
	f.running.Wait()
	f.fake.Close()
}

func hash(parts ...string) string {
	sum := md5.Sum([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(sum[:])
}

// known challenges who has not said who they are.
func (f *fakeSIP) known(r *transport.Request) bool {
	user := r.From().URI.User
	if user == "pbx" {
		return true
	}
	got := r.Header("Authorization")
	field := func(name string) string {
		_, rest, _ := strings.Cut(got, name+"=")
		rest, _, _ = strings.Cut(rest, ",")
		return strings.Trim(rest, `" `)
	}
	want := hash(hash(user, Domain, f.secrets[user]), "n1", field("nc"), field("cnonce"), "auth", hash(r.Method(), field("uri")))
	if got != "" && field("response") == want {
		return true
	}
	r.Respond(401, "", transport.Field{Name: "WWW-Authenticate", Value: `Digest realm="x", nonce="n1", qop="auth", algorithm=MD5`})
	return false
}

func (f *fakeSIP) register(r *transport.Request) {
	if !f.known(r) {
		return
	}
	contacts, _, err := r.Contacts()
	if err != nil || len(contacts) != 1 {
		r.Respond(400, "")
		return
	}
	user := r.To().URI.User
	f.mu.Lock()
	if n, _ := r.Seconds("Expires"); n == 0 {
		delete(f.bindings, user)
	} else {
		f.bindings[user] = binding{contacts[0].URI.String(), r.Flow()}
	}
	f.mu.Unlock()
	r.Respond(200, "", transport.Field{Name: "Contact", Value: r.Header("Contact")}, transport.Field{Name: "Expires", Value: r.Header("Expires")})
	f.tell(user)
}

func (f *fakeSIP) subscribe(r *transport.Request) {
	if event, _ := r.Event(); event != "presence" {
		r.Respond(489, "", transport.Field{Name: "Allow-Events", Value: "presence"})
		return
	}
	contacts, _, err := r.Contacts()
	if err != nil || len(contacts) != 1 {
		r.Respond(400, "")
		return
	}
	w := &watching{
		subject: r.URI().User, contact: contacts[0].URI.String(), from: "<" + r.To().URI.String() + ">;tag=" + r.LocalTag(),
		to: r.Header("From"), callID: r.CallID(), flow: r.Flow(),
	}
	f.mu.Lock()
	f.watchers = append(f.watchers, w)
	f.mu.Unlock()
	r.Respond(200, "", transport.Field{Name: "Contact", Value: "<" + f.tr.ContactFor(r.Flow(), w.subject) + ">"}, transport.Field{Name: "Expires", Value: r.Header("Expires")})
	f.notify(w)
}

func (f *fakeSIP) tell(subject string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.watchers {
		if w.subject == subject {
			go f.notify(w)
		}
	}
}

func (f *fakeSIP) notify(w *watching) {
	f.mu.Lock()
	w.cseq++
	basic := "closed"
	if _, ok := f.bindings[w.subject]; ok {
		basic = "open"
	}
	o := transport.Outgoing{
		Method: "NOTIFY", URI: w.contact, From: w.from, To: w.to, CallID: w.callID, CSeq: w.cseq, Flow: w.flow, Contact: "auto",
		Fields:      []transport.Field{{Name: "Event", Value: "presence"}, {Name: "Subscription-State", Value: "active;expires=60"}},
		ContentType: "application/pidf+xml",
		Body: fmt.Appendf(nil, `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:%s@x"><tuple id="t"><status><basic>%s</basic></status></tuple></presence>`,
			w.subject, basic),
	}
	f.mu.Unlock()
	f.tr.Start(o, func(*transport.Response, error) {})
}

// pass is the proxy.
func (f *fakeSIP) pass(r *transport.Request) {
	flow, ok := r.PopRoute(f.tr)
	leg := transport.Leg{Flow: flow}
	if !ok {
		f.mu.Lock()
		b, registered := f.bindings[r.URI().User]
		f.mu.Unlock()
		if !registered {
			r.Respond(404, "")
			return
		}
		leg = transport.Leg{URI: b.uri, Flow: b.flow, RecordRoute: []string{f.tr.RecordRoute(b.flow), f.tr.RecordRoute(r.Flow())}}
	}
	call := f.tr.Forward(r, leg, func(res *transport.Response, err error) {
		if err != nil {
			r.Respond(transport.Status(err), "")
			return
		}
		f.tr.Relay(r, res)
	})
	r.OnCancel(call.Cancel)
}
