package crash

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"rollcall/sipgw/siptest"
)

// secret is what every device knows.
const secret = "what-phones-are-told"

// handset is a phone at an address of its own. It belongs to one goroutine at a time.
type handset struct {
	*siptest.Phone
	t    testing.TB
	name string
	lost chan struct{} // holds a token once its connection is gone
}

// plug is the network of one house: a gateway, and phones beside it.
type plug struct {
	gateway netip.AddrPort
	phones  atomic.Int32
}

// newPlug takes a network of loopback addresses that nobody else has at the moment.
func newPlug(t *testing.T) *plug {
	seed := random(t)
	return &plug{gateway: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(64 + seed.IntN(128)), byte(seed.IntN(256)), 1}), 5060)}
}

// pbx brings a PBX, which does nothing by itself. at is its address.
func (g *plug) pbx(t testing.TB) (p *handset, at string) {
	t.Helper()
	ip := g.gateway.Addr().As4()
	ip[3] = 200
	h := &handset{t: t, name: "pbx"}
	p2, err := siptest.NewPhone(siptest.Loopback{}, siptest.Options{
		User: "pbx", Domain: "hq", At: netip.AddrPortFrom(netip.AddrFrom4(ip), 5060), Gateway: g.gateway, Manual: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Phone = p2
	t.Cleanup(p2.Close)
	return h, netip.AddrFrom4(ip).String()
}

// tell has a PBX take a subscription and tell that the line is in a call.
func (h *handset) tell(line string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	m, err := h.Await(ctx, func(m *siptest.Message) bool { return m.Method == "SUBSCRIBE" })
	if err == nil {
		err = h.Say(write("200 OK\nExpires: 600"))
	}
	if err == nil {
		err = h.Say(write("NOTIFY\nCall-ID: %s\nEvent: dialog\nSubscription-State: active;expires=600\n"+
			"Content-Type: application/dialog-info+xml\n--\n%s", m.Header("Call-ID"), talking(line)))
	}
	if err != nil {
		h.t.Fatal("pbx: ", err)
	}
}

// handset makes a phone.
func (g *plug) handset(t testing.TB, name string, tcp bool, heard func(mark, text string)) *handset {
	t.Helper()
	at := g.gateway.Addr().As4()
	at[3] = byte(1 + g.phones.Add(1))
	h := &handset{t: t, name: name, lost: make(chan struct{}, 1)}
	p, err := siptest.NewPhone(siptest.Loopback{}, siptest.Options{
		User: name, Domain: domain, Password: secret, At: netip.AddrPortFrom(netip.AddrFrom4(at), 5060), Gateway: g.gateway, TCP: tcp,
		Heard: heard, Lost: func() { h.lost <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Phone = p
	t.Cleanup(p.Close)
	return h
}

// write reads a request as tests write it.
func write(format string, args ...any) *siptest.Message {
	m, err := siptest.Write(fmt.Sprintf(format, args...))
	if err != nil {
		panic(err)
	}
	return m
}

// ask sends a request and wants one of some answers, or any.
func (h *handset) ask(ctx context.Context, m *siptest.Message, want ...int) (*siptest.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := h.Ask(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", h.name, m.Method, err)
	}
	for _, status := range want {
		if res.Status == status {
			return res, nil
		}
	}
	if len(want) > 0 {
		return nil, fmt.Errorf("%s: %s was answered %d %s", h.name, m.Method, res.Status, res.Reason)
	}
	return res, nil
}

// must is ask where the test ends otherwise.
func (h *handset) must(m *siptest.Message, want ...int) *siptest.Message {
	h.t.Helper()
	res, err := h.ask(h.t.Context(), m, want...)
	if err != nil {
		h.t.Fatal(err)
	}
	return res
}

func (h *handset) register(expires int) {
	h.t.Helper()
	h.must(registration(expires), 200)
}

func registration(expires int) *siptest.Message {
	return write("REGISTER sip:%s\nExpires: %d", domain, expires)
}

const media = "\nContent-Type: application/sdp\n--\nv=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 4000 RTP/AVP 8\n"

// call calls another phone, which answers.
func (h *handset) call(ctx context.Context, other *handset) error {
	answered := make(chan error, 1)
	go func() {
		_, err := h.ask(ctx, write("INVITE sip:%s@%s"+media, other.name, domain), 200)
		answered <- err
	}()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := other.Await(limited, func(m *siptest.Message) bool { return m.Method == "INVITE" })
	if err == nil {
		err = other.Answer(write("200 OK" + media))
	}
	if err != nil {
		err = fmt.Errorf("%s is not called: %w", other.name, err)
	}
	if done := <-answered; done != nil {
		return done
	}
	return err
}

// hangUp ends a call that was answered.
func (h *handset) hangUp(ctx context.Context, other *handset) error {
	if _, err := h.HangUp(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := other.Await(ctx, func(m *siptest.Message) bool { return m.Method == "BYE" }); err != nil {
		return fmt.Errorf("%s does not hear that %s has hung up: %w", other.name, h.name, err)
	}
	return nil
}

// publish publishes a document, under a tag that there is or "".
func publication(name, event, tag string, expires int, body string) *siptest.Message {
	m := write("PUBLISH sip:%s@%s\nEvent: %s\nExpires: %d", name, domain, event, expires)
	if tag != "" {
		m.Fields = append(m.Fields, siptest.Field{Name: "SIP-If-Match", Value: tag})
	}
	if body != "" {
		kind := map[string]string{"presence": "application/pidf+xml", "dialog": "application/dialog-info+xml"}[event]
		m.Fields = append(m.Fields, siptest.Field{Name: "Content-Type", Value: kind})
		m.Body = body
	}
	return m
}

// talking is what a phone publishes that is in a call.
func talking(name string) string {
	return `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:` + name + "@" + domain +
		`"><dialog id="a"><state>confirmed</state></dialog></dialog-info>`
}

// disturbed is what a phone publishes whose owner does not want to be.
func disturbed(name string) string {
	return `<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"` +
		` xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:` + name + "@" + domain + `">` +
		`<tuple id="t"><status><basic>open</basic></status></tuple>` +
		`<dm:person id="p"><rpid:activities><rpid:busy/></rpid:activities></dm:person></presence>`
}

// subscribe subscribes to somebody and returns the Call-ID of that.
func (h *handset) subscribe(event, to string) string {
	h.t.Helper()
	m := write("SUBSCRIBE sip:%s@%s\nEvent: %s\nExpires: 3600", to, domain, event)
	res := h.must(m, 200)
	return res.Header("Call-ID")
}

// number reads a number in a header or an attribute; -1 if there is none.
func numberIn(text, before, after string) int {
	_, rest, found := strings.Cut(text, before)
	digits, _, ended := strings.Cut(rest, after)
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if !found || !ended || err != nil {
		return -1
	}
	return n
}
