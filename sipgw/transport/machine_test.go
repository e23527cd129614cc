package transport_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"rollcall/sipgw/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Everything else is tested in memory; this is the machine's own network.
func TestOnTheMachine(t *testing.T) {
	tr, err := transport.New(transport.Options{Config: transport.Config{Listen: []string{"127.0.0.1:0"}}})
	if err != nil {
		t.Fatal(err)
	}
	var arrived []string
	var mu sync.Mutex
	tr.Handle("MESSAGE", func(r *transport.Request) {
		mu.Lock()
		arrived = append(arrived, r.Flow().String())
		mu.Unlock()
		r.Respond(200, "")
	})
	if err := tr.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := tr.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer cancel()

	udp, tcp := tr.Addrs(transport.UDP), tr.Addrs(transport.TCP)
	if len(udp) != 1 || len(tcp) != 1 || udp[0] != tcp[0] {
		t.Fatal(udp, tcp)
	}
	for _, network := range []string{"udp", "tcp"} {
		nc, err := net.Dial(network, udp[0].String())
		if err != nil {
			t.Fatal(err)
		}
		text := wire(numbered(register, "MESSAGE", len(network)))
		if network == "tcp" {
			text = strings.Replace(wire(numbered(register, "MESSAGE", 9)), "/UDP", "/TCP", 1)
		}
		if _, err := io.WriteString(nc, text); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := nc.Read(buf)
		if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 200 OK\r\n") {
			t.Errorf("%v: %s", err, buf[:n])
		}
		nc.Close()
	}
	// It can send to itself by either way.
	for _, uri := range []string{"sip:x@" + udp[0].String(), "sip:x@" + udp[0].String() + ";transport=tcp"} {
		o := outgoing("MESSAGE")
		o.URI = uri
		if res, err := tr.Send(ctx, o); err != nil || res.Status() != 200 {
			t.Errorf("%s: %v", uri, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(arrived) != 4 || !strings.HasPrefix(arrived[0], "UDP 127.0.0.1:") || !strings.HasPrefix(arrived[3], "TCP 127.0.0.1:") {
		t.Error(arrived)
	}
	second, err := transport.New(transport.Options{Config: transport.Config{Listen: []string{udp[0].String()}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Listen(); err == nil || !strings.Contains(err.Error(), "SIP cannot listen at "+udp[0].String()) {
		t.Errorf("the port is taken: %v", err)
	}
}
