package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// desk is a service that writes down what it takes, and refuses on demand.
type desk struct {
	mu      sync.Mutex
	got     []string
	refusal error
}

// Take implements Service.
func (d *desk) Take(p *Packet) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refusal != nil {
		return d.refusal
	}
	d.got = append(d.got, string(p.Append(nil)))
	return nil
}

// taken returns what the desk has taken, and forgets it.
func (d *desk) taken() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := strings.Join(d.got, "\n")
	d.got = nil
	return all
}

// paper is a connection that keeps what it is given.
type paper struct {
	drain
	mu  sync.Mutex
	all strings.Builder
}

// Write implements Transport.
func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.Write(b)
}

// building is a server with an annex, and ada.
type building struct {
	t     *testing.T
	srv   *Server
	annex *Annex
	ada   *Session
	paper *paper
}

func newBuilding(t *testing.T) *building {
	b := &building{t: t, paper: new(paper)}
	b.srv = New(t.Context(), Options{
		Config:   Config{Domains: []Domain{{Name: "x"}}, Annexes: []string{"phones.x", "rooms.x"}, OutboxBytes: 1 << 20},
		Accounts: residents{}, Log: nil,
	})
	b.annex = b.srv.Annex("phones.x")
	var err error
	if b.ada, err = b.srv.Bind(t.Context(), NewAccount("ada@x", 1), "desk", b.paper); err != nil {
		t.Fatal(err)
	}
	b.ada.SetAvailability(new(Availability))
	return b
}

// residents are all whose name does not begin with "no".
type residents struct{}

// Lookup implements Accounts.
func (residents) Lookup(_ context.Context, j jid.Bare) (int64, bool, error) {
	return 1, !strings.HasPrefix(string(j), "no"), nil
}

