package door

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/digest"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// BenchmarkRegister is a refresh with credentials, from the bytes on: parsing,
// digest, registrar, and the fields of the answer. The socket is not in it.
func BenchmarkRegister(b *testing.B) {
	const devices = 1000
	secrets := digest.HA1("2001", "x", "secret of 2001")
	d := New(Parts{
		Verifier:  digest.New(digest.Config{Realm: "x"}),
		Registrar: registrar.New(registrar.Parts{Store: nothing{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, registrar.Config{}),
		Secrets:   func(string) (digest.Secrets, bool) { return secrets, true },
		Domain:    func(string) (string, bool) { return "x", true },
		May:       func(string, string) bool { return true },
	})
	p := &phone{user: "2001", secret: "secret of 2001"}
	p.nonce = nonceIn.FindStringSubmatch(d.parts.Verifier.Challenge(time.Now(), false)[0])[1]
	requests, aors := make([][]byte, devices), make([]string, devices)
	for i := range requests {
		aors[i] = fmt.Sprintf("%d@x", i)
		requests[i] = []byte(strings.ReplaceAll(fmt.Sprintf(`REGISTER sip:x SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK%d;rport
Max-Forwards: 70
From: "Ada" <sip:%d@x>;tag=1928301774
To: "Ada" <sip:%d@x>
Call-ID: a84b4c76e66710@pc33.example.org
CSeq: %d REGISTER
Contact: <sip:%d@192.0.2.7:5060;ob>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"
Expires: 300
%s
User-Agent: Phone/1.0
Content-Length: 0

`, i, i, i, i+1, i, p.auth("REGISTER", "sip:x")), "\n", "\r\n"))
	}
	granted := 0
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		r, err := transport.ParseRequest(requests[i%devices])
		if err != nil {
			b.Fatal(err)
		}
		// What comes again is a replay from the second round on: so the parts are called
		// as Register does.
		if _, _, ok := d.Who(r); ok {
			granted++
		}
		reg, err := registration(r, aors[i%devices])
		if err != nil {
			b.Fatal(err)
		}
		reg.CSeq = uint32(i + 1)
		now := time.Now()
		got := d.parts.Registrar.Register(now, reg)
		if got.Status != 200 || len(answer(r, got, now)) == 0 {
			b.Fatalf("%+v", got)
		}
	}
	if granted < min(b.N, devices) {
		b.Fatalf("%d were granted", granted)
	}
}
