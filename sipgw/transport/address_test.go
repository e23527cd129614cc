package transport_test

import (
	"testing"

	"rollcall/sipgw/transport"
)

func TestParseURI(t *testing.T) {
	for _, c := range []struct{ in, aor, param string }{
		{"sip:2001@example.org", "sip:2001@example.org", ""},
		{"SIP:2001@Example.ORG:5070;Transport=TCP;lr", "sip:2001@example.org", "TCP"},
		{"sips:ada:secret@[2001:db8::1]:5061?subject=tea", "sips:ada@[2001:db8::1]", ""},
		{"sip:example.org", "sip:example.org", ""},
		{"sip:%61d%61%40x%2f@example.org", "sip:ada%40x/@example.org", ""},
		{"sip:user;par=u%40example.net@example.org", "sip:user;par=u%40example.net@example.org", ""},
		{"tel:+49-30-1234;phone-context=x", "tel:+49-30-1234", ""},
		{"urn:service:sos", "urn:service:sos", ""},
		{"", "", ""}, {"sip", "", ""}, {":x", "", ""}, {"1sip:a@b", "", ""}, {"sip:", "", ""}, {"sip:@b", "", ""}, {"sip::x@b", "", ""},
		{"sip:a@", "", ""}, {"sip:a@b c", "", ""}, {"sip:a@b:0", "", ""}, {"sip:a@b:65536", "", ""}, {"sip:a@b:", "", ""},
		{"sip:a@[::1", "", ""}, {"sip:a@[x]", "", ""}, {"sip:a@b,c", "", ""}, {"tel:", "", ""}, {"sip:a@b\r\nX:y", "", ""},
	} {
		u, err := transport.ParseURI(c.in)
		if c.aor == "" {
			if err == nil {
				t.Errorf("%q: %+v", c.in, u)
			}
			continue
		}
		param, _ := u.Params.Get("transport")
		if err != nil || u.AOR() != c.aor || param != c.param {
			t.Errorf("%q: %v %q %q", c.in, err, u.AOR(), param)
		}
		if again, err := transport.ParseURI(u.String()); err != nil || again != u {
			t.Errorf("%q: %v %+v", c.in, err, again)
		}
	}
}

// The examples of RFC 3261 §19.1.4, and some of ours.
func TestURIEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"sip:%61lice@atlanta.example.org;transport=TCP", "sip:alice@AtLanTa.Example.org;Transport=tcp", true},
		{"sip:carol@example.org", "sip:carol@example.org;newparam=5", true},
		{"sip:carol@example.org;security=on", "sip:carol@example.org;newparam=5", true},
		{"sip:ALICE@example.org", "sip:alice@example.org", false},
		{"sip:bob@example.org", "sip:bob@example.org:5060", false},
		{"sip:bob@example.org", "sip:bob@example.org;method=INVITE", false},
		{"sip:bob@example.org;security=on", "sip:bob@example.org;security=off", false},
		{"sip:bob@example.org", "sips:bob@example.org", false},
		{"sip:bob@example.org?subject=a", "sip:bob@example.org", false},
		{"tel:+4930", "tel:+4930", true},
	} {
		a, err := transport.ParseURI(c.a)
		if err != nil {
			t.Fatal(err)
		}
		b, err := transport.ParseURI(c.b)
		if err != nil {
			t.Fatal(err)
		}
		if a.Equal(b) != c.same || b.Equal(a) != c.same {
			t.Errorf("%s and %s: not %v", c.a, c.b, c.same)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ in, display, uri, tag string }{
		{`"Ada \"L\" \\ <x>" <sip:ada@example.org;lr>;tag=a1;x="a;b"`, `Ada "L" \ <x>`, "sip:ada@example.org;lr", "a1"},
		{`Ada Lovelace <sip:ada@example.org> ; TAG = a1`, "Ada Lovelace", "sip:ada@example.org", "a1"},
		{`Jürgen<sip:j@example.org>`, "Jürgen", "sip:j@example.org", ""},
		{`sip:ada@example.org;tag=a1`, "", "sip:ada@example.org", "a1"},
		{`<sip:ada@example.org;tag=no>`, "", "sip:ada@example.org;tag=no", ""},
		{`tel:+4930;tag=a1`, "", "tel:+4930", "a1"},
		{`"Ada <sip:ada@example.org>`, "", "", ""}, {`"Ada" sip:ada@example.org`, "", "", ""}, {`<sip:ada@example.org`, "", "", ""},
		{`Bell, A <sip:a@example.org>`, "", "", ""}, {`sip:a@example.org?x=y`, "", "", ""}, {`<sip:a@example.org> x`, "", "", ""},
		{`< sip:a@example.org >`, "", "", ""}, {``, "", "", ""}, {`>x<`, "", "", ""},
	} {
		a, err := transport.ParseAddress(c.in)
		if c.uri == "" {
			if err == nil {
				t.Errorf("%q: %+v", c.in, a)
			}
			continue
		}
		if err != nil || a.Display != c.display || a.URI.String() != c.uri || a.Tag() != c.tag {
			t.Errorf("%q: %v %+v", c.in, err, a)
		}
		again, err := transport.ParseAddress(a.String())
		if err != nil || again.Display != a.Display || again.URI != a.URI || again.Tag() != a.Tag() {
			t.Errorf("%q: %v %+v", a.String(), err, again)
		}
	}
}

