package badinput

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/internal/transcript"
	"rollcall/internal/wire"
)

// befriended is a server where ada and bob are contacts, and with limits.
func befriended(t *testing.T, limits map[string]string, more ...string) *wire.Server {
	s := serve(t, limits)
	for _, name := range more {
		if err := s.AddAccount(name, transcript.Password); err != nil {
			t.Fatal(err)
		}
	}
	for owner, contact := range map[string]string{"ada": "bob@x", "bob": "ada@x"} {
		if err := s.AddContact(owner, contact, "both"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// undisturbed has n attackers do what they can, side by side, while two contacts
// chat. Those notice nothing, and nothing is left of it.
func undisturbed(t *testing.T, s *wire.Server, n int, attack func(t *testing.T, i int)) {
	t.Helper()
	chat := begin(t, s)
	before := heap()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { t.Run(fmt.Sprintf("attacker %d", i), func(t *testing.T) { attack(t, i) }) })
	}
	all.Wait()
	slowest, said := chat.end()
	t.Logf("%d messages meanwhile, the slowest took %v", said, slowest)
	if slowest > patience*time.Second {
		t.Errorf("a message took %v", slowest)
	}
	wire.Within(t, "the connections are gone", func() bool { return connections(s) == 2 })
	wire.Within(t, "the memory is free", func() bool { return heap() < before+leftover })
}

// bound logs mallory, or somebody else, in once more.
func bound(t *testing.T, s *wire.Server, name string) *wire.Client {
	c := wire.Dial(t, s.Plain)
	c.Authenticate(name)
	c.Bind(fmt.Sprintf("r%d", resource.Add(1)))
	return c
}

// One address that opens connection after connection gets so many, on both
// ports together.
func TestConnectionFlood(t *testing.T) {
	const most, attackers, each = 40, 8, 50
	s := befriended(t, map[string]string{"limits.connects_per_minute": fmt.Sprint(most)})
	var open, told, cut atomic.Int64
	began := time.Now()
	undisturbed(t, s, attackers, func(t *testing.T, i int) {
		for j := range each {
			if j%2 == 1 {
				c := wire.Dial(t, s.Direct)
				// Without a certificate no handshake ends well, so all that can be told is
				// that nothing was said.
				c.TrySay("\x16\x03\x01\x00\x05hello")
				if got := c.Rest(); strings.Contains(got, "<") {
					t.Errorf("said in the clear: %q", got)
				}
				continue
			}
			c := wire.Dial(t, s.Plain)
			c.TrySay(wire.Header)
			c.TrySay("</stream:stream>")
			switch got := c.Rest(); {
			case strings.Contains(got, "</stream:features>"):
				open.Add(1)
			case strings.Contains(got, "<policy-violation "):
				told.Add(1)
			default:
				cut.Add(1)
			}
		}
	})
	t.Logf("%d were let in, %d were told why not, %d were cut off", open.Load(), told.Load(), cut.Load())
	if room := int64(most + time.Since(began)*most/time.Minute); open.Load() > room || told.Load() == 0 {
		t.Errorf("%d were let in, at most %d may be", open.Load(), room)
	}
}

// outcome is what became of the stanzas of attackers.
type outcome struct{ refused, closed atomic.Int64 }

// exhaust sends a stanza made of a number, again and again, to the end of its
// patience or of the stream.
func (o *outcome) exhaust(c *wire.Client, n int, stanza func(int) string) {
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range n {
			if c.TrySay(stanza(i)) != nil {
				return
			}
		}
		c.TrySay("</stream:stream>")
	})
	got := c.Rest()
	sending.Wait()
	o.refused.Add(int64(strings.Count(got, "<error type='wait'><policy-violation ")))
	if strings.Contains(got, "<stream:error><policy-violation ") {
		o.closed.Add(1)
	}
}

// Whoever asks everybody to be a contact may ask some of them, whichever session
// it is from, and is thrown out for going on.
func TestSubscriptionSpray(t *testing.T) {
	const most, sessions, each = 30, 4, 500
	s := befriended(t, map[string]string{"floodgate.subscriptions_per_hour": fmt.Sprint(most), "floodgate.refusals_per_minute": "200"})
	var o outcome
	undisturbed(t, s, sessions, func(t *testing.T, i int) {
		o.exhaust(bound(t, s, "mallory"), each, func(j int) string {
			return fmt.Sprintf("<presence type='subscribe' to='person%d@x'/>", i*each+j)
		})
	})
	mallory := bound(t, s, "mallory")
	mallory.Say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
	asked := strings.Count(mallory.Until("</iq>"), " ask='subscribe'")
	t.Logf("%d were asked, %d refused, %d streams closed", asked, o.refused.Load(), o.closed.Load())
	if asked < most || asked > most+1 || o.closed.Load() != sessions {
		t.Errorf("%d were asked, want %d; %d streams were closed, want %d", asked, most, o.closed.Load(), sessions)
	}
}

// Messages to strangers are limited, whoever they are, and whether they are
// anybody.
func TestFloodOfMessages(t *testing.T) {
	const most, sessions, each = 100, 4, 1500
	s := befriended(t, map[string]string{"floodgate.messages_per_minute": fmt.Sprint(most), "floodgate.refusals_per_minute": "0"})
	var o outcome
	began := time.Now()
	undisturbed(t, s, sessions, func(t *testing.T, i int) {
		to := []string{"ada@x", "bob@x/home", "nobody@x", "carol@x/den"}[i%4]
		o.exhaust(bound(t, s, "mallory"), each, func(int) string {
			return "<message to='" + to + "' type='chat'><body>flood</body></message>"
		})
	})
	passed, room := sessions*each-o.refused.Load(), int64(most+time.Since(began)*most/time.Minute)
	t.Logf("%d of %d passed", passed, sessions*each)
	if passed < most || passed > room || o.closed.Load() != 0 {
		t.Errorf("%d passed, want %d to %d; %d streams were closed", passed, most, room, o.closed.Load())
	}
}

// Many accounts that each send a little to one person are many strangers.
func TestCrowd(t *testing.T) {
	const most, accounts, each = 50, 12, 20
	var names []string
	for i := range accounts {
		names = append(names, fmt.Sprintf("new%d", i))
	}
	s := befriended(t, map[string]string{"floodgate.received_per_minute": fmt.Sprint(most)}, names...)
	var o outcome
	began := time.Now()
	undisturbed(t, s, accounts, func(t *testing.T, i int) {
		o.exhaust(bound(t, s, names[i]), each, func(int) string {
			return "<message to='ada@x' type='chat'><body>flood</body></message>"
		})
	})
	passed, room := accounts*each-o.refused.Load(), int64(most+time.Since(began)*most/time.Minute)
	t.Logf("%d of %d got through", passed, accounts*each)
	if passed < most || passed > room+1 {
		t.Errorf("%d got through, want %d to %d", passed, most, room)
	}
}
