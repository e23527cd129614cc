package door

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rollcall/sipgw/digest"
	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	gateway = "192.0.2.1:5060"
	pidf    = "application/pidf+xml"
)

// nothing is a store with nothing in it.
type nothing struct{}

func (nothing) LoadBindings(context.Context) ([]*registrar.Binding, error)               { return nil, nil }
func (nothing) SaveBindings(context.Context, []*registrar.Binding, []uint64) error       { return nil }
func (nothing) LoadPublications(context.Context) ([]*publish.Publication, error)         { return nil, nil }
func (nothing) SavePublications(context.Context, []*publish.Publication, []uint64) error { return nil }

// house is a gateway with a door, on a network in memory. 2001 may register as
// 2001@x and 2002@x, and publish for 2001@x; 2003 is a device too.
type house struct {
	t     *testing.T
	net   siptest.Network
	tr    *transport.Transport
	door  *Door
	reg   *registrar.Registrar
	log   bytes.Buffer
	heard []registrar.Flow
	told  []string

	trusted string // who may say that devices are reached by somebody else
}

func play(t *testing.T, test func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t}
		log := slog.New(slog.NewTextHandler(&h.log, nil))
		h.reg = registrar.New(registrar.Parts{Store: nothing{}, Log: log}, registrar.Config{Jitter: func() float64 { return 0.5 }})
		h.reg.OnChange(func(c registrar.Change) { h.told = append(h.told, c.What.String()+" "+c.AOR) })
		h.door = New(Parts{
			Verifier:  digest.New(digest.Config{Realm: "x"}),
			Registrar: h.reg,
			Compositor: publish.New(publish.Parts{
				Store: nothing{}, Log: log, Serves: func(r string) bool { return r == "2001@x" },
				Packages: map[string]publish.Package{"presence": {Types: []string{pidf}, Parse: func(_ string, body []byte) (any, error) {
					if !bytes.HasPrefix(body, []byte("<")) {
						return nil, errors.New("no XML")
					}
					return nil, nil
				}}},
			}, publish.Config{}),
			Secrets: func(user string) (digest.Secrets, bool) {
				return digest.HA1(user, "x", "secret of "+user), user == "2001" || user == "2003"
			},
			Domain: func(host string) (string, bool) { return "x", host == "x" || host == "192.0.2.1" },
			May: func(user, aor string) bool {
				return user == "2001" && (aor == "2001@x" || aor == "2002@x") || user == "2003" && aor == "2003@x"
			},
			Trusted: func(a netip.Addr) bool { return a.String() == h.trusted },
			Heard:   func(_ time.Time, f registrar.Flow) { h.heard = append(h.heard, f) },
			Log:     log,
		})
		var err error
		h.tr, err = transport.New(transport.Options{Config: transport.Config{Listen: []string{gateway}}, Network: &h.net, Hosts: []string{"x"}})
		if err != nil {
			t.Fatal(err)
		}
		h.tr.Handle("REGISTER", h.door.Register)
		h.tr.Handle("PUBLISH", h.door.Publish)
		h.tr.Handle("MESSAGE", func(r *transport.Request) {
			if user, fields, ok := h.door.WhoPasses(r); ok {
				r.Respond(200, "It Is "+user, fields...)
			}
		})
		h.tr.OnFlowClosed(h.door.Closed)
		if err := h.tr.Listen(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var work sync.WaitGroup
		work.Go(func() { h.tr.Run(ctx) })
		test(h)
		cancel()
		work.Wait()
	})
}

// phone is a device that answers challenges with MD5, as most do.
type phone struct {
	h            *house
	send         func(string) (answer string)
	user, secret string
	count        int
	cseq         int
	nonce        string
	used         int
}

func (h *house) phone(at string) *phone {
	h.t.Helper()
	p, err := h.net.Packets(at)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { p.Close() })
	return &phone{h: h, user: "2001", secret: "secret of 2001", send: func(text string) string {
		p.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort(gateway))
		buf := make([]byte, 1<<16)
		n, _, err := p.ReadFromUDPAddrPort(buf)
		if err != nil {
			h.t.Fatal(err)
		}
		return string(buf[:n])
	}}
}