func (b *building) says(raw string) {
	b.t.Helper()
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	sc.Filled(copy(sc.Space(), raw))
	st, err := sc.Next()
	if err == nil {
		err = b.srv.Handle(b.t.Context(), b.ada, st)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// heard returns what ada was sent, and forgets it.
func (b *building) heard() string {
	b.ada.out.mu.Lock()
	for b.ada.out.writing {
		if b.ada.out.idle == nil {
			b.ada.out.idle = make(chan struct{})
		}
		idle := b.ada.out.idle
		b.ada.out.mu.Unlock()
		<-idle
		b.ada.out.mu.Lock()
	}
	b.ada.out.mu.Unlock()
	b.paper.mu.Lock()
	defer b.paper.mu.Unlock()
	all := b.paper.all.String()
	b.paper.all.Reset()
	return all
}

const gone = "<error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

// What people send to an annex is its service's to answer, in order; who sends
// something that nobody takes is told.
func TestAnnex(t *testing.T) {
	b, d := newBuilding(t), new(desk)
	b.says("<message to='door@phones.x' id='1'><body>hi</body></message>")
	if got, want := b.heard(), "<message type='error' id='1' from='door@phones.x' to='ada@x/desk'>"+gone+"</message>"; got != want {
		t.Errorf("without a service:\n%s\nnot\n%s", got, want)
	}
	b.says("<presence to='door@phones.x'/>") // which is as if to somebody who is not there
	if err := b.annex.Attach(d); err != nil {
		t.Fatal(err)
	}
	if err := b.annex.Attach(new(desk)); !errors.Is(err, ErrTaken) {
		t.Errorf("a second service: %v", err)
	}
	b.says("<message xmlns='jabber:client' to='Door@phones.x/sip'><body>hi</body></message>")
	b.says("<presence to='phones.x' type='unavailable'/>")
	b.says("<iq to='phones.x' id='2' type='get'><q xmlns='urn:q'/></iq>")
	want := "<message from='ada@x/desk' to='door@phones.x/sip'><body>hi</body></message>\n" +
		"<presence type='unavailable' from='ada@x/desk' to='phones.x'/>\n" +
		"<iq id='2' type='get' from='ada@x/desk' to='phones.x'><q xmlns='urn:q'/></iq>"
	if got := d.taken(); got != want {
		t.Errorf("taken:\n%s\nnot\n%s", got, want)
	}
	d.refusal = stanza.ErrResourceConstraint
	b.says("<iq to='phones.x' id='3' type='get'><q xmlns='urn:q'/></iq>")
	b.says("<presence to='phones.x' type='probe'/>")
	if got := b.heard(); !strings.Contains(got, "resource-constraint") || strings.Contains(got, "<presence") {
		t.Errorf("refused: %s", got)
	}
	b.annex.Detach(new(desk)) // not the one
	if b.srv.Reach("phones.x") != nil || b.srv.Reach("x") != nil || !errors.Is(b.srv.Reach("y"), stanza.ErrRemoteNotFound) {
		t.Error("who can be reached is not as it should be")
	}
	b.annex.Detach(d)
	if !errors.Is(b.srv.Reach("phones.x"), stanza.ErrRemoteTimeout) || b.annex.Service() != nil {
		t.Error("a service that has gone is still there")
	}
}

// What a service sends is for the accounts here, or comes back as an error.
func TestAnnexSends(t *testing.T) {
	b, d := newBuilding(t), new(desk)
	if err := b.annex.Attach(d); err != nil {
		t.Fatal(err)
	}
	refused := func(kind, attrs, typ, condition string) string {
		return "<" + kind + " type='error'" + attrs + "><error type='" + typ + "'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></" + kind + ">"
	}
	for _, c := range []struct{ raw, ada, back string }{
		{"<message from='door@phones.x/sip' to='ada@x'><body>ring</body></message>", "<message from='door@phones.x/sip' to='ada@x'><body>ring</body></message>", ""},
		{"<iq type='result' id='7' from='phones.x' to='ada@x/desk'/>", "<iq type='result' id='7' from='phones.x' to='ada@x/desk'/>", ""},
		{"<iq type='get' id='8' from='a@phones.x' to='ada@x/desk'><q xmlns='urn:q'/></iq>", "<iq type='get' id='8' from='a@phones.x' to='ada@x/desk'><q xmlns='urn:q'/></iq>", ""},
		{"<iq type='get' id='9' from='a@phones.x' to='ada@x'><q xmlns='urn:q'/></iq>", "", refused("iq", " id='9' from='ada@x' to='a@phones.x'", "cancel", "service-unavailable")},
		{"<iq type='get' id='10' from='a@phones.x' to='x'><q xmlns='urn:q'/></iq>", "", refused("iq", " id='10' from='x' to='a@phones.x'", "cancel", "service-unavailable")},
		{"<message from='a@phones.x' to='nobody@x'><body>?</body></message>", "", refused("message", " from='nobody@x' to='a@phones.x'", "cancel", "service-unavailable")},
		{"<message from='a@phones.x' to='b@rooms.x'><body>?</body></message>", "", refused("message", " from='b@rooms.x' to='a@phones.x'", "wait", "remote-server-timeout")},
		{"<message from='a@phones.x' to='b@elsewhere'><body>?</body></message>", "", refused("message", " from='b@elsewhere' to='a@phones.x'", "cancel", "remote-server-not-found")},
		{"<message from='a@phones.x' to='&apos;@x'><body>?</body></message>", "", refused("message", " from='&apos;@x' to='a@phones.x'", "modify", "jid-malformed")},
		{"<iq type='get' from='a@phones.x' to='ada@x'/>", "", refused("iq", " from='ada@x' to='a@phones.x'", "modify", "bad-request")},
		{"<message type='error' from='a@phones.x' to='nobody@x'><body>?</body></message>", "", ""},
		{"<message from='a@phones.x' to='b@phones.x'><body>?</body></message>", "", "<message from='a@phones.x' to='b@phones.x'><body>?</body></message>"},
	} {
		if err := b.annex.Post(t.Context(), []byte(c.raw)); err != nil {
			t.Errorf("%s: %v", c.raw, err)
		}
		if got := b.heard(); got != c.ada {
			t.Errorf("%s: ada gets\n%s\nnot\n%s", c.raw, got, c.ada)
		}
		if got := d.taken(); got != c.back {
			t.Errorf("%s: back comes\n%s\nnot\n%s", c.raw, got, c.back)
		}
	}
	for raw, want := range map[string]error{
		"<message from='a@x' to='ada@x'/>":                errNotOfService,
		"<message from='a@sub.phones.x' to='ada@x'/>":     errNotOfService,
		"<message from='@phones.x' to='ada@x'/>":          errNotOfService,
		"<message to='ada@x'/>":                           errImproper,
		"<message from='a@phones.x'/>":                    errImproper,
		"<message from='a@phones.x' to='ada@x'><body>":    stream.Short,
		"<message from='a@phones.x' to='ada@x'/><message": stream.ErrNotWellFormed,
	} {
		if err := b.annex.Post(t.Context(), []byte(raw)); err != want {
			t.Errorf("%s: %v, not %v", raw, err, want)
		}
	}
	if got := b.heard() + d.taken(); got != "" {
		t.Errorf("what is wrong went on: %s", got)
	}
}

// blocked is a connection that takes nothing until it is cut.
type blocked struct {
	drain
	once sync.Once
	cut  chan struct{}
}

// Write implements Transport.
func (c *blocked) Write([]byte) (int, error) { <-c.cut; return 0, errors.New("cut") }

// Abort implements Transport.
func (c *blocked) Abort() { c.once.Do(func() { close(c.cut) }) }

// A service that reads too slowly is sent no more than it has room for, and the
// senders are told; what it never got comes back when it goes.
func TestLinkIsBounded(t *testing.T) {
	b := newBuilding(t)
	b.srv.cfg.OutboxBytes = 10_000
	c := &blocked{cut: make(chan struct{})}
	l := b.srv.NewLink(c, nil)
	if err := b.annex.Attach(l); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for ; ; sent++ {
		b.says(fmt.Sprintf("<message to='a@phones.x' id='m%d'><body>%s</body></message>", sent, strings.Repeat("x", 900)))
		if got := b.heard(); got != "" {
			if !strings.Contains(got, fmt.Sprintf("id='m%d'", sent)) || !strings.Contains(got, "resource-constraint") {
				t.Fatalf("the message too many: %s", got)
			}
			break
		}
	}
	if sent != 7 {
		t.Errorf("%d messages of nearly 1000 bytes were taken where three quarters of 10000 may be", sent)
	}
	for range 40 { // which nobody is told of, until there is no room at all
		b.says("<presence to='a@phones.x'><status>" + strings.Repeat("x", 60) + "</status></presence>")
	}
	<-c.cut
	b.says("<message to='a@phones.x' id='late'><body/></message>")
	if got := b.heard(); !strings.Contains(got, "id='late'") || !strings.Contains(got, gone) {
		t.Errorf("over the limit: %s", got)
	}
	b.annex.Detach(l)
	l.End()
	got := b.heard()
	for i := range sent {
		if !strings.Contains(got, fmt.Sprintf("<message type='error' id='m%d' from='a@phones.x' to='ada@x/desk'>%s", i, gone)) {
			t.Errorf("message %d did not come back in %s", i, got)
		}
	}
	if n := strings.Count(got, "type='error'"); n != sent {
		t.Errorf("%d errors for %d messages", n, sent)
	}
}
