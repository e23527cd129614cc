package call

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// BenchmarkCall is a call over loopback, INVITE, 180, 200, ACK, BYE and 200, one at a
// time: cpu-µs/op is what the process used for it, with the kernel and the two phones
// in it, which are as cheap as they can be. Credentials are not in it.
func BenchmarkCall(b *testing.B) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	devices := device.NewRegister(nobody{}, device.Config{Domain: "x"})
	for _, d := range all {
		if _, err := devices.Add(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
	tr, err := transport.New(transport.Options{
		Config: transport.Config{Listen: []string{"127.0.0.1:0"}, Limits: transport.Limits{Transactions: 1 << 20}}, Hosts: []string{"x"}, Log: log,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := tr.Listen(); err != nil {
		b.Fatal(err)
	}
	us := tr.Addrs(transport.UDP)[0]
	caller, called := benchPhone(b, us), benchPhone(b, us)
	there := []*registrar.Binding{{
		ID: 1, AOR: "2002@x", Contact: "sip:2002@" + called.LocalAddr().String(), Q: 1000,
		Flow: registrar.Flow{Remote: called.LocalAddr().(*net.UDPAddr).AddrPort(), Local: us},
	}}
	changes := 0
	bindings := func(aor string) []*registrar.Binding {
		if aor == "2002@x" {
			return there
		}
		return nil
	}
	p := New(Parts{
		Transport: tr, Who: func(*transport.Request) (string, []transport.Field, bool) { return "2001", nil, true },
		Devices: devices.Picture, Domain: func(host string) (string, bool) { return host, host == "x" }, Bindings: bindings,
		Router: &Plain{Bindings: bindings, Domain: "x"}, Store: &drawer{all: map[uint64]*Dialog{}},
		OnChange: func(string, []dialoginfo.Live) { changes++ }, Log: log,
	}, Config{})
	p.Serve()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { tr.Run(ctx) })
	work.Go(func() { p.Run(ctx) })
	work.Go(func() { answerCalls(called) })
	defer work.Wait()
	defer cancel()
	defer called.Close()
	defer caller.Close()
	before := cpuTime()
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		makeCall(b, caller, n)
	}
	b.StopTimer()
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	if changes < 6*b.N {
		b.Errorf("%d changes of %d calls", changes, b.N)
	}
}

func benchPhone(b *testing.B, us netip.AddrPort) *net.UDPConn {
	c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, net.UDPAddrFromAddrPort(us))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const benchSDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8\r\n"

// makeCall makes one call and ends it.
func makeCall(b *testing.B, c *net.UDPConn, n int) {
	at := c.LocalAddr().String()
	send := func(method, uri, rest, to, body string) {
		cseq := 1
		if method == "BYE" {
			cseq = 2
		}
		fmt.Fprintf(c, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\n%sFrom: <sip:2001@x>;tag=a%d\r\n"+
			"To: %s\r\nCall-ID: call-%d@x\r\nCSeq: %d %s\r\nContact: <sip:2001@%s>\r\nContent-Length: %d\r\n\r\n%s",
			method, uri, at, method, n, rest, n, to, n, cseq, method, at, len(body), body)
	}
	send("INVITE", "sip:2002@x", "Content-Type: application/sdp\r\n", "<sip:2002@x>", benchSDP)
	answer := readFinal(b, c)
	var routes, to, contact string
	for _, line := range strings.Split(answer, "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Record-Route":
			routes = "Route: " + value + "\r\n" + routes
		case "To":
			to = value
		case "Contact":
			contact = strings.Trim(value, "<>")
		}
	}
	send("ACK", contact, routes, to, "")
	send("BYE", contact, routes, to, "")
	readFinal(b, c)
}

func readFinal(b *testing.B, c *net.UDPConn) string {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			b.Fatal(err)
		}
		if text := string(buf[:n]); strings.HasPrefix(text, "SIP/2.0 200") {
			return text
		} else if !strings.HasPrefix(text, "SIP/2.0 1") {
			b.Fatal(text)
		}
	}
}

// answerCalls rings and answers, until the socket is closed.
func answerCalls(c *net.UDPConn) {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		method, _, _ := bytes.Cut(buf[:n], []byte(" "))
		if string(method) == "ACK" {
			continue
		}
		var rest strings.Builder
		for _, line := range strings.SplitAfter(string(buf[:n]), "\r\n") {
			switch name, value, _ := strings.Cut(line, ": "); name {
			case "Via", "From", "Call-ID", "CSeq", "Record-Route":
				rest.WriteString(line)
			case "To":
				if value = strings.TrimSpace(value); !strings.Contains(value, ";tag=") {
					value += ";tag=t"
				}
				rest.WriteString("To: " + value + "\r\n")
			}
		}
		if string(method) == "INVITE" {
			fmt.Fprintf(c, "SIP/2.0 180 Ringing\r\n%sContact: <sip:2002@%s>\r\nContent-Length: 0\r\n\r\n", rest.String(), c.LocalAddr())
			fmt.Fprintf(c, "SIP/2.0 200 OK\r\n%sContact: <sip:2002@%s>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
				rest.String(), c.LocalAddr(), len(benchSDP), benchSDP)
			continue
		}
		fmt.Fprintf(c, "SIP/2.0 200 OK\r\n%sContent-Length: 0\r\n\r\n", rest.String())
	}
}