// ask sends a request, with header fields a line each and after an empty line a
// body, and returns the answer.
func (p *phone) ask(method, uri, text string) string {
	p.h.t.Helper()
	p.count++
	p.cseq++
	text, body, _ := strings.Cut(text, "\n\n")
	var fields strings.Builder
	for _, standard := range []string{
		fmt.Sprintf("Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK%s%d", p.user, p.count),
		"Max-Forwards: 70", "From: <sip:2001@x>;tag=1", "To: <sip:2001@x>", "Call-ID: a",
		fmt.Sprintf("CSeq: %d %s", p.cseq, method), fmt.Sprintf("Content-Length: %d", len(body)),
	} {
		name, _, _ := strings.Cut(standard, ":")
		if !strings.Contains("\n"+text, "\n"+name+":") {
			fields.WriteString(standard + "\r\n")
		}
	}
	for line := range strings.Lines(text) {
		fields.WriteString(strings.TrimSpace(line) + "\r\n")
	}
	return p.send(method + " " + uri + " SIP/2.0\r\n" + fields.String() + "\r\n" + body)
}

// auth makes credentials for the last challenge.
func (p *phone) auth(method, uri string) string {
	hash := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	p.used++
	nc := fmt.Sprintf("%08x", p.used)
	return fmt.Sprintf(`Authorization: Digest username="%s", realm="x", nonce="%s", uri="%s", algorithm=MD5, qop=auth, nc=%s, cnonce="c", response="%s"`,
		p.user, p.nonce, uri, nc, hash(hash(p.user+":x:"+p.secret)+":"+p.nonce+":"+nc+":c:auth:"+hash(method+":"+uri)))
}

var nonceIn = regexp.MustCompile(`nonce="([^"]*)"`)

// prove asks, and again with credentials if it is challenged.
func (p *phone) prove(method, uri, text string) string {
	p.h.t.Helper()
	head, body, found := strings.Cut(text, "\n\n")
	with := func() string {
		all := strings.Trim(head+"\n"+p.auth(method, uri), "\n")
		if found {
			all += "\n\n" + body
		}
		return all
	}
	first := text
	if p.nonce != "" {
		first = with()
	}
	answer := p.ask(method, uri, first)
	if !strings.HasPrefix(answer, "SIP/2.0 401") || p.nonce != "" && !strings.Contains(answer, "stale=true") {
		return answer
	}
	p.nonce, p.used = nonceIn.FindStringSubmatch(answer)[1], 0
	return p.ask(method, uri, with())
}

// expect compares the first line of an answer, and header fields in it.
func (h *house) expect(answer, status string, fields ...string) {
	h.t.Helper()
	if !strings.HasPrefix(answer, "SIP/2.0 "+status) {
		h.t.Errorf("want %s, got:\n%s", status, answer)
	}
	for _, f := range fields {
		if !strings.Contains(answer, "\r\n"+f) {
			h.t.Errorf("want %q, got:\n%s", f, answer)
		}
	}
}

