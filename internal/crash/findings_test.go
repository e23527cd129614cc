package crash

import (
	"slices"
	"testing"
)

// report says how much there was, and what went wrong, and returns how many
// messages were refused.
func report(t *testing.T, w *load) (refused int) {
	t.Helper()
	resumes := 0
	for _, letter := range w.l.letters {
		if letter.refused {
			refused++
		}
	}
	for _, s := range w.senders {
		resumes += s.resumes
	}
	t.Logf("%d lives: %d messages written, %d acknowledged, %d refused, %d received, %d resumptions",
		w.l.life, len(w.l.letters), w.l.acked, refused, w.l.gotten, resumes)
	for _, what := range w.l.wrong {
		t.Error(what)
	}
	return refused
}

// findings is what a program has kept, beside the ledger.
type findings struct {
	t    *testing.T
	p    *program
	l    *ledger
	kept map[string]map[int]bool // by recipient; those without an archive too
}

// examine compares the ledger with the archives: what was acknowledged is there,
// unless an error came back for it.
func examine(t *testing.T, p *program, l *ledger) *findings {
	t.Helper()
	f := &findings{t, p, l, map[string]map[int]bool{}}
	archives := map[string]archive{}
	for _, name := range slices.Concat(senders, receivers) {
		found, err := readArchive(p.address, name, l)
		if err != nil {
			t.Fatal(err)
		}
		archives[name], f.kept[name] = found, map[int]bool{}
	}
	if n := len(archives["private"]); n > 0 {
		t.Errorf("%d messages are in an archive that is to keep none", n)
	}
	for n := range l.letters {
		letter := &l.letters[n]
		if archives[letter.from][n] != "" {
			f.kept[letter.to][n] = true
		}
		f.compare(n, letter, archives[letter.from][n], archives[letter.to][n])
	}
	return f
}

// compare compares one message with what is in the archives of both sides.
func (f *findings) compare(n int, letter *letter, mine, theirs string) {
	f.t.Helper()
	if letter.to == "private" {
		theirs = mine
	}
	switch {
	case letter.acked && !letter.refused && mine == "":
		f.t.Errorf("message %d from %s to %s was acknowledged and is lost", n, letter.from, letter.to)
	case (mine == "") != (theirs == ""):
		f.t.Errorf("message %d is in only one of the archives of %s and %s", n, letter.from, letter.to)
	}
	for _, r := range letter.got {
		if r.id != "" && theirs != "" && r.id != theirs {
			f.t.Errorf("message %d came with the id %s and is in the archive as %s", n, r.id, theirs)
		}
	}
}

// collect logs in and takes what waits: that has to be all that is kept for the
// account, but for messages in had, which may wait or not.
func (f *findings) collect(name string, had map[int]bool) {
	f.t.Helper()
	f.l.begin()
	r := &receiver{name: name, l: f.l}
	if err := r.connect(f.p.address); err != nil {
		f.t.Fatal(err)
	}
	missing := 0
	for n := range f.kept[name] {
		if !had[n] {
			missing++
		}
	}
	for missing > 0 {
		before := f.l.gotten
		e, err := r.c.next()
		if err != nil {
			f.t.Errorf("%s: %v, and %d of %d messages are missing", name, err, missing, len(f.kept[name]))
			return
		}
		r.take(e)
		if f.l.gotten > before && !had[number(e)] {
			missing--
		}
	}
	if err := r.c.sync(r.take); err != nil {
		f.t.Fatal(err)
	}
	if err := r.c.close(r.take); err != nil {
		f.t.Fatal(err)
	}
	for n := range f.l.letters {
		letter := &f.l.letters[n]
		if letter.to != name {
			continue
		}
		came := len(letter.got) > 0 && letter.got[len(letter.got)-1].life == f.l.life
		if kept := f.kept[name][n]; came && !kept || !came && kept && !had[n] {
			f.t.Errorf("message %d for %s: it is kept: %v, and it came: %v", n, name, kept, came)
		}
	}
	f.complaints()
}

// nothingWaits stops and starts the program, and wants no messages to come any
// more to those who have collected theirs.
func (f *findings) nothingWaits(names ...string) {
	f.t.Helper()
	f.p.stop()
	f.p.start()
	for _, name := range names {
		f.kept[name] = nil
		f.collect(name, nil)
	}
}

func (f *findings) complaints() {
	f.t.Helper()
	for _, what := range f.l.wrong {
		f.t.Error(what)
	}
	f.l.wrong = nil
}
