package crash

import (
	"slices"
	"testing"
)

// TestStop asks the program to stop under load. Streams are told; what was
// acknowledged or delivered is kept; what clients with stream management did not
// acknowledge waits for them.
func TestStop(t *testing.T) {
	onEach(t, func(t *testing.T, settings string) {
		rng := random(t)
		p := newProgram(t, settings, slices.Concat(senders, receivers)...)
		p.start()
		withoutArchive(t, p.address, "private")
		l := &ledger{}
		w := newLoad(l, rng)
		w.keepStill()
		w.receivers = slices.DeleteFunc(w.receivers, func(r *receiver) bool { return r.name == "other" })
		fallAsleep(t, p, &receiver{name: "other", managed: true, l: l})
		w.begin(p.address)
		if err := l.await(0, 300+rng.IntN(500), 0); err != nil {
			t.Error(err)
		}
		w.ending.Store(true)
		p.stop()
		w.wait()
		for _, name := range w.untold {
			if name != "restive" && name != "forgetful" { // who may have come to a closed door
				t.Errorf("%s was not told of the shutdown", name)
			}
		}
		p.start()
		if n := report(t, w); n > 0 {
			t.Errorf("%d messages were refused", n)
		}
		afterStop(t, p, l)
	})
}

// fallAsleep leaves a session that can be resumed, and is not.
func fallAsleep(t *testing.T, p *program, r *receiver) {
	t.Helper()
	if err := r.connect(p.address); err != nil {
		t.Fatal(err)
	}
	if err := r.c.sync(r.take); err != nil {
		t.Fatal(err)
	}
	r.c.conn.Close()
}

// afterStop compares what was received with what is kept, and collects the rest.
func afterStop(t *testing.T, p *program, l *ledger) {
	t.Helper()
	f := examine(t, p, l)
	had := map[string]map[int]bool{"plain": {}, "second": {}, "managed": {}, "restive": {}, "forgetful": {}}
	for n := range l.letters {
		letter := &l.letters[n]
		if len(letter.got) == 0 {
			continue
		}
		if !f.kept[letter.to][n] {
			t.Errorf("message %d to %s was delivered and is lost", n, letter.to)
		}
		if m := had[letter.to]; m != nil {
			m[n] = true
		}
	}
	for _, name := range receivers {
		f.collect(name, had[name])
	}
	f.nothingWaits(receivers...)
}
