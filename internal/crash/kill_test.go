package crash

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestKill kills the program ten times under load. Every message that its
// sender saw acknowledged is in the archives of both, or waits for the one who
// has none, and nothing is there twice.
func TestKill(t *testing.T) {
	onEach(t, func(t *testing.T, settings string) {
		rng := random(t)
		p := newProgram(t, settings, append(append([]string(nil), senders...), receivers...)...)
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
		report(t, w)
		examine(t, p, l)
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

// report says how much there was, and what went wrong.
func report(t *testing.T, w *load) {
	t.Helper()
	refused, resumes := 0, 0
	for _, letter := range w.l.letters {
		if letter.refused {
			refused++
		}
	}
	for _, s := range w.senders {
		resumes += s.resumes
	}
	t.Logf("%d lives: %d messages written, %d acknowledged, %d received, %d resumptions",
		w.l.life, len(w.l.letters), w.l.acked, w.l.gotten, resumes)
	for _, what := range w.l.wrong {
		t.Error(what)
	}
	if refused > 0 {
		t.Errorf("%d messages were refused", refused)
	}
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

// examine compares the ledger with what the program has kept.
func examine(t *testing.T, p *program, l *ledger) {
	t.Helper()
	archives := map[string]archive{}
	for _, name := range append(append([]string(nil), senders...), receivers...) {
		found, err := readArchive(p.address, name, l)
		if err != nil {
			t.Fatal(err)
		}
		archives[name] = found
	}
	if n := len(archives["private"]); n > 0 {
		t.Errorf("%d messages are in an archive that is to keep none", n)
	}
	waiting := map[string]map[int]bool{"away": {}, "private": {}}
	for n, letter := range l.letters {
		mine, theirs := archives[letter.from][n], archives[letter.to][n]
		if letter.acked && mine == "" {
			t.Errorf("message %d from %s was acknowledged and is not in the sender's archive", n, letter.from)
		}
		if letter.acked && theirs == "" && letter.to != "private" {
			t.Errorf("message %d to %s was acknowledged and is lost", n, letter.to)
		}
		if (mine == "") != (theirs == "") && letter.to != "private" {
			t.Errorf("message %d is in only one of the archives of %s and %s", n, letter.from, letter.to)
		}
		for _, r := range letter.got {
			if r.id != "" && theirs != "" && r.id != theirs {
				t.Errorf("message %d came with the id %s and is in the archive as %s", n, r.id, theirs)
			}
		}
		if w := waiting[letter.to]; w != nil && mine != "" {
			w[n] = true
		}
	}
	for name, want := range waiting {
		collect(t, p, l, name, want)
	}
	p.stop()
	p.start()
	for name := range waiting {
		collect(t, p, l, name, nil)
	}
}

// collect logs in and wants exactly those messages that wait. What was kept for
// an archive was kept for this in the same transaction.
func collect(t *testing.T, p *program, l *ledger, name string, want map[int]bool) {
	t.Helper()
	l.begin()
	r := &receiver{name: name, l: l}
	if err := r.connect(p.address); err != nil {
		t.Fatal(err)
	}
	before := l.gotten
	for l.gotten < before+len(want) {
		e, err := r.c.next()
		if err != nil {
			t.Fatalf("%s: %v; %d of %d messages had come", name, err, l.gotten-before, len(want))
		}
		r.take(e)
	}
	if err := r.c.sync(r.take); err != nil {
		t.Fatal(err)
	}
	if err := r.c.close(r.take); err != nil {
		t.Fatal(err)
	}
	if n := l.gotten - before; n > len(want) {
		t.Errorf("%s: %d messages came, and %d were kept", name, n, len(want))
	}
	for n := range want {
		if got := l.letters[n].got; len(got) == 0 || got[len(got)-1].life != l.life {
			t.Errorf("message %d waited for %s and did not come", n, name)
		}
	}
	for _, what := range l.wrong {
		t.Error(what)
	}
	l.wrong = nil
}
