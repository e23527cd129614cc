package transport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The requests of the benchmarks, as phones send them.
const benchRegister = `REGISTER sip:example.org SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%08d;rport
Max-Forwards: 70
From: "Ada Lovelace" <sip:2001@example.org>;tag=1928301774
To: "Ada Lovelace" <sip:2001@example.org>
Call-ID: a84b4c76e66710@pc33.example.org
CSeq: %d REGISTER
Contact: <sip:2001@127.0.0.1:5062;ob>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>";reg-id=1
Authorization: Digest username="2001", realm="example.org", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="sip:example.org", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, qop=auth, nc=00000001, cnonce="0a4f113b"
Expires: 3600
Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO
Supported: outbound, path, gruu
User-Agent: Phone/1.0
Content-Length: 0

`

func benchTransport(b *testing.B, serve func(*Transport)) *Transport {
	t, err := New(Options{Config: Config{Listen: []string{"127.0.0.1:0"}, Limits: Limits{Transactions: 1 << 20}}})
	if err != nil {
		b.Fatal(err)
	}
	serve(t)
	if err := t.Listen(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { t.Run(ctx); close(done) }()
	b.Cleanup(func() { cancel(); <-done })
	return t
}

func answerRegister(r *Request) {
	if _, _, err := r.Contacts(); err != nil || r.Header("Authorization") == "" {
		r.Respond(400, "")
		return
	}
	r.Respond(200, "", Field{"Contact", r.Header("Contact") + ";expires=3600"}, Field{"Date", "Sat, 13 Nov 2010 23:29:00 GMT"})
}

// A sink is a link that takes everything.
type sink struct{ wire wire }

func (s *sink) about() *wire                        { return &s.wire }
func (*sink) send(_ []byte, _ netip.AddrPort) error { return nil }

// BenchmarkRegister is what a refresh costs without the socket: parsing, checks,
// the transaction, the answer.
func BenchmarkRegister(b *testing.B) {
	t := benchTransport(b, func(t *Transport) { t.Handle("REGISTER", Endpoint(answerRegister)) })
	from := Flow{&sink{}, netip.MustParseAddrPort("127.0.0.1:5062")}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		t.receive(crlfs(fmt.Sprintf(benchRegister, 5062, n, n&0xfffffff)), from)
	}
}

