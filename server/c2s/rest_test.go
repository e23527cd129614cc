package c2s_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"rollcall/internal/wire"
)

// kinds are the ways to be connected.
var kinds = []struct {
	name    string
	version uint16 // of TLS; 0 is none
}{{"plain", 0}, {"TLS 1.2", tls.VersionTLS12}, {"TLS 1.3", tls.VersionTLS13}}

// eachKind runs a test over each of them. dial makes a connection whose client
// sends what it is given in records as large as they can be.
func eachKind(t *testing.T, options map[string]string, f func(t *testing.T, s *wire.Server, dial func() *wire.Client)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			all := map[string]string{"c2s.plaintext_on_loopback": "true"}
			for key, value := range options {
				all[key] = value
			}
			s, _ := encrypted(t, all, "x")
			f(t, s, func() *wire.Client {
				if k.version == 0 {
					return wire.Dial(t, s.Plain)
				}
				cfg := client("x")
				cfg.MinVersion, cfg.MaxVersion, cfg.DynamicRecordSizingDisabled = k.version, k.version, true
				return wire.DialTLS(t, s.Direct, cfg)
			})
		})
	}
}

func atRest(t *testing.T, s *wire.Server, n int) {
	t.Helper()
	s.Streams().Rest()
	wire.Within(t, fmt.Sprintf("%d connections are at rest", n), func() bool {
		_, resting := s.Streams().Conns()
		return resting == n
	})
}

// A connection at rest comes back to life with the first byte, and goes to rest
// again.
func TestRest(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		ada, bob := dial(), dial()
		ada.Login("ada", "desk")
		bob.Login("bob", "home")
		for i := range 20 {
			atRest(t, s, 2)
			text := fmt.Sprintf("<body>%d</body>", i)
			ada.Say("<message to='bob@x' type='chat'>" + text + "</message>")
			bob.Until(text)
		}
	})
}

// Being sent to rest in the middle of anything loses nothing.
func TestRestAtAnyTime(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		ada, bob := dial(), dial()
		ada.Login("ada", "desk")
		bob.Login("bob", "home")
		defer restless(s)()
		for i := range 300 {
			text := fmt.Sprintf("<body>%d%s</body>", i, strings.Repeat(".", i*97%9000))
			stanza := "<message to='bob@x' type='chat'>" + text + "</message>"
			cut := i * 31 % len(stanza)
			ada.Say(stanza[:cut])
			ada.Say(stanza[cut:])
			bob.Until(text)
		}
	})
}

// restless sends all connections to rest again and again until it is told to
// stop.
func restless(s *wire.Server) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				s.Streams().Rest()
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// A client that is held back for sending too fast may look silent meanwhile.
// What TLS has read and not handed out yet is not forgotten then.
func TestRestWhileHeldBack(t *testing.T) {
	options := map[string]string{"limits.read_rate": `"16KiB"`, "limits.read_burst": `"16KiB"`}
	eachKind(t, options, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		c := dial()
		c.Login("ada", "desk")
		defer restless(s)()
		c.Say(strings.Repeat("<message to='ada@x' type='error'/>\n", 48<<10/35) +
			"<iq type='get' id='last' to='x'><ping xmlns='urn:xmpp:ping'/></iq>")
		c.Until("id='last'")
	})
}

// halves is a connection that sends the second half of what it is given when it
// is told to.
type halves struct {
	net.Conn
	now  chan struct{}
	left chan struct{} // the first half is sent
}

func (h *halves) Write(b []byte) (int, error) {
	n, err := h.Conn.Write(b[:len(b)/2])
	if err != nil {
		return n, err
	}
	h.left <- struct{}{}
	<-h.now
	m, err := h.Conn.Write(b[n:])
	return n + m, err
}

// Half a record of TLS before the rest, and half after it.
func TestRestInRecord(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			h := &halves{now: make(chan struct{}, 100), left: make(chan struct{}, 100)}
			for range 50 {
				h.now <- struct{}{} // none of what follows until there is a session
			}
			c := wire.Dial(t, s.Direct)
			h.Conn = c.TCP
			cfg := client("x")
			cfg.MinVersion, cfg.MaxVersion = version, version
			c.Conn = tls.Client(h, cfg)
			c.Login("ada", "desk")
			for len(h.now) > 0 {
				<-h.now
			}
			for len(h.left) > 0 {
				<-h.left
			}
			for range 5 {
				var sending sync.WaitGroup
				sending.Go(func() { c.TrySay("<iq type='get' id='half' to='x'><ping xmlns='urn:xmpp:ping'/></iq>") })
				<-h.left
				atRest(t, s, 1)
				h.now <- struct{}{}
				sending.Wait()
				c.Until("id='half'")
			}
		})
	}
}

// Whoever is at rest hears why it is cut off, and its resource is free.
func TestRestEnds(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		old, other := dial(), dial()
		old.Login("ada", "desk")
		other.Login("bob", "home")
		atRest(t, s, 2)
		fresh := dial()
		fresh.Login("ada", "desk")
		old.Fails("conflict")
		old.TCP.Close()
		// One that just goes away is noticed.
		other.TCP.Close()
		wire.Within(t, "the connection is gone", func() bool { n, _ := s.Streams().Conns(); return n == 1 })
		fresh.Ping()
	})
}

// Cutting off and going to rest at once: whichever comes first, the end is said.
func TestRestAndEnd(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		defer restless(s)()
		var old *wire.Client
		for range 30 {
			c := dial()
			c.Authenticate("ada")
			c.Bind("desk")
			if old != nil {
				old.Fails("conflict")
			}
			old = c
		}
	})
}
