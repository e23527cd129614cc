package c2s_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/internal/transcript"
	"rollcall/internal/wire"
)

// One address has so many connections; one that ends makes room.
func TestConnectionsPerAddress(t *testing.T) {
	testRoom(t, "limits.connections_per_address", "policy-violation")
}

// And so have all together.
func TestConnections(t *testing.T) {
	testRoom(t, "limits.connections", "resource-constraint")
}

func testRoom(t *testing.T, key, condition string) {
	s, options := encrypted(t, map[string]string{key: "2"}, "x")
	first, second := wire.Dial(t, s.Plain), wire.DialTLS(t, s.Direct, client("x"))
	first.Open()
	second.Login("ada", "desk")
	wire.Dial(t, s.Plain).Fails(condition)
	// Where TLS is due nothing is said without it.
	if got := wire.Dial(t, s.Direct).Rest(); got != "" {
		t.Errorf("said in the clear: %q", got)
	}
	first.TCP.Close()
	wire.Within(t, "there is room again", func() bool { n, _ := s.Streams().Conns(); return n == 1 })
	third := wire.Dial(t, s.Plain)
	third.Open()
	// The limit can change, and nobody is thrown out for it.
	options[key] = "3"
	reload(t, s, options)
	fourth := wire.Dial(t, s.Plain)
	fourth.Open()
	options[key] = "1"
	reload(t, s, options)
	second.Ping()
	wire.Dial(t, s.Plain).Fails(condition)
}

// Logging in takes a second at most, wherever one stops.
func TestAuthTimeout(t *testing.T) {
	s, _ := encrypted(t, map[string]string{"limits.auth_timeout": `"1s"`, "c2s.plaintext_on_loopback": "true"}, "x")
	silent, open, half, proven, dripping, noTLS := wire.Dial(t, s.Plain), wire.Dial(t, s.Plain), wire.Dial(t, s.Plain),
		wire.Dial(t, s.Plain), wire.Dial(t, s.Plain), wire.Dial(t, s.Direct)
	noTLS.Say("\x16\x03")
	open.Open()
	half.Open()
	half.Say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLA")
	proven.Authenticate("ada")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); dripping.TrySay(" ") == nil; <-tick.C {
		if time.Since(began) > wire.Patience {
			t.Fatal("a drop now and then keeps the connection open")
		}
	}
	for _, c := range []*wire.Client{silent, open, half, proven} {
		c.Fails("connection-timeout")
	}
	if got := noTLS.Rest(); strings.Contains(got, "<") {
		t.Errorf("said in the clear: %q", got)
	}
	// Whoever made it in time stays.
	c := wire.Dial(t, s.Plain)
	c.Login("ada", "desk")
	for began := time.Now(); time.Since(began) < 1500*time.Millisecond; <-tick.C {
		c.Ping()
	}
}

// A client that sends faster than it may is read more slowly. Nothing is lost,
// and others don't notice.
func TestReadRate(t *testing.T) {
	options := map[string]string{"limits.read_rate": `"64KiB"`, "limits.read_burst": `"64KiB"`}
	eachKind(t, options, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		fast, bob, calm := dial(), dial(), dial()
		fast.Login("ada", "desk")
		bob.Login("bob", "home")
		calm.Login("ada", "phone")
		const n, size = 1000, 192
		began := time.Now()
		go func() {
			for i := range n {
				m := fmt.Sprintf("<message to='bob@x/home' type='chat'><body>%d ", i)
				if fast.TrySay(m+strings.Repeat(".", size-len(m)-len("</body></message>"))+"</body></message>") != nil {
					return
				}
			}
		}()
		slowest := time.Duration(0)
		for i := range n {
			bob.Until(fmt.Sprintf("<body>%d ", i))
			if i%50 == 0 {
				at := time.Now()
				calm.Ping()
				slowest = max(slowest, time.Since(at))
			}
		}
		// The burst is free, and so is what one read takes at once.
		took, least := time.Since(began), time.Duration(float64(n*size-64<<10-16<<10)/(64<<10)*float64(time.Second))
		// How fast exactly is for the bucket's own test; here the machine may be
		// busy, and time that passed before counts too.
		if took < least/2 {
			t.Errorf("%d bytes were read in %v, should take about %v", n*size, took, least)
		}
		if slowest > 10*time.Second {
			t.Errorf("somebody else waited for %v", slowest)
		}
	})
}

// One address opens so many connections in a minute. One too many costs no
// handshake, and networks that are exempt have no such limit.
func TestConnectsPerMinute(t *testing.T) {
	s, options := encrypted(t, map[string]string{"limits.connects_per_minute": "2"}, "x")
	first := wire.DialTLS(t, s.Direct, client("x"))
	first.Login("ada", "desk")
	wire.Dial(t, s.Plain).Open()
	wire.Dial(t, s.Plain).Fails("policy-violation")
	late := wire.Dial(t, s.Direct)
	if err := late.TryEncrypt(client("x")); err == nil {
		t.Error("a handshake was made")
	}
	first.Ping()
	options["limits.exempt_networks"] = `["10.0.0.0/8", "127.0.0.0/8"]`
	options["limits.connections_per_address"] = "1"
	reload(t, s, options)
	for range 5 {
		wire.DialTLS(t, s.Direct, client("x")).Open()
	}
	options["limits.exempt_networks"] = `["10.0.0.0/8"]`
	reload(t, s, options)
	wire.Dial(t, s.Plain).Fails("policy-violation")
	refused := map[string]uint64{}
	for _, o := range s.Server().Offences() {
		refused[o.What+": "+o.Why] = o.Times
	}
	// The connections meanwhile were not counted, so the third is the same as before.
	if n := refused["a connection was refused: too many new connections from this address in a short time"]; len(refused) != 1 || n != 3 {
		t.Errorf("counted %v", refused)
	}
}

// Of those who are turned away a number is told why at a time, and the others
// are cut off.
func TestManyTurnedAway(t *testing.T) {
	s, _ := encrypted(t, map[string]string{"limits.connections": "1"}, "x")
	ada := wire.Dial(t, s.Plain)
	ada.Open()
	const n = 400
	var all []*wire.Client
	for range n {
		all = append(all, wire.Dial(t, s.Plain))
	}
	for _, c := range all {
		if got := c.Rest(); got != "" && !strings.Contains(got, "<resource-constraint") {
			t.Fatalf("got %q", got)
		}
	}
	if all, _ := s.Streams().Conns(); all != 1 {
		t.Errorf("%d connections are counted", all)
	}
}

// Failures of one account hold back its whole address, unless that is exempt.
func TestExemptFromBackoff(t *testing.T) {
	options := map[string]string{"auth.backoff_after": "2", "auth.attempts_per_stream": "100", "c2s.plaintext_on_loopback": "true"}
	for exempt, want := range map[string]string{"[]": "</failure>", `["127.0.0.1"]`: "<success"} {
		options["limits.exempt_networks"] = exempt
		s, _ := encrypted(t, options, "x")
		c := wire.Dial(t, s.Plain)
		c.Open()
		for range 3 {
			c.Say(wire.Plain("ada", "guess"))
			c.Until("</failure>")
		}
		c.Say(wire.Plain("ada", transcript.Password))
		c.Until("<temporary-auth-failure")
		c.Until("</failure>")
		c.Say(wire.Plain("bob", transcript.Password))
		c.Until(want)
	}
}
