package registrar

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A binding is there until a refresh that was under way must have come, and no longer.
func TestExpiry(t *testing.T) {
	o := newOffice(t, Config{})
	o.send(0, "Contact: <sip:a>;expires=120, <sip:b>;expires=100;q=0", 200, "sip:a 120", "sip:b 100")
	o.forget()
	at := func(d time.Duration) time.Time { return start.Add(d) }
	if next := o.Expire(at(131 * time.Second)); !next.Equal(at(132 * time.Second)) {
		t.Errorf("next is %v", next)
	}
	o.expectTold()
	o.send(131*time.Second, "Contact: <sip:a>;expires=200\nCSeq: 2", 200, "sip:a 200", "sip:b -31")
	o.forget()
	if next := o.Expire(at(132 * time.Second)); !next.Equal(at(152 * time.Second)) {
		t.Errorf("next is %v", next)
	}
	o.expectTold("expired sip:b")
	o.Expire(at(152 * time.Second)) // it was refreshed
	o.expectTold()
	// Shortened: it ends sooner than was known.
	o.send(153*time.Second, "Contact: <sip:a>;expires=60\nCSeq: 3", 200, "sip:a 60")
	o.forget()
	o.Expire(at((153 + 91) * time.Second))
	o.expectTold()
	o.Expire(at((153 + 92) * time.Second))
	o.expectTold("expired sip:a")
	o.expect(at(400 * time.Second))
	if next := o.Expire(at(time.Hour)); !next.IsZero() {
		t.Errorf("there is something to be looked at %v", next)
	}
	for i := range o.shards {
		if s := &o.shards[i]; len(s.aors) > 0 || len(s.streams) > 0 || s.bindings > 0 {
			t.Errorf("there is %+v", s)
		}
	}
}

// run plays a test with a registrar that runs, in a bubble where time passes at once.
func run(t *testing.T, shelf *shelf, test func(o *office, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, Config{})
		if shelf != nil {
			o.shelf = shelf
			o.Registrar.parts.Store = shelf
		}
		if err := o.Load(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			o.Run(ctx)
		}()
		stop := func() {
			cancel()
			<-done
		}
		synctest.Wait()
		test(o, stop)
		stop()
	})
}

func (o *office) now(text string) {
	o.t.Helper()
	if got := o.Register(time.Now(), request(o.t, text)); got.Status != 200 {
		o.t.Errorf("%q: %d %s", text, got.Status, got.Reason)
	}
}

func TestRunExpires(t *testing.T) {
	run(t, nil, func(o *office, _ func()) {
		o.now("Contact: <sip:a>;expires=200")
		synctest.Wait()
		o.now("Contact: <sip:b>;expires=100\nTo: 2002@x") // sooner than what is waited for
		o.forget()
		time.Sleep(132*time.Second - time.Millisecond)
		synctest.Wait()
		o.expectTold()
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		o.expectTold("expired sip:b")
		time.Sleep(100 * time.Second)
		synctest.Wait()
		o.expectTold("expired sip:a")
	})
}

// What changes is stored soon; a mere refresh when it is time, once for many.
func TestStored(t *testing.T) {
	run(t, nil, func(o *office, stop func()) {
		writes := func(what string, want int) {
			t.Helper()
			synctest.Wait()
			o.shelf.mu.Lock()
			defer o.shelf.mu.Unlock()
			if o.shelf.writes != want {
				t.Errorf("%s: %d writes, want %d", what, o.shelf.writes, want)
			}
		}
		o.now("Contact: <sip:a>")
		time.Sleep(50 * time.Millisecond)
		writes("a new one", 1)
		for i := range 59 {
			o.now("Contact: <sip:a>\nCall-ID: " + string(rune('A'+i))) // a new Call-ID is nothing to hurry for
			time.Sleep(time.Second)
		}
		writes("refreshed all the time", 1)
		time.Sleep(time.Second)
		writes("at last", 2)
		time.Sleep(2 * time.Minute)
		o.now("Contact: <sip:a>")
		time.Sleep(4 * time.Second)
		writes("for much longer", 2)
		time.Sleep(time.Second)
		writes("sooner", 3)
		o.now("Contact: <sip:a>\nCSeq: 2\nSource: 192.0.2.9:1")
		time.Sleep(50 * time.Millisecond)
		writes("moved", 4)
		o.now("Contact: <sip:a>\nCSeq: 3\nSource: 192.0.2.9:1")
		stop()
		writes("at the end", 5)
		if diff := cmp.Diff(*o.Lookup("2001@x")[0], o.shelf.has[1], cmpopts.EquateComparable(Flow{})); diff != "" {
			t.Errorf("in memory (-) and stored (+):\n%s", diff)
		}
	})
}

// What was stored is there after a restart, and never longer than it was granted.
func TestRestart(t *testing.T) {
	shelf := &shelf{}
	o := newOffice(t, Config{})
	keep := func(text string, change func(*Binding)) {
		t.Helper()
		r := request(t, text)
		o.Register(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), r) // when bubbles begin
		b := *o.Lookup(r.AOR)[0]
		if change != nil {
			change(&b)
		}
		if err := shelf.SaveBindings(t.Context(), []*Binding{&b}, nil); err != nil {
			t.Fatal(err)
		}
	}
	keep("Contact: <sip:udp>", nil)
	keep("To: 2002@x\nContact: <sip:tcp>\nFlow: 7", nil)
	keep("To: 2003@x\nContact: <sip:tcp2>\nFlow: 8", nil)
	keep("To: 2004@x\nContact: <sip:proxied>\nPath: <sip:p>\nFlow: 8", nil)
	keep("To: 2005@x\nContact: <sip:over>\nFlow: 8", func(b *Binding) { b.Expires = b.Created.Add(-Grace) })
	keep("To: 2006@x\nContact: <sip:far>", func(b *Binding) { b.Expires = b.Created.Add(240 * time.Hour) })
	run(t, shelf, func(o *office, stop func()) {
		if n := len(o.told); n != 5 || o.Count() != 5 {
			t.Errorf("told was %q", o.told)
		}
		for _, c := range o.last {
			if c.What != Restored || c.Old != nil || len(c.After) != 1 || c.Binding.lost() != (c.AOR == "2002@x" || c.AOR == "2003@x") {
				t.Errorf("told was %+v", c)
			}
		}
		o.forget()
		if b := o.Lookup("2006@x")[0]; b.Expires.After(time.Now().Add(331 * time.Second)) {
			t.Errorf("a binding ends %v", b.Expires)
		}
		time.Sleep(10 * time.Second)
		o.now("To: 2003@x\nContact: <sip:tcp2>\nFlow: 1\nCSeq: 2")
		o.now("To: 2007@x\nContact: <sip:new>")
		if b := o.Lookup("2007@x")[0]; b.ID != 7 {
			t.Errorf("a new binding has the ID %d", b.ID)
		}
		time.Sleep(Grace - 10*time.Second + time.Second)
		synctest.Wait()
		// Its device has not come back.
		o.expectTold("refreshed sip:tcp2", "registered sip:new", "flow closed sip:tcp")
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		o.shelf.mu.Lock()
		if _, kept := o.shelf.has[5]; kept || len(o.shelf.has) != 5 {
			t.Errorf("there is %v", o.shelf.has)
		}
		o.shelf.mu.Unlock()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		o.expectTold("expired sip:udp", "expired sip:new", "expired sip:far")
	})
}
