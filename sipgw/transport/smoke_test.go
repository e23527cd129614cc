package transport_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

// A bed is a transport on a network in memory, and who talks to it.
type bed struct {
	t   *testing.T
	net *siptest.Network
	tr  *transport.Transport
}

const (
	gateway = "192.0.2.1:5060"
	phoneAt = "192.0.2.7:5060"
)

// play runs a test in a bubble with a transport whose handlers set makes.
func play(t *testing.T, o transport.Options, set func(*bed), test func(*bed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &siptest.Network{}
		o.Network = n
		if o.Config.Listen == nil {
			o.Config.Listen = []string{gateway}
		}
		tr, err := transport.New(o)
		if err != nil {
			t.Fatal(err)
		}
		b := &bed{t, n, tr}
		if set != nil {
			set(b)
		}
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
		test(b)
		cancel()
		running.Wait()
	})
}

// A peer is a socket that talks to the transport.
type peer struct {
	b    *bed
	p    *siptest.Packets
	at   netip.AddrPort
	mu   sync.Mutex
	got  []string
	done sync.WaitGroup
}

func (b *bed) peer(addr string) *peer {
	b.t.Helper()
	p, err := b.net.Packets(addr)
	if err != nil {
		b.t.Fatal(err)
	}
	u := &peer{b: b, p: p, at: netip.MustParseAddrPort(addr)}
	u.done.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, _, err := p.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			u.mu.Lock()
			u.got = append(u.got, string(buf[:n]))
			u.mu.Unlock()
		}
	})
	b.t.Cleanup(func() {})
	return u
}

func (u *peer) close() { u.p.Close(); u.done.Wait() }

func (u *peer) send(text string) {
	u.p.WriteToUDPAddrPort([]byte(wire(text)), netip.MustParseAddrPort(gateway))
	synctest.Wait()
}

// wire is a message as it is sent, of one that is written with line feeds. A
// Content-Length is added where there is none.
func wire(text string) string {
	text = strings.TrimLeft(text, "\n")
	return strings.ReplaceAll(text, "\n", "\r\n")
}

// take returns what has come since the last time.
func (u *peer) take() []string {
	synctest.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	out := u.got
	u.got = nil
	return out
}

const register = `
REGISTER sip:example.org SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKreg1;rport
Max-Forwards: 70
f: <sip:2001@example.org>;tag=a
t: <sip:2001@example.org>
i: call-1
CSeq: 1 REGISTER
m: <sip:2001@192.0.2.7:5060>;expires=3600
l: 0

`

func TestAnswersAgainWhatComesAgain(t *testing.T) {
	asked := 0
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("REGISTER", func(r *transport.Request) {
			asked++
			contacts, _, err := r.Contacts()
			if err != nil || len(contacts) != 1 {
				t.Error(contacts, err)
			}
			r.Respond(200, "", transport.Field{Name: "Contact", Value: r.Header("Contact")})
		})
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(register)
		first := u.take()
		if len(first) != 1 || !strings.HasPrefix(first[0], "SIP/2.0 200 OK\r\n") {
			t.Fatalf("%q", first)
		}
		if !strings.Contains(first[0], "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKreg1;received=192.0.2.7;rport=5060\r\n") {
			t.Errorf("%s", first[0])
		}
		u.send(register)
		if again := u.take(); len(again) != 1 || again[0] != first[0] || asked != 1 {
			t.Fatalf("%d: %q", asked, again)
		}
		time.Sleep(40 * time.Second)
		u.send(register)
		if u.take(); asked != 2 {
			t.Error(asked)
		}
	})
}
