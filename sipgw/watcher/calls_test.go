package watcher

import (
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

// Who comes from where a PBX is, is the PBX, unless it is a browser: a web server beside
// the PBX lets in anybody.
func TestCallsFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &siptest.Network{}
		tr, err := transport.New(transport.Options{Network: net, Config: transport.Config{
			Listen: []string{"192.0.2.1:5060"}, ListenWS: []string{"192.0.2.1:80"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan transport.Flow, 1)
		tr.Handle("INVITE", func(r *transport.Request) { heard <- r.Flow() })
		if err := tr.Listen(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- tr.Run(ctx) }()
		u := Upstream{Name: "hq", CallsFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")}}
		w := &Watcher{places: map[string]*place{"hq": {hosts: map[netip.Addr]struct{}{netip.MustParseAddr("192.0.2.9"): {}}}}}
		for _, c := range []struct {
			from, to, via string
			want          bool
		}{
			{"192.0.2.9:5060", "192.0.2.1:5060", "TCP", true},
			{"192.0.2.10:5060", "192.0.2.1:5060", "TCP", false},
			{"192.0.2.9:5061", "192.0.2.1:80", "WS", false},
		} {
			nc, err := net.DialFrom(t.Context(), netip.MustParseAddrPort(c.from), netip.MustParseAddrPort(c.to))
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ReplaceAll("INVITE sip:2001@192.0.2.1 SIP/2.0\nVia: SIP/2.0/"+c.via+" 192.0.2.9;branch=z9hG4bK"+c.from+
				"\nMax-Forwards: 70\nFrom: <sip:boss@hq>;tag=1\nTo: <sip:2001@192.0.2.1>\nCall-ID: "+c.from+
				"\nCSeq: 1 INVITE\nContact: <sip:a@192.0.2.9>\nContent-Length: 0\n\n", "\n", "\r\n")
			if c.via == "WS" {
				write(t, nc, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
					"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
				if n, err := nc.Read(make([]byte, 4096)); n == 0 {
					t.Fatal(err)
				}
				text = frame(text)
			}
			write(t, nc, text)
			synctest.Wait()
			select {
			case f := <-heard:
				waiting := len(w.whose(f)) == 1
				if got := u.Calls(f); got != c.want || waiting != c.want {
					t.Errorf("by %v from %s: %v and %v, want %v", c.via, c.from, got, waiting, c.want)
				}
			default:
				t.Errorf("by %v from %s nothing was heard", c.via, c.from)
			}
			nc.Close()
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func write(t *testing.T, to io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatal(err)
	}
}

// frame is a text as a browser sends it, masked with zeros.
func frame(text string) string {
	b := binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
	return string(append(append(b, 0, 0, 0, 0), text...))
}
