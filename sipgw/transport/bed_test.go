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
		defer running.Wait()
		defer cancel()
		test(b)
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
	return u
}

func (u *peer) close() { u.p.Close(); u.done.Wait() }

func (u *peer) send(text string) { u.sendRaw(wire(text)) }

func (u *peer) sendRaw(text string) {
	u.p.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort(gateway))
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

// one is the only message that has come since the last time.
func (u *peer) one() string {
	u.b.t.Helper()
	got := u.take()
	if len(got) != 1 {
		u.b.t.Fatalf("%d messages came, and not one: %q", len(got), got)
	}
	return got[0]
}

// starts fails unless a message starts as it should, and returns it.
func (b *bed) starts(msg, with string) string {
	b.t.Helper()
	if !strings.HasPrefix(msg, with) {
		b.t.Fatalf("expected %s, and there came\n%s", with, msg)
	}
	return msg
}

// value is the value of the first header of a name.
func value(msg, name string) string {
	for _, v := range values(msg, name) {
		return v
	}
	return ""
}

func values(msg, name string) (out []string) {
	head, _, _ := strings.Cut(msg, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if n, v, _ := strings.Cut(line, ": "); n == name {
			out = append(out, v)
		}
	}
	return out
}

// answer makes a response to a request that came to a peer.
func answer(req string, status string, fields ...string) string {
	to := value(req, "To")
	if !strings.Contains(to, "tag=") {
		to += ";tag=peer"
	}
	b := "SIP/2.0 " + status + "\r\n"
	for _, v := range values(req, "Via") {
		b += "Via: " + v + "\r\n"
	}
	for _, v := range values(req, "Record-Route") {
		b += "Record-Route: " + v + "\r\n"
	}
	b += "From: " + value(req, "From") + "\r\nTo: " + to + "\r\nCall-ID: " + value(req, "Call-ID") + "\r\nCSeq: " + value(req, "CSeq") + "\r\n"
	for _, f := range fields {
		b += f + "\r\n"
	}
	return b + "Content-Length: 0\r\n\r\n"
}

// sleep lets time pass, and lets all that comes of it happen.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
