package crash

import (
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestLostDatabase takes PostgreSQL away and brings it back.
func TestLostDatabase(t *testing.T) {
	if os.Getenv(postgresVar) == "" {
		t.Log(postgresVar + " is not set: there is no database to lose")
		return
	}
	dsn, _ := newSchema(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	w := newWire(t, u.Host)
	u.Host = w.address
	p := newProgram(t, onPostgres(u.String()), slices.Concat(senders, receivers)...)
	p.start()
	outage(t, p, w.cut, w.mend, func() {
		// Nobody can prove who they are, and clients know that it may pass.
		if _, err := dial(p.address, "bea"); err == nil || !strings.Contains(err.Error(), "<temporary-auth-failure") {
			t.Errorf("a login without the database: %v", err)
		}
	})
}

// outage has messages sent while the database is there, while it is not, and
// when it is back. In between each is answered with an error before an ack
// covers it. What is kept in the end is what was not refused, though the program
// is killed.
func outage(t *testing.T, p *program, cut, mend, meanwhile func()) {
	t.Helper()
	withoutArchive(t, p.address, "private")
	l := &ledger{}
	l.begin()
	fallAsleep(t, p, &receiver{name: "lazy", lazy: true, l: l}) // somebody is there, to whom messages go at once
	s := &sender{name: "ada", l: l}
	if err := s.connect(p.address); err != nil {
		t.Fatal(err)
	}
	to := []string{"lazy", "away", "private"}
	s.all(t, to, 30, false)
	cut()
	s.all(t, to, 30, true)
	meanwhile()
	s.all(t, to, 30, true)
	mend()
	s.all(t, to, 30, false)
	p.kill()
	p.start()
	f := examine(t, p, l)
	for n := range l.letters {
		if letter := &l.letters[n]; letter.refused == f.kept[letter.to][n] {
			t.Errorf("message %d to %s is kept and was refused, or neither: %v", n, letter.to, letter.refused)
		}
	}
	for _, name := range []string{"away", "private"} {
		f.collect(name, nil)
	}
	f.nothingWaits("away", "private")
}

// all sends messages and reads until it is known of all what became of them.
func (s *sender) all(t *testing.T, to []string, count int, refused bool) {
	t.Helper()
	var text strings.Builder
	first := len(s.l.letters)
	for i := range count {
		name := to[i%len(to)]
		n := s.l.write(s.name, name)
		s.log = append(s.log, n)
		text.WriteString(message(n, name))
	}
	text.WriteString("<r xmlns='urn:xmpp:sm:3'/>")
	if err := s.c.say(text.String()); err != nil {
		t.Fatal(err)
	}
	for s.unknown(t, first, refused) {
		if err := s.read(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	// An ack that was not given because of an error is given when asked for again.
	if err := s.c.say("<r xmlns='urn:xmpp:sm:3'/>"); err != nil {
		t.Fatal(err)
	}
	for s.acked < len(s.log) {
		if err := s.read(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
}

// unknown reports whether the fate of any message from a number on is unknown.
// Those that are to be refused must be, before they are acknowledged.
func (s *sender) unknown(t *testing.T, first int, refused bool) (some bool) {
	t.Helper()
	for n := first; n < len(s.l.letters); n++ {
		letter := &s.l.letters[n]
		switch {
		case letter.refused && !refused:
			t.Fatalf("message %d to %s was refused", n, letter.to)
		case letter.acked && refused && !letter.refused:
			t.Fatalf("message %d to %s was acknowledged, and there was nowhere to store it", n, letter.to)
		}
		some = some || !letter.acked && !letter.refused
	}
	return some
}

// TestBrokenConnections has PostgreSQL end the program's connections under load:
// they are replaced, and nothing that was acknowledged is missing.
func TestBrokenConnections(t *testing.T) {
	if os.Getenv(postgresVar) == "" {
		t.Log(postgresVar + " is not set: there are no connections to break")
		return
	}
	rng := random(t)
	dsn, admin := newSchema(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("broken_%d", os.Getpid())
	p := newProgram(t, onPostgres(with(u, "application_name", name).String()), slices.Concat(senders, receivers)...)
	p.start()
	withoutArchive(t, p.address, "private")
	l := &ledger{}
	w := newLoad(l, rng)
	w.keepStill()
	w.receivers = slices.DeleteFunc(w.receivers, func(r *receiver) bool { return r.restive || r.forgets })
	w.begin(p.address)
	for range 5 {
		if err := l.await(0, 50+rng.IntN(200), 0); err != nil {
			t.Error(err)
		}
		terminate(t, admin, name)
	}
	if err := l.await(0, 200, 0); err != nil {
		t.Error(err)
	}
	w.ending.Store(true)
	p.kill()
	w.wait()
	p.start()
	report(t, w)
	f := examine(t, p, l)
	for _, name := range []string{"away", "private"} {
		f.collect(name, nil)
	}
}

// terminate ends the connections of a program.
func terminate(t *testing.T, admin *sql.DB, name string) {
	t.Helper()
	var n int
	err := admin.QueryRow("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", name).Scan(&n)
	if err != nil || n == 0 {
		t.Errorf("%d connections were ended, %v", n, err)
	}
}

// wire is a way to a database that can be cut. It belongs to the test.
type wire struct {
	t       *testing.T
	to      string
	address string
	segment *segment
}

func newWire(t *testing.T, to string) *wire {
	w := &wire{t: t, to: to, address: "127.0.0.1:0"}
	w.mend()
	t.Cleanup(w.cut)
	return w
}

// mend lets connections through.
func (w *wire) mend() {
	w.t.Helper()
	l, err := net.Listen("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.address = l.Addr().String()
	w.segment = &segment{listener: l}
	w.segment.wg.Go(func() { w.segment.serve(w.to) })
}

// cut ends all connections, and new ones are refused.
func (w *wire) cut() {
	if w.segment != nil {
		w.segment.close()
		w.segment = nil
	}
}
