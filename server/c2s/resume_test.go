package c2s_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall/internal/wire"
)

const enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"

// manage turns on stream management and returns what to resume with.
func manage(c *wire.Client) string {
	c.Say(enable)
	c.Until("<enabled ")
	_, id, _ := strings.Cut(c.Until("/>"), "id='")
	id, _, _ = strings.Cut(id, "'")
	return id
}

func resume(id string, h int) string {
	return fmt.Sprintf("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>", id, h)
}

// XEP-0198 §5: the client comes back while its old connection still looks alive,
// and takes nothing any more. It gets what it missed, once and in order, and the
// old connection is closed.
func TestResume(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		old, ada := dial(), dial()
		old.Login("bob", "home")
		id := manage(old)
		ada.Login("ada", "desk")
		const n = 200
		body := strings.Repeat(".", 4<<10) // more than fits into the buffers between
		say := func(i int) {
			ada.Say(fmt.Sprintf("<message to='bob@x/home' type='chat'><body>%d %s</body></message>", i, body))
		}
		say(0)
		old.Until("<body>0 ")
		for i := 1; i < n; i++ {
			say(i)
		}
		ada.Ping()
		atRest(t, s, 2)

		c := dial()
		c.Authenticate("bob")
		c.Say(resume(id, 1))
		c.Until("<resumed ")
		for i := 1; i < n; i++ {
			got := c.Until("</body>")
			if !strings.Contains(got, fmt.Sprintf("<body>%d ", i)) || strings.Count(got, "<message") != 1 {
				t.Fatalf("waited for message %d, got %.300q", i, got)
			}
		}
		c.Say(fmt.Sprintf("<a xmlns='urn:xmpp:sm:3' h='%d'/>", n))
		say(n)
		c.Until(fmt.Sprintf("<body>%d ", n))
		old.Rest()
		wire.Within(t, "the old connection is gone", func() bool { all, _ := s.Streams().Conns(); return all == 2 })
		// The stream goes on, at rest too.
		atRest(t, s, 2)
		c.Ping()
		// Coming back with a count that cannot be ends it.
		c.TCP.Close()
		c = dial()
		c.Authenticate("bob")
		c.Say(resume(id, n+1000))
		if got := c.Fails("undefined-condition"); !strings.Contains(got, "<handled-count-too-high ") {
			t.Errorf("the error does not say why: %s", got)
		}
	})
}

// Two at once that resume the same session: one gets it in the end, and nobody
// hangs.
func TestResumeRace(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		first := dial()
		first.Login("ada", "desk")
		id := manage(first)
		defer restless(s)()
		all := []*wire.Client{dial(), dial(), dial()}
		for _, c := range all {
			c.Authenticate("ada")
		}
		for _, c := range all {
			c.Say(resume(id, 0))
		}
		wire.Within(t, "one connection has the session", func() bool { n, _ := s.Streams().Conns(); return n == 1 })
		alive := 0
		for _, c := range all {
			if c.TrySay("<iq type='get' id='alive' to='x'><ping xmlns='urn:xmpp:ping'/></iq>") != nil {
				continue
			}
			if _, err := c.TryUntil("id='alive'"); err == nil {
				alive++
			}
		}
		if alive != 1 {
			t.Errorf("%d connections go on with the session", alive)
		}
	})
}

// A stop says so to everybody, whatever they are doing, and waits for their
// goroutines.
func TestStop(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		resting, awake, lost, early, silent := dial(), dial(), dial(), dial(), dial()
		resting.Login("ada", "rest")
		atRest(t, s, 1)
		awake.Login("ada", "desk")
		lost.Login("bob", "home")
		manage(lost)
		lost.TCP.Close()
		early.Open()
		wire.Within(t, "all but one are there", func() bool { n, _ := s.Streams().Conns(); return n == 4 })

		s.Streams().StopAccepting()
		early.Fails("system-shutdown")
		silent.Fails("system-shutdown")
		resting.Ping() // sessions go on until they are stopped
		ctx, cancel := context.WithTimeout(t.Context(), wire.Patience)
		defer cancel()
		if err := s.Server().Stop(ctx); err != nil {
			t.Error(err)
		}
		resting.Fails("system-shutdown")
		awake.Fails("system-shutdown")
		// A client that comes while the listener is still open hears of it.
		late := wire.Dial(t, s.Plain)
		late.Fails("system-shutdown")
		for _, c := range []*wire.Client{resting, awake, early, silent, late} {
			c.TCP.Close()
		}
		done := make(chan struct{})
		go func() { s.Streams().Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(wire.Patience):
			t.Error("connections go on")
		}
	})
}
