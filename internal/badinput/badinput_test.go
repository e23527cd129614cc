package badinput

import (
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/internal/transcript"
	"rollcall/internal/wire"
	"rollcall/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server where one address can do what takes many in real life,
// as fast as it can.
func serve(t *testing.T, more map[string]string) *wire.Server {
	t.Helper()
	options := map[string]string{
		"limits.sessions_per_account":    "0", // mallory has as many as she likes
		"limits.connections_per_address": "0", "limits.connects_per_minute": "0", "limits.read_rate": `"0B"`, "auth.backoff_after": "0",
		"stream_management.resume_for":  `"1s"`,
		"floodgate.messages_per_minute": "0", "floodgate.addresses_per_hour": "0", "floodgate.subscriptions_per_hour": "0",
		"floodgate.requests_per_minute": "0", "floodgate.presence_per_minute": "0",
		"storage.path": strconv.Quote(filepath.Join(t.TempDir(), "test.db")),
	}
	maps.Copy(options, more)
	return wire.Serve(t, options, "ada", "bob", "mallory")
}

const (
	attackers = 24      // at a time
	patience  = 5       // seconds that a healthy message may take on a busy machine
	leftover  = 8 << 20 // bytes that may be left of it all, once all is stored
)

// TestCorpus plays every case twice, many at a time. Two people chat all the
// while: each message arrives, once, in order and soon. Afterwards neither
// goroutines nor memory are left.
func TestCorpus(t *testing.T) {
	s := serve(t, nil)
	chat := begin(t, s)
	before := heap()
	cases := Corpus()
	play(t, s, slices.Concat(cases, cases))
	slowest, n := chat.end()
	t.Logf("%d cases twice; %d messages meanwhile, the slowest took %v", len(cases), n, slowest)
	if slowest > patience*time.Second {
		t.Errorf("a message took %v", slowest)
	}
	wire.Within(t, "the connections are gone", func() bool { return connections(s) == 2 })
	wire.Within(t, "the memory is free", func() bool { return heap() < before+leftover })
	t.Logf("%d KiB before, %d KiB after", before>>10, heap()>>10)
}

// play plays the cases, many at a time.
func play(t *testing.T, s *wire.Server, cases []Case) {
	work := make(chan Case)
	var workers sync.WaitGroup
	for range attackers {
		workers.Go(func() {
			for c := range work {
				t.Run(c.Name, func(t *testing.T) { attack(t, s, c) })
			}
		})
	}
	for _, c := range cases {
		work <- c
	}
	close(work)
	workers.Wait()
}

func connections(s *wire.Server) (n int) {
	s.Server().EachSession(func(*server.Session) { n++ })
	return n
}

// heap is what is in use once the garbage is gone, that in pools too.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// attack plays one case and checks how it ends.
func attack(t *testing.T, s *wire.Server, c Case) {
	cl := wire.Dial(t, s.Plain)
	defer cl.Close()
	switch c.Stage {
	case Opened:
		cl.Open()
	case Bound:
		cl.Authenticate("mallory")
		cl.Bind(fmt.Sprintf("r%d", resource.Add(1)))
	}
	var sending sync.WaitGroup
	sending.Go(func() { send(cl, c) })
	defer sending.Wait()
	switch c.Want {
	case Cut:
		sending.Wait()
	case Closes:
		if got := cl.Rest(); !strings.HasSuffix(got, "</stream:stream>") || strings.Contains(got, "<stream:error>") {
			t.Errorf("got %.500q, want a close", got)
		}
	case GoesOn:
		if c.Stage == Fresh {
			cl.Until("</stream:features>")
		}
		if c.Stage == Bound {
			cl.Until("id='still-there'")
			return
		}
		cl.Until("<success")
	default:
		cl.Fails(c.Want)
	}
}

var resource atomic.Int64

// send sends what the case says, and something good after what is no fault. The
// server may well close the connection before it has read all.
func send(cl *wire.Client, c Case) {
	for range max(1, c.Times) {
		step := len(c.Send)
		if c.Drip {
			step = 1
		}
		for part := range slices.Chunk([]byte(c.Send), step) {
			if cl.TrySay(string(part)) != nil {
				return
			}
		}
	}
	switch {
	case c.Want != GoesOn:
	case c.Stage == Bound:
		cl.TrySay("<iq type='get' id='still-there' to='x'><ping xmlns='urn:xmpp:ping'/></iq>")
	default:
		cl.TrySay(wire.Plain("mallory", transcript.Password))
	}
}

// A chat of two people who do nothing wrong.
type chat struct {
	t        *testing.T
	ada, bob *wire.Client
	stop     atomic.Bool
	wg       sync.WaitGroup
	slowest  time.Duration
	n        int
}

func begin(t *testing.T, s *wire.Server) *chat {
	c := &chat{t: t, ada: wire.Dial(t, s.Plain), bob: wire.Dial(t, s.Plain)}
	c.ada.Login("ada", "desk")
	c.bob.Login("bob", "home")
	c.wg.Go(func() {
		// Two people, and not a load: one that takes all that the disk can do would
		// be an attack of its own on those whose turn it is to be refused.
		pace := time.NewTicker(breath)
		defer pace.Stop()
		for !c.stop.Load() && c.turn(c.ada, c.bob, "bob@x/home") && c.turn(c.bob, c.ada, "ada@x/desk") {
			<-pace.C
		}
	})
	return c
}

// breath is the least that a round of the chat, of twenty messages, takes.
const breath = 20 * time.Millisecond

// turn sends a few messages one way.
func (c *chat) turn(from, to *wire.Client, address string) bool {
	const burst = 10
	began := time.Now()
	for i := range burst {
		if err := from.TrySay(fmt.Sprintf("<message to='%s' type='chat'><body>number %d.</body></message>", address, c.n+i)); err != nil {
			c.t.Errorf("a healthy stream broke: %v", err)
			return false
		}
	}
	for range burst {
		got, err := to.TryUntil(fmt.Sprintf("<body>number %d.</body>", c.n))
		if err != nil || strings.Count(got, "<body>number ") != 1 {
			c.t.Errorf("message %d did not come, or not in order: %v %.500q", c.n, err, got)
			return false
		}
		c.n++
	}
	c.slowest = max(c.slowest, time.Since(began))
	return true
}

func (c *chat) end() (slowest time.Duration, n int) {
	c.stop.Store(true)
	c.wg.Wait()
	return c.slowest, c.n
}