func crlfs(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// BenchmarkMakeRegister is what making the request costs in the benchmarks here,
// to be taken off.
func BenchmarkMakeRegister(b *testing.B) {
	for n := 0; b.Loop(); n++ {
		crlfs(fmt.Sprintf(benchRegister, 5062, n, n&0xfffffff))
	}
}

// BenchmarkParseRegister is the parser and the checks alone.
func BenchmarkParseRegister(b *testing.B) {
	data := crlfs(fmt.Sprintf(benchRegister, 5062, 1, 1))
	b.ReportAllocs()
	for b.Loop() {
		if r, _, err := parse(data); err != nil || r.check().status != 0 {
			b.Fatal(err)
		}
	}
}

// BenchmarkRegisterUDP is a refresh over loopback, both sides and the kernel in
// it: cpu-µs/op is what the process used.
func BenchmarkRegisterUDP(b *testing.B) {
	t := benchTransport(b, func(t *Transport) { t.Handle("REGISTER", Endpoint(answerRegister)) })
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(t.Addrs(UDP)[0]))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	port := conn.LocalAddr().(*net.UDPAddr).Port
	buf := make([]byte, 4096)
	pipelined(b, func(n int) {
		if _, err := conn.Write(crlfs(fmt.Sprintf(benchRegister, port, n, n&0xfffffff))); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := conn.Read(buf); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkEchoUDP is the same without SIP: what the two sockets cost by
// themselves, and the making of the requests.
func BenchmarkEchoUDP(b *testing.B) {
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer pc.Close()
	go func() {
		buf := make([]byte, 1<<16)
		for {
			n, from, err := pc.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			pc.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	conn, err := net.DialUDP("udp", nil, pc.LocalAddr().(*net.UDPAddr))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 4096)
	pipelined(b, func(n int) { conn.Write(crlfs(fmt.Sprintf(benchRegister, 1, n, n&0xfffffff))) }, func() { conn.Read(buf) })
}

// pipelined keeps some requests under way, as a busy gateway sees them, and
// reports the CPU time.
func pipelined(b *testing.B, send func(int), receive func()) {
	const ahead = 32
	before := cpu()
	b.ResetTimer()
	sent := 0
	for ; sent < b.N && sent < ahead; sent++ {
		send(sent)
	}
	for n := 0; n < b.N; n++ {
		receive()
		if sent < b.N {
			send(sent)
			sent++
		}
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const benchPIDF = `<?xml version="1.0" encoding="UTF-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:alice@example.org"><tuple id="ID-merged"><status><basic>open</basic></status><note>On the phone</note></tuple><dm:person id="p1"><rpid:activities><rpid:on-the-phone/></rpid:activities></dm:person></presence>`

func benchNotify(n int, f Flow) Outgoing {
	return Outgoing{
		Method: "NOTIFY", URI: "sip:2002@127.0.0.1:5062;ob", From: `<sip:alice@example.org>;tag=4711abc`,
		To: `<sip:2002@example.org>;tag=881`, CallID: "sub-77@127.0.0.1", CSeq: uint32(n), Contact: "auto", Flow: f,
		Fields:      []Field{{"Event", "presence"}, {"Subscription-State", "active;expires=3300"}},
		ContentType: "application/pidf+xml", Body: []byte(benchPIDF),
	}
}

// BenchmarkNotifyUDP sends NOTIFYs over loopback to a phone that answers 200 by
// copying the headers: cpu-µs/op is both sides.
func BenchmarkNotifyUDP(b *testing.B) {
	t := benchTransport(b, func(*Transport) {})
	phone, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer phone.Close()
	go answering(phone)
	f := Flow{t.udp[0], phone.LocalAddr().(*net.UDPAddr).AddrPort()}
	got := make(chan error, 64)
	pipelined(b, func(n int) {
		t.Start(benchNotify(n, f), func(_ *Response, err error) { got <- err })
	}, func() {
		if err := <-got; err != nil {
			b.Fatal(err)
		}
	})
}

// answering is a phone that says 200 to everything, as cheaply as can be.
func answering(pc *net.UDPConn) {
	in, out := make([]byte, 1<<16), make([]byte, 0, 4096)
	for {
		n, from, err := pc.ReadFromUDPAddrPort(in)
		if err != nil {
			return
		}
		head, _, _ := strings.Cut(string(in[:n]), "\r\n\r\n")
		out = append(out[:0], "SIP/2.0 200 OK\r\n"...)
		for _, line := range strings.Split(head, "\r\n")[1:] {
			if strings.HasPrefix(line, "Via") || strings.HasPrefix(line, "From") || strings.HasPrefix(line, "To") ||
				strings.HasPrefix(line, "Call-ID") || strings.HasPrefix(line, "CSeq") {
				out = append(append(out, line...), crlf...)
			}
		}
		pc.WriteToUDPAddrPort(append(out, "Content-Length: 0\r\n\r\n"...), from)
	}
}

// BenchmarkStorm is a request over the limit: what a flood costs for each.
func BenchmarkStorm(b *testing.B) {
	t := benchTransport(b, func(*Transport) {})
	t.Reload(Limits{Rate: 10, Burst: 60, AddressRate: 200, AddressBurst: 2000})
	var from [10]Flow
	for i := range from {
		from[i] = Flow{&sink{}, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(i + 1)}), 5060)}
	}
	data := crlfs(strings.Replace(fmt.Sprintf(benchRegister, 5062, 1, 1), "REGISTER", "SUBSCRIBE", 2))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		t.receive(data, from[n%10])
	}
}
