package transport_test

import (
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/transport"
)

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
		sleep(40 * time.Second)
		u.send(register)
		if u.take(); asked != 2 {
			t.Error(asked)
		}
	})
}

func TestMergedRequest(t *testing.T) {
	play(t, transport.Options{}, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(register)
		b.starts(u.one(), "SIP/2.0 200 ")
		u.send(strings.Replace(register, "z9hG4bKreg1", "z9hG4bKreg2", 1)) // RFC 3261 §8.2.2.2
		b.starts(u.one(), "SIP/2.0 482 Merged Request")
		sleep(time.Minute)
		u.send(strings.Replace(register, "z9hG4bKreg1", "z9hG4bKreg3", 1))
		b.starts(u.one(), "SIP/2.0 200 ")
	})
}

func TestMethodsThatNobodyTakes(t *testing.T) {
	play(t, transport.Options{Software: "Rollcall/1.0"}, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(strings.ReplaceAll(register, "REGISTER", "PUBLISH"))
		got := b.starts(u.one(), "SIP/2.0 405 Method Not Allowed")
		if value(got, "Allow") != "CANCEL, INVITE, MESSAGE, OPTIONS, REGISTER" || value(got, "Server") != "Rollcall/1.0" {
			t.Errorf("%s", got)
		}
		u.send(strings.ReplaceAll(strings.ReplaceAll(register, "REGISTER", "OPTIONS"), "reg1", "opt1"))
		b.starts(u.one(), "SIP/2.0 200 OK")
	})
}

// From whom does not say where it is, what is answered goes back the way it came
// (RFC 3581 §4), and otherwise where its Via says (RFC 3261 §18.2.2).
func TestWhereAnswersGo(t *testing.T) {
	for _, c := range []struct{ name, from, via, answered string }{
		{"rport", "198.51.100.9:33000", "192.168.1.7:5060;branch=z9hG4bKx;rport", "198.51.100.9:33000"},
		{"behind a NAT, and not knowing", "198.51.100.9:33000", "192.168.1.7:5060;branch=z9hG4bKx", "198.51.100.9:33000"},
		{"another port for answers", "198.51.100.9:33000", "198.51.100.9:5070;branch=z9hG4bKx", "198.51.100.9:5070"},
		{"the usual port", "198.51.100.9:33000", "198.51.100.9;branch=z9hG4bKx", "198.51.100.9:5060"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, transport.Options{}, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
				u := b.peer(c.from)
				defer u.close()
				back := u
				if c.answered != c.from {
					back = b.peer(c.answered)
					defer back.close()
				}
				u.send(strings.Replace(register, "192.0.2.7:5060;branch=z9hG4bKreg1;rport", c.via, 1))
				got := b.starts(back.one(), "SIP/2.0 200")
				if strings.Contains(c.via, "192.168") && !strings.Contains(value(got, "Via"), ";received=198.51.100.9") {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

func TestTooManyTransactions(t *testing.T) {
	var kept []*transport.Request
	o := transport.Options{Config: transport.Config{Limits: transport.Limits{Transactions: 2}}}
	play(t, o, func(b *bed) {
		b.tr.Handle("REGISTER", func(r *transport.Request) { kept = append(kept, r) })
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		for _, n := range []string{"a", "b", "c"} {
			u.send(strings.ReplaceAll(register, "reg1", n))
		}
		if got := b.starts(u.one(), "SIP/2.0 503 "); value(got, "Retry-After") == "" {
			t.Errorf("%s", got)
		}
		for _, r := range kept { // answered late, from elsewhere
			r.Respond(200, "")
		}
		if got := u.take(); len(got) != 2 {
			t.Errorf("%q", got)
		}
	})
}

// What was answered long ago, or before too many others, is new when it comes
// again; a challenge is always made anew (RFC 3261 §8.2.7).
func TestWhatIsRemembered(t *testing.T) {
	asked := 0
	o := transport.Options{Config: transport.Config{Limits: transport.Limits{Remembered: 2}}}
	play(t, o, func(b *bed) {
		b.tr.Handle("REGISTER", func(r *transport.Request) { asked++; r.Respond(200, "") })
		b.tr.Handle("PUBLISH", func(r *transport.Request) { asked++; r.Respond(401, "") })
		b.tr.Handle("MESSAGE", func(r *transport.Request) { asked++ }) // never answered
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		again := func(method string, n, want int) {
			t.Helper()
			before := asked
			u.send(numbered(register, method, n))
			if u.take(); asked-before != want {
				t.Errorf("%s %d: asked %d times", method, n, asked-before)
			}
		}
		for n := range 3 {
			again("REGISTER", n, 1)
		}
		again("REGISTER", 2, 0)
		again("REGISTER", 1, 0)
		again("REGISTER", 0, 1) // forgotten; and now 1 is the oldest
		again("REGISTER", 1, 1)
		again("PUBLISH", 7, 1)
		again("PUBLISH", 7, 1)
		again("MESSAGE", 8, 1)
		again("MESSAGE", 8, 0)
		sleep(33 * time.Second)
		again("MESSAGE", 8, 1)
		again("REGISTER", 1, 1)
	})
}
