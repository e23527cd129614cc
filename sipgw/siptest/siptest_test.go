package siptest

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The example of RFC 7616 §3.9.1.
func TestCredentials(t *testing.T) {
	const rest = `realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	for algorithm, want := range map[string]string{
		"MD5":     "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
		"":        "8ca523f5e9506fed4657c9700eebdbec",
		"SHA-3":   "",
	} {
		challenge := "Digest " + rest
		if algorithm != "" {
			challenge += ", algorithm=" + algorithm
		}
		got := credentials(challenge, "GET", "/dir/index.html", "Mufasa", "Circle of Life", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %s", algorithm, got)
		}
	}
	// RFC 2617 §3.2.2.1, without qop: computed by another program.
	got := credentials(`Digest realm="r", nonce="n"`, "REGISTER", "sip:x", "u", "p", "", 1)
	if !strings.HasSuffix(got, `response="f1360bea1a4221b5ee937bec4052dd1b"`) {
		t.Error(got)
	}
}

func TestList(t *testing.T) {
	got := list([]string{`<sip:a;lr>, <sip:b,c;lr>;x=1,<sip:d>`, `<sip:e>`})
	if want := []string{"<sip:a;lr>", "<sip:b,c;lr>;x=1", "<sip:d>", "<sip:e>"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestParse(t *testing.T) {
	from := netip.MustParseAddrPort("192.0.2.1:5060")
	m, err := parse("NOTIFY sip:a@b SIP/2.0\r\no: presence\r\ni: 1\r\nl: 2\r\n\r\nhi", from)
	if err != nil || m.Header("Event") != "presence" || m.Body != "hi" || m.From != from {
		t.Errorf("%v %+v", err, m)
	}
	for _, bad := range []string{
		"", "x\r\n\r\n", "NOTIFY sip:a@b HTTP/1.1\r\nl: 0\r\n\r\n", "NOTIFY sip:a@b SIP/2.0\r\nl: 3\r\n\r\nhi",
		"NOTIFY sip:a@b SIP/2.0\r\nbad\r\nl: 0\r\n\r\n", "SIP/2.0 x OK\r\nl: 0\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n",
	} {
		if _, err := parse(bad, from); err == nil {
			t.Errorf("%q", bad)
		}
	}
}

func TestNetwork(t *testing.T) {
	n := &Network{}
	a, err := n.Packets("192.0.2.1:5060")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Packets("192.0.2.1:5060"); err == nil {
		t.Error("an address is taken once")
	}
	b, err := n.Packets("192.0.2.2:0")
	if err != nil {
		t.Fatal(err)
	}
	n.Lose(func(_, _ netip.AddrPort, data []byte) bool { return string(data) == "lost" })
	for _, text := range []string{"lost", "found"} {
		b.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort("192.0.2.1:5060"))
	}
	buf := make([]byte, 10)
	size, from, err := a.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:size]) != "found" || from != b.at {
		t.Error(string(buf[:size]), from, err)
	}
	a.Close()
	if _, _, err := a.ReadFromUDPAddrPort(buf); err == nil {
		t.Error("it is closed")
	}
	b.WriteToUDPAddrPort([]byte("nobody"), netip.MustParseAddrPort("192.0.2.1:5060"))
	b.Close()
}

// A question is sent again until it is answered, and goes through a challenge; what is
// asked of a phone again is answered as before.
func TestAsk(t *testing.T) {
	gateway := netip.MustParseAddrPort("127.0.0.1:0")
	server, err := Loopback{}.ListenPacket(gateway.String())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	var heard []string
	p, err := NewPhone(Loopback{}, Options{
		User: "a", Domain: "x", Password: "p", At: netip.MustParseAddrPort("127.9.8.7:0"), Gateway: at,
		Heard: func(mark, text string) { heard = append(heard, mark+strings.SplitN(text, " ", 2)[0]) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	go func() {
		buf := make([]byte, 4096)
		for i := range 3 { // the first is lost, the second challenged, the third is granted
			n, from, err := server.ReadFromUDPAddrPort(buf)
			m, bad := parse(string(buf[:n]), from)
			if err != nil || bad != nil || i == 0 {
				continue
			}
			res := &Message{Status: 401, Reason: "No", Fields: m.Fields}
			if i == 2 {
				res.Status = 200
			} else {
				res.Fields = append(slices.Clone(m.Fields), Field{"WWW-Authenticate", `Digest realm="x", nonce="n", qop="auth"`})
			}
			server.WriteToUDPAddrPort([]byte(res.String()), from)
		}
	}()
	res, err := p.Ask(t.Context(), &Message{Method: "REGISTER", URI: "sip:x"})
	if err != nil || res.Status != 200 || len(p.Unread()) != 0 {
		t.Fatal(res, err)
	}
	if want := []string{">REGISTER", ">REGISTER", "<SIP/2.0", ">REGISTER", "<SIP/2.0"}; !slices.Equal(heard, want) {
		t.Error(heard)
	}
}
