package transport

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

// A keeping link keeps what is sent.
type keeping struct {
	wire wire
	sent [][]byte
}

func (k *keeping) about() *wire { return &k.wire }

func (k *keeping) send(data []byte, _ netip.AddrPort) error {
	k.sent = append(k.sent, append([]byte(nil), data...))
	return nil
}

// FuzzReceive has anything come as a datagram: nothing may panic, and whatever is
// answered can be read and brings in no line of its own.
func FuzzReceive(f *testing.F) {
	raw, err := os.ReadFile("testdata/torture.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, part := range strings.Split(string(raw), "\n=== ")[1:] {
		_, text, _ := strings.Cut(part, "\n")
		f.Add([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	}
	f.Add(crlfs(benchRegister))
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42transaction1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, err := New(Options{Config: Config{Advertise: "gw.example.org"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{"INVITE", "REGISTER", "SUBSCRIBE", "ACK"} {
			tr.Handle(m, Endpoint(func(r *Request) {
				r.Contacts()
				r.Event()
				r.Seconds("Expires")
				r.URI().AOR()
				r.PopRoute(tr)
				r.Respond(200, "", Field{"Contact", r.Header("Contact")})
			}))
		}
		k := &keeping{wire: wire{kind: UDP, host: "gw.example.org", port: 5060}}
		from := Flow{k, netip.MustParseAddrPort("192.0.2.7:5060")}
		tr.receive(data, from)
		if answer := stunAnswer(data, from); answer != nil && len(answer) != 32 {
			t.Fatalf("%x", answer)
		}
		for _, m := range k.sent {
			if _, res, err := parse(m); err == nil && res == nil {
				t.Fatalf("not an answer: %q", m)
			} else if err != nil && !strings.HasPrefix(string(m), "SIP/2.0 4") && !strings.HasPrefix(string(m), "SIP/2.0 5") {
				t.Fatalf("%v: %q", err, m)
			}
		}
		k.sent = nil
		if req, _, err := parse(data); err == nil && req != nil && req.check().status == 0 {
			req.flow = from
			tr.Pass(req, Leg{Flow: from, RecordRoute: []string{tr.RecordRoute(from)}})
			for _, m := range k.sent {
				// What was good stays good on its way, but for the hop that it has less.
				if again, _, err := parse(m); err != nil || again == nil || again.callID != req.callID {
					t.Fatalf("%v: %q became %q", err, data, m)
				}
			}
		}
	})
}

// FuzzStream cuts a stream into messages: all of it is taken or refused, in pieces
// of whatever size, with the same result.
func FuzzStream(f *testing.F) {
	f.Add([]byte("\r\n\r\nOPTIONS sip:a SIP/2.0\r\nl: 2\r\n\r\nhi\r\nOPTIONS sip:a SIP/2.0\r\nContent-Length : 0\r\n\r\n"), 3)
	f.Add([]byte("x\r\nl: 9999999\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		whole, wholeErr := cutAll(data, len(data))
		pieces, err := cutAll(data, max(1, size%64))
		if (err == nil) != (wholeErr == nil) || len(pieces) != len(whole) {
			t.Fatalf("%d messages and %v, or in pieces %d and %v", len(whole), wholeErr, len(pieces), err)
		}
		for i := range whole {
			if whole[i] != pieces[i] {
				t.Fatalf("%q, or in pieces %q", whole[i], pieces[i])
			}
		}
	})
}

func cutAll(data []byte, size int) (out []string, err error) {
	f := framer{most: 1 << 12}
	for len(data) > 0 {
		n := min(size, len(data))
		f.buf = append(f.buf, data[:n]...)
		data = data[n:]
		for {
			msg, ping, err := f.next()
			if err != nil {
				return out, err
			}
			if ping {
				continue
			}
			if msg == nil {
				break
			}
			out = append(out, string(msg))
		}
	}
	return out, nil
}

// FuzzAddress reads an address, and what is written of it again.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{`"Ada \"L\"" <sip:ada:x@[::1]:5060;lr?a=b>;tag=1`, `sip:a@b;tag=x`, `A B <tel:+49>`, `*`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil || !isClean(s) {
			return
		}
		again, err := ParseAddress(a.String())
		if err != nil || again.URI != a.URI || again.Display != a.Display {
			t.Fatalf("%q is %+v, and written %q it is %+v: %v", s, a, a.String(), again, err)
		}
		a.URI.AOR()
		ParseVia(s)
		for range a.Params.All() {
			Seconds(string(a.Params))
		}
	})
}

// FuzzFrame reads WebSocket frames.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x81\x82\x01\x02\x03\x04ab"))
	f.Add([]byte("\x81\xfe\x00\x02\x01\x02\x03\x04ab"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := strings.NewReader(string(data))
		for {
			got, err := readFrame(r, 1000)
			if err != nil {
				return
			}
			if len(got.data) > 1000 {
				t.Fatal(len(got.data))
			}
		}
	})
}

// FuzzToken takes tokens that anybody may have made.
func FuzzToken(f *testing.F) {
	tr, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	tr.udp = []*udpLink{{t: tr, wire: wire{local: netip.MustParseAddrPort("192.0.2.1:5060")}}}
	f.Add(tr.Token(Flow{tr.udp[0], netip.MustParseAddrPort("192.0.2.7:5060")}))
	f.Fuzz(func(t *testing.T, s string) {
		if flow, ok := tr.FlowOf(s); ok && tr.Token(flow) != s {
			t.Fatalf("%q is taken for %v", s, flow)
		}
	})
}