func TestParams(t *testing.T) {
	p := transport.Params(`;a;b = "x;\"y" ;;+sip.instance="<urn:uuid:1>";Q=0.5`)
	for name, want := range map[string]string{"A": "", "b": `x;"y`, "+sip.instance": "<urn:uuid:1>", "q": "0.5"} {
		if got, ok := p.Get(name); !ok || got != want {
			t.Errorf("%s: %q %v", name, got, ok)
		}
	}
	if p.Has("c") || transport.Params("").Has("a") {
		t.Error("what is not there")
	}
}

func TestHeaders(t *testing.T) {
	r, err := transport.ParseRequest([]byte(wire(`
SUBSCRIBE sip:2002@example.org SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKx, SIP/2.0/TCP h.example.org;branch=z9hG4bKy
Max-Forwards: 70
f: <sip:2001@example.org>;tag=a
t: <sip:2002@example.org>
i: call-3
CSeq: 1 SUBSCRIBE
o: Dialog;id=4
u: presence, message-summary
k: eventlist,  100rel,
x: 1800;refresher=uac
b: <sip:boss@example.org>
r: <sip:x@example.org>
s: tea
e: gzip
m: <sip:a@192.0.2.7>;q=0.1, "B, b" <sip:b@192.0.2.7>
Expires: 99999999999
Accept: application/rlmi+xml
Accept: multipart/related;type="a,b"
c: Application/SDP ; charset=x
User-Agent: Phone/1
l: 0

`)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Event": "Dialog;id=4", "Allow-Events": "presence, message-summary", "Session-Expires": "1800;refresher=uac",
		"Referred-By": "<sip:boss@example.org>", "Refer-To": "<sip:x@example.org>", "subject": "tea", "Content-Encoding": "gzip", "X": "",
	} {
		if got := r.Header(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	event, params := r.Event()
	if id, _ := params.Get("id"); event != "dialog" || id != "4" {
		t.Error(event, params)
	}
	if n, ok := r.Seconds("Expires"); !ok || n != 1<<32-1 {
		t.Error(n, ok)
	}
	if _, ok := r.Seconds("Min-Expires"); ok {
		t.Error("there is none")
	}
	contacts, star, err := r.Contacts()
	if err != nil || star || len(contacts) != 2 || contacts[1].Display != "B, b" {
		t.Error(contacts, star, err)
	}
	if got := r.Values("Accept"); len(got) != 2 || got[1] != `multipart/related;type="a,b"` {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"Accept", "Via", "Route"} {
		if got, want := r.Count(name), len(r.Values(name)); got != want {
			t.Errorf("%s: %d elements, want %d", name, got, want)
		}
	}
	if got := r.Values("Via"); len(got) != 2 || r.Via().Branch() != "z9hG4bKx" {
		t.Errorf("%q", got)
	}
	if !r.Names("Supported", "EventList") || r.Names("Supported", "path") || r.Has("Require") {
		t.Error("Supported")
	}
	if r.ContentType() != "application/sdp" || r.UserAgent() != "Phone/1" || r.CSeq() != 1 || !r.Initial() || r.MaxForwards() != 70 {
		t.Errorf("%+v", r)
	}
}

func TestContactStar(t *testing.T) {
	for contact, want := range map[string]struct{ star, bad bool }{
		"*": {true, false}, "*, <sip:a@b>": {false, true}, "<sip:a@b>": {false, false}, "x": {false, true}, "": {false, false},
	} {
		r, err := transport.ParseRequest([]byte(wire("REGISTER sip:x SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\nMax-Forwards: 1\nFrom: <sip:a@b>;tag=1\nTo: <sip:a@b>\nCall-ID: 1\nCSeq: 1 REGISTER\nContact: " +
			contact + "\nContent-Length: 0\n\n")))
		if err != nil {
			t.Fatal(err)
		}
		if _, star, err := r.Contacts(); star != want.star || (err != nil) != want.bad {
			t.Errorf("%q: %v %v", contact, star, err)
		}
	}
}