func TestRegister(t *testing.T) {
	play(t, func(h *house) {
		p := h.phone("192.0.2.7:5060")
		answer := p.ask("REGISTER", "sip:x", "Contact: <sip:2001@192.0.2.7>")
		h.expect(answer, "401 ", `WWW-Authenticate: Digest realm="x"`)
		if strings.Index(answer, "SHA-256") > strings.Index(answer, "MD5") || strings.Count(answer, "WWW-Authenticate") != 2 {
			t.Errorf("the challenges are:\n%s", answer)
		}
		h.expect(p.prove("REGISTER", "sip:x", "Contact: <sip:2001@192.0.2.7>;q=0.5;expires=200"), "200 ",
			"Contact: <sip:2001@192.0.2.7>;q=0.5;expires=200\r\n", "Date: ")
		// The nonce is still good, and the registrar was given as an address.
		h.expect(p.prove("REGISTER", "sip:192.0.2.1", "To: <sip:2001@192.0.2.1:5060;user=phone>\nContact: <sip:2001@192.0.2.7>\nExpires: 99999"), "200 ",
			"Contact: <sip:2001@192.0.2.7>;expires=300\r\n")
		b := h.reg.Lookup("2001@x")
		if len(b) != 1 || b[0].Flow.Remote.String() != "192.0.2.7:5060" || b[0].Flow.Local.String() != gateway || len(h.heard) != 2 || h.heard[0] != b[0].Flow {
			t.Errorf("the bindings are %+v, heard was %v", b, h.heard)
		}
		f, ok := h.tr.Named(transport.Kind(b[0].Flow.Transport), b[0].Flow.ID, b[0].Flow.Local, b[0].Flow.Remote)
		if !ok || Flow(f) != b[0].Flow {
			t.Errorf("its flow is %v, %v", f, ok)
		}
		h.expect(p.prove("REGISTER", "sip:x", "To: <sip:2002@x>\nContact: <sip:2002@192.0.2.7>;expires=30"), "423 ", "Min-Expires: 60\r\n")
		h.expect(p.prove("REGISTER", "sip:x", "Contact: <sip:2001@192.0.2.7\nExpires: 60"), "400 ")
		h.expect(p.prove("REGISTER", "sip:x", "Path: <tel:1>\nContact: <sip:2001@192.0.2.7>"), "400 ")
		h.expect(p.prove("REGISTER", "sip:x", "Require: gruu"), "420 ", "Unsupported: gruu\r\n")
		for _, elsewhere := range []string{"<sip:p;lr>", "<sip:192.0.2.8;lr>", "<sip:[2001:db8::1];lr>, <sip:192.0.2.7;lr>"} {
			h.expect(p.prove("REGISTER", "sip:x", "Path: "+elsewhere+"\nSupported: path\nContact: <sip:2001@192.0.2.7>"), "403 Path Leads Elsewhere")
		}
		h.expect(p.prove("REGISTER", "sip:x", "Path: <sip:192.0.2.7:5090;lr>, <sip:p;lr>\nSupported: path\nContact: <sip:2001@192.0.2.7>"), "200 ", "Path: <sip:192.0.2.7:5090;lr>\r\n", "Path: <sip:p;lr>\r\n")
		h.trusted = "192.0.2.7"
		h.expect(p.prove("REGISTER", "sip:x", "Path: <sip:p;lr>\nSupported: path\nContact: <sip:2001@192.0.2.7>"), "200 ", "Path: <sip:p;lr>\r\n")
		h.expect(p.prove("REGISTER", "sip:x", ""), "200 ", "Contact: <sip:2001@192.0.2.7>;expires=300\r\n")
		h.expect(p.prove("REGISTER", "sip:x", "Contact: *\nExpires: 0"), "200 ")
		if len(h.reg.Lookup("2001@x")) > 0 {
			t.Error("it is still there")
		}
	})
}

