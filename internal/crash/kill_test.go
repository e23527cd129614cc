package crash

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestKill kills the program ten times under load. Every message that its
// sender saw acknowledged is in the archives of both, or waits for the one who
// has none, and nothing is there twice.
func TestKill(t *testing.T) {
	onEach(t, func(t *testing.T, settings string) {
		rng := random(t)
		p := newProgram(t, settings, slices.Concat(senders, receivers)...)
		p.start()
		withoutArchive(t, p.address, "private")
		l := &ledger{}
		w := newLoad(l, rng)
		for round := range 10 {
			w.begin(p.address)
			if err := l.await(oneOf(rng)); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			w.ending.Store(true)
			p.kill()
			w.wait()
			p.start()
			if len(l.wrong) > 0 || t.Failed() {
				break
			}
		}
		if n := report(t, w); n > 0 {
			t.Errorf("%d messages were refused", n)
		}
		f := examine(t, p, l)
		for _, name := range []string{"away", "private"} {
			f.collect(name, nil)
		}
		f.nothingWaits("away", "private")
	})
}

// random returns a source that a failure can be repeated with, as far as that
// goes.
func random(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// oneOf chooses a moment: after so many messages more that were written, or
// acknowledged, or received.
func oneOf(rng *rand.Rand) (written, acked, gotten int) {
	n := 50 + rng.IntN(451)
	switch rng.IntN(3) {
	case 0:
		return n, 50, 0
	case 1:
		return 0, n, 0
	}
	return 0, 50, n
}

// withoutArchive has an account keep nothing in its archive (XEP-0441).
func withoutArchive(t *testing.T, address, name string) {
	t.Helper()
	c, err := login(address, name, "settings")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ask("set", "", "<prefs xmlns='urn:xmpp:mam:2' default='never'/>", func(*element) {}); err != nil {
		t.Fatal(err)
	}
	if err := c.close(func(*element) {}); err != nil {
		t.Fatal(err)
	}
}
