package transport_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/transport"
)

// limited are limits that a test can reach.
func limited(trusted ...netip.Prefix) transport.Options {
	return transport.Options{Config: transport.Config{Limits: transport.Limits{
		Rate: 1, Burst: 5, AddressRate: 10, AddressBurst: 12, Trusted: trusted, Headers: 30,
	}}}
}

// numbered is a request with a branch of its own.
func numbered(text, method string, n int) string {
	return strings.NewReplacer("REGISTER", method, "reg1", fmt.Sprint("reg", n), "call-1", fmt.Sprint("call", n)).Replace(text)
}

func statuses(got []string) map[string]int {
	out := map[string]int{}
	for _, m := range got {
		out[strings.Fields(m)[1]]++
	}
	return out
}

// What comes too fast is dropped, and the sender told once in a second. Other
// requests of the same phone, and other phones behind the same NAT, go on.
func TestStormOfOnePhone(t *testing.T) {
	play(t, limited(), func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		u, neighbour := b.peer("198.51.100.9:33000"), b.peer("198.51.100.9:33001")
		defer u.close()
		defer neighbour.close()
		for n := range 100 {
			u.send(numbered(register, "REGISTER", n))
		}
		got := u.take()
		if s := statuses(got); s["200"] != 5 || s["503"] != 1 || len(got) != 6 {
			t.Fatalf("%v", s)
		}
		if value(got[5], "Retry-After") == "" {
			t.Errorf("%s", got[5])
		}
		u.send(numbered(register, "MESSAGE", 200))
		neighbour.send(numbered(register, "REGISTER", 201))
		b.starts(u.one(), "SIP/2.0 200")
		b.starts(neighbour.one(), "SIP/2.0 200")
		b.tr.Reload(limited(netip.MustParsePrefix("198.51.100.0/24")).Config.Limits)
		for n := range 10 {
			u.send(numbered(register, "REGISTER", 400+n))
		}
		if s := statuses(u.take()); s["200"] != 10 {
			t.Errorf("%v", s)
		}
		b.tr.Reload(limited().Config.Limits)
		sleep(3 * time.Second)
		for n := range 10 {
			u.send(numbered(register, "REGISTER", 300+n))
		}
		if s := statuses(u.take()); s["200"] != 3 || s["503"] != 1 {
			t.Errorf("%v", s)
		}
	})
}

// An address has a share too, however many ports it sends from.
func TestStormOfManyPorts(t *testing.T) {
	play(t, limited(), func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		ok := 0
		for n := range 30 {
			u := b.peer(fmt.Sprintf("198.51.100.9:%d", 33000+n))
			u.send(numbered(register, "REGISTER", n))
			ok += statuses(u.take())["200"]
			u.close()
		}
		if ok != 12 {
			t.Errorf("%d got through", ok)
		}
	})
}

// All of a /64 is one customer; a trusted network is left alone.
func TestWhatCountsAsOneAddress(t *testing.T) {
	for _, c := range []struct {
		what    string
		addr    string // of the n-th sender
		trusted []netip.Prefix
		want    int
	}{
		{"one network", "[2001:db8::%x]:5060", nil, 12},
		{"many networks", "[2001:db8:0:%x::1]:5060", nil, 30},
		{"trusted", "[2001:db8::%x]:5060", []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}, 30},
	} {
		t.Run(c.what, func(t *testing.T) {
			o := limited(c.trusted...)
			o.Config.Listen = []string{gateway, "[2001:db8:ffff::1]:5060"}
			play(t, o, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
				ok := 0
				for n := range 30 {
					u := b.peer(fmt.Sprintf(c.addr, n+1))
					u.p.WriteToUDPAddrPort([]byte(wire(numbered(register, "REGISTER", n))), netip.MustParseAddrPort("[2001:db8:ffff::1]:5060"))
					ok += statuses(u.take())["200"]
					u.close()
				}
				if ok != c.want {
					t.Errorf("%d got through", ok)
				}
			})
		})
	}
}

// A flood from more sources than are remembered forgets some, and goes on.
func TestMoreSourcesThanPlaces(t *testing.T) {
	now := time.Now()
	g := transport.NewGate(transport.Limits{Rate: 1, Burst: 1, AddressRate: 1, AddressBurst: 1}, now)
	for n := range 100_000 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 5060)
		if !g.Pass(from, now) {
			t.Fatalf("%s is new", from)
		}
		if g.Pass(from, now) {
			t.Fatalf("%s has had its share", from)
		}
	}
	if ports, addrs := g.Size(); ports > 1<<14 || addrs > 1<<13 {
		t.Errorf("%d %d", ports, addrs)
	}
}

func TestSizes(t *testing.T) {
	play(t, limited(), func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(strings.Replace(register, "\nl: 0", strings.Repeat("\nX: y", 40), 1))
		b.starts(u.one(), "SIP/2.0 400 Too Many Headers")
		u.send(strings.Replace(register, "\nl: 0", "\nX: "+strings.Repeat("y", 1<<16-600)+"\nl: 0", 1))
		b.starts(u.one(), "SIP/2.0 200")
	})
	o := limited()
	o.Config.Limits.Message = 4096
	play(t, o, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(strings.Replace(register, "\nl: 0", "\nX: "+strings.Repeat("y", 5000)+"\nl: 0", 1))
		b.starts(u.one(), "SIP/2.0 513 Message Too Large")
	})
}

func TestKeepAlives(t *testing.T) {
	play(t, limited(), func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		for _, text := range []string{"\r\n\r\n", "\r\n", "\x00\x00\x00\x00", "", "x"} {
			u.sendRaw(text)
		}
		if got := u.take(); len(got) != 0 {
			t.Errorf("%q", got)
		}
		// RFC 5626 §3.5.2, RFC 5389 §15.2
		request := "\x00\x01\x00\x00\x21\x12\xa4\x42transaction1"
		u.sendRaw(request)
		got := []byte(u.one())
		if len(got) != 32 || string(got[:2]) != "\x01\x01" || string(got[4:20]) != request[4:] {
			t.Fatalf("%x", got)
		}
		addr := binary.BigEndian.Uint32(got[28:]) ^ 0x2112a442
		if port := binary.BigEndian.Uint16(got[26:]) ^ 0x2112; addr != 0xc0000207 || port != 5060 {
			t.Errorf("%x %d", addr, port)
		}
		u.sendRaw("\x01\x01" + request[2:])
		u.sendRaw(request[:19])
		u.sendRaw(strings.Replace(request, "\x21", "\x22", 1))
		if got := u.take(); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

// A phone behind a NAT is reached where its requests come from.
func TestBehindNAT(t *testing.T) {
	var flow transport.Flow
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("REGISTER", func(r *transport.Request) { flow = r.Flow(); r.Respond(200, "") })
	}, func(b *bed) {
		b.net.Hide(netip.MustParseAddrPort("192.168.1.7:5060"), netip.MustParseAddrPort("203.0.113.5:61000"))
		u := b.peer("192.168.1.7:5060")
		defer u.close()
		u.send(strings.ReplaceAll(register, "192.0.2.7", "192.168.1.7"))
		if got := b.starts(u.one(), "SIP/2.0 200"); !strings.Contains(got, ";received=203.0.113.5;rport=61000") {
			t.Errorf("%s", got)
		}
		o := outgoing("NOTIFY")
		o.URI, o.Flow = "sip:2001@192.168.1.7:5060", flow
		b.tr.Start(o, func(*transport.Response, error) {})
		b.starts(u.one(), "NOTIFY sip:2001@192.168.1.7:5060")
	})
}