// Who does not know the secret cannot tell who there is, nor can who knows one
// tell whether others are there.
func TestNobodyIsTold(t *testing.T) {
	play(t, func(h *house) {
		p := h.phone("192.0.2.7:5060")
		same := regexp.MustCompile(`nonce="[^"]*"|branch=[^;\r]*|CSeq: [^\r]*|tag=[^;\r]*`)
		answers := map[string]bool{}
		for _, who := range [][3]string{{"2001", "wrong", "2001"}, {"2009", "wrong", "2009"}, {"2009", "secret of 2009", "2001"}, {"2001", "wrong", "2009"}} {
			p.user, p.secret, p.nonce = who[0], who[1], ""
			answer := p.prove("REGISTER", "sip:x", "Contact: <sip:a>")
			h.expect(answer, "401 ")
			answers[same.ReplaceAllString(answer, "")] = true
		}
		if len(answers) != 1 {
			t.Errorf("the answers differ: %v", answers)
		}
		p.user, p.secret, p.nonce = "2001", "secret of 2001", ""
		for _, to := range []string{"2003", "2009"} {
			h.expect(p.prove("REGISTER", "sip:x", "To: <sip:"+to+"@x>\nContact: <sip:a>"), "403 ")
			h.expect(p.prove("PUBLISH", "sip:"+to+"@x", "Event: presence"), "403 ")
		}
		// What is not ours is not, whoever asks.
		p.nonce = ""
		h.expect(p.ask("REGISTER", "sip:y", "Contact: <sip:a>"), "404 ")
		h.expect(p.ask("REGISTER", "sip:x", "To: <sip:2001@y>\nContact: <sip:a>"), "404 ")
		h.expect(p.ask("REGISTER", "sip:x", "To: <sip:x>\nContact: <sip:a>"), "404 ")
		h.expect(p.ask("PUBLISH", "sip:2001@y", "Event: presence"), "404 ")
		if log := h.log.String(); strings.Count(log, "could not prove") != 1 || strings.Contains(log, "2009") || strings.Contains(log, "wrong") {
			t.Errorf("the log is:\n%s", log)
		}
	})
}

func TestBadCredentials(t *testing.T) {
	play(t, func(h *house) {
		p := h.phone("192.0.2.7:5060")
		h.expect(p.ask("REGISTER", "sip:x", `Authorization: Digest username="2001"`), "400 ")
		h.expect(p.prove("REGISTER", "sip:x", "Contact: <sip:a>"), "200 ")
		// Moved to another request.
		stolen := p.auth("REGISTER", "sip:x")
		h.expect(p.ask("REGISTER", "sip:192.0.2.1", stolen), "400 ")
		h.expect(p.ask("REGISTER", "sip:x", stolen), "200 ")
		h.expect(p.ask("REGISTER", "sip:x", stolen), "401 ", "WWW-Authenticate: Digest realm=\"x\"")
		// Late in the life of a nonce there is the next one.
		time.Sleep(50 * time.Minute)
		h.expect(p.prove("REGISTER", "sip:x", ""), "200 ", "Authentication-Info: nextnonce=\"")
		time.Sleep(20 * time.Minute)
		h.expect(p.ask("REGISTER", "sip:x", p.auth("REGISTER", "sip:x")), "401 ")
		h.expect(p.prove("REGISTER", "sip:x", ""), "200 ")
	})
}

// What is passed on has credentials of its own (RFC 3261 §22.3).
func TestWhoPasses(t *testing.T) {
	play(t, func(h *house) {
		p := h.phone("192.0.2.7:5060")
		answer := p.ask("MESSAGE", "sip:2003@x", "")
		h.expect(answer, "407 ", `Proxy-Authenticate: Digest realm="x"`)
		p.nonce = nonceIn.FindStringSubmatch(answer)[1]
		h.expect(p.ask("MESSAGE", "sip:2003@x", p.auth("MESSAGE", "sip:2003@x")), "407 ")
		h.expect(p.ask("MESSAGE", "sip:2003@x", "Proxy-"+p.auth("MESSAGE", "sip:2003@x")), "200 It Is 2001")
		h.expect(p.ask("MESSAGE", "sip:2003@x", "Proxy-Authorization: Digest x"), "400 ")
		time.Sleep(50 * time.Minute)
		h.expect(p.ask("MESSAGE", "sip:2003@x", "Proxy-"+p.auth("MESSAGE", "sip:2003@x")), "200 ", "Proxy-Authentication-Info: nextnonce=\"")
	})
}

func TestPublish(t *testing.T) {
	play(t, func(h *house) {
		p := h.phone("192.0.2.7:5060")
		const uri = "sip:2001@x"
		etag := func(answer string) string {
			m := regexp.MustCompile(`\r\nSIP-ETag: ([^\r]+)`).FindStringSubmatch(answer)
			if m == nil {
				t.Fatalf("no entity-tag:\n%s", answer)
			}
			return m[1]
		}
		answer := p.prove("PUBLISH", uri, "Event: presence\nContent-Type: "+pidf+"\n\n<x/>")
		h.expect(answer, "200 ", "Expires: 3600\r\n")
		first := etag(answer)
		answer = p.prove("PUBLISH", uri, "o: presence\nSIP-If-Match: "+first+"\nExpires: 120")
		h.expect(answer, "200 ", "Expires: 120\r\n")
		second := etag(answer)
		for _, tt := range []struct{ text, status, field string }{
			{"Event: presence\nSIP-If-Match: " + first, "412 ", ""},
			{"Event: dialog\nSIP-If-Match: " + second, "489 ", "Allow-Events: presence\r\n"},
			{"SIP-If-Match: " + second, "489 ", "Allow-Events: presence\r\n"},
			{"Event: presence\nSIP-If-Match: " + second + "\nSIP-If-Match: " + first, "400 ", ""},
			{"Event: presence\nExpires: 5\nSIP-If-Match: " + second, "423 ", "Min-Expires: 60\r\n"},
			{"Event: presence\nContent-Type: text/plain\n\nx", "415 ", "Accept: " + pidf + "\r\n"},
			{"Event: presence\nContent-Type: " + pidf + "\n\nx", "400 ", ""},
			{"Event: presence", "400 ", ""},
			{"Event: presence\nRequire: foo", "420 ", "Unsupported: foo\r\n"},
		} {
			answer := p.prove("PUBLISH", uri, tt.text)
			h.expect(answer, tt.status)
			if tt.field != "" {
				h.expect(answer, tt.status, tt.field)
			}
		}
		// Served are fewer than may be published for.
		h.expect(p.prove("PUBLISH", "sip:2002@x", "Event: presence\nContent-Type: "+pidf+"\n\n<x/>"), "404 ")
		answer = p.prove("PUBLISH", uri, "Event: presence\nSIP-If-Match: "+second+"\nExpires: 0")
		h.expect(answer, "200 ", "Expires: 0\r\n")
	})
}

// A connection that is closed takes its bindings along.
func TestConnectionClosed(t *testing.T) {
	play(t, func(h *house) {
		c, err := h.net.DialFrom(context.Background(), netip.MustParseAddrPort("192.0.2.7:4000"), netip.MustParseAddrPort(gateway))
		if err != nil {
			t.Fatal(err)
		}
		p := &phone{h: h, user: "2001", secret: "secret of 2001", send: func(text string) string {
			if _, err := c.Write([]byte(strings.Replace(text, "/UDP", "/TCP", 1))); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 1<<16)
			n, err := c.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			return string(buf[:n])
		}}
		h.expect(p.prove("REGISTER", "sip:x", "Supported: path, outbound\nContact: <sip:2001@192.0.2.7;transport=tcp>;reg-id=1;+sip.instance=\"<urn:uuid:1>\""), "200 ",
			"Require: outbound\r\n", `Contact: <sip:2001@192.0.2.7;transport=tcp>;reg-id=1;+sip.instance="<urn:uuid:1>";expires=3600`+"\r\n")
		b := h.reg.Lookup("2001@x")[0]
		if f, ok := h.tr.Named(transport.TCP, b.Flow.ID, netip.AddrPort{}, netip.AddrPort{}); !ok || Flow(f) != b.Flow {
			t.Errorf("its flow is %v, %v", f, ok)
		}
		c.Close()
		synctest.Wait()
		if got := strings.Join(h.told, ", "); got != "registered 2001@x, flow closed 2001@x" {
			t.Errorf("told was %s", got)
		}
		if _, ok := h.tr.Named(transport.TCP, b.Flow.ID, netip.AddrPort{}, netip.AddrPort{}); ok {
			t.Error("its flow is still there")
		}
	})
}
