package server

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"rollcall/xmpp/stanza"
)

// sink is a connection that keeps what is written to it.
type sink struct {
	mu      sync.Mutex
	got     bytes.Buffer
	stop    chan struct{} // if set, writes wait for it
	broken  bool
	closed  bool
	aborted bool
}

func (s *sink) Write(b []byte) (int, error) {
	if s.stop != nil {
		<-s.stop
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken || s.aborted {
		return 0, errors.New("gone")
	}
	return s.got.Write(b)
}

func (s *sink) Close() error { s.mu.Lock(); s.closed = true; s.mu.Unlock(); return nil }
func (s *sink) Abort()       { s.mu.Lock(); s.aborted = true; s.mu.Unlock() }

func (s *sink) take() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.got.Reset()
	return s.got.String()
}

func put(o *outbox, format string, args ...any) bool {
	return o.deliver(Delivery{Kind: stanza.Message, Sole: true}, fmt.Appendf(nil, format, args...), "", nil)
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %.300q\nwant %.300q", got, want)
	}
}

func TestOutboxKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{}
		o := &outbox{limit: 1 << 20}
		o.attach(w)
		var want strings.Builder
		r := rand.New(rand.NewSource(1))
		for i := range 500 {
			s := fmt.Sprintf("<%d>", i) + strings.Repeat("x", r.Intn(3000))
			if i%7 == 0 {
				synctest.Wait()
			}
			put(o, "%s", s)
			want.WriteString(s)
		}
		expect(t, w.take(), want.String())
		if o.log.head != nil || len(o.marks) != 0 {
			t.Error("an outbox with nothing in it keeps something")
		}
	})
}

func TestOutboxLeavesWhatWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{stop: make(chan struct{})}
		o := &outbox{limit: 1 << 20}
		o.attach(w)
		put(o, "<1/>")
		synctest.Wait()
		put(o, "<2/>")
		o.control([]byte("<c/>"))
		put(o, "<3/>")
		w.broken = true
		close(w.stop)
		synctest.Wait()
		var got string
		for _, l := range o.leftovers() {
			got += string(l.raw)
		}
		expect(t, got, "<1/><2/><3/>")
		if put(o, "<4/>") {
			t.Error("an outbox that is over takes a stanza")
		}
	})
}

func TestOutboxBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{stop: make(chan struct{})}
		o := &outbox{limit: 10_000}
		o.attach(w)
		n := 0
		for put(o, "%s", strings.Repeat("x", 100)) {
			if n++; n > 1000 {
				t.Fatal("no bound")
			}
		}
		close(w.stop)
		synctest.Wait()
		if !w.aborted || n > 101 {
			t.Errorf("aborted %v after %d", w.aborted, n)
		}
	})
}

type collect []int64

func (c *collect) reached(refs []int64) { *c = append(*c, refs...) }

func TestOutboxResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{}
		var through collect
		o := &outbox{limit: 1 << 20, owner: &through}
		o.attach(w)
		put(o, "<before/>")
		expect(t, w.take(), "<before/>")
		o.manage(2, 0, []byte("<enabled/>"))
		put(o, "<1/>")
		o.deliver(Delivery{Kind: stanza.Message, Ref: 42}, []byte("<2>"), "mid", []byte("</2>"))
		put(o, "<3/>")
		// Each write ends with a request; how many writes there are is chance.
		got := w.take()
		if !strings.HasSuffix(got, string(ackRequest)) {
			t.Errorf("no ack is asked for: %q", got)
		}
		expect(t, strings.ReplaceAll(got, string(ackRequest), ""), "<enabled/><1/><2>mid</2><3/>")
		if err := o.ack(1); err != nil {
			t.Error(err)
		}
		if len(through) != 0 {
			t.Error("reported before it was acked")
		}
		o.mu.Lock()
		o.w = nil
		o.mu.Unlock()
		put(o, "<4/>")
		again := &sink{}
		o.resume(again, []byte("<resumed/>"))
		expect(t, again.take(), "<resumed/><2>mid</2><3/><4/>"+string(ackRequest))
		if err := o.ack(5); err != errHandledTooHigh {
			t.Errorf("acked what was never sent: %v", err)
		}
		if err := o.ack(4); err != nil {
			t.Error(err)
		}
		if err := o.ack(3); err != nil {
			t.Errorf("an ack that was overtaken: %v", err)
		}
		if len(through) != 1 || through[0] != 42 || o.unacked() != 0 || o.log.head != nil {
			t.Errorf("%v, %d not acked", through, o.unacked())
		}
	})
}

// asking is a connection whose client acks before the write returns.
type asking struct {
	sink
	ack func()
}

func (a *asking) Write(b []byte) (int, error) {
	n, err := a.sink.Write(b)
	a.ack()
	return n, err
}

func TestOutboxAckBeforeWriteReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{limit: 1 << 20}
		o.manage(0, 0, nil)
		acked := uint32(0)
		w := &asking{ack: func() {
			if err := o.ack(acked + 2); err != errHandledTooHigh {
				t.Errorf("acked what was never sent: %v", err)
			}
			acked++
			if err := o.ack(acked); err != nil {
				t.Errorf("ack %d: %v", acked, err)
			}
		}}
		o.attach(w)
		for i := range 3 {
			put(o, "<%d/>", i)
			expect(t, w.take(), fmt.Sprintf("<%d/>%s", i, ackRequest))
		}
		if o.unacked() != 0 || o.log.head != nil {
			t.Errorf("%d not acked", o.unacked())
		}
	})
}

// What a connection took counts as sent even if it broke before it said so.
func TestOutboxAckAfterBrokenWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{broken: true}
		o := &outbox{limit: 1 << 20}
		o.manage(0, 0, nil)
		o.attach(w)
		put(o, "<1/>")
		synctest.Wait()
		put(o, "<2/>")
		o.detach()
		if err := o.ack(2); err != errHandledTooHigh {
			t.Errorf("acked what was never sent: %v", err)
		}
		if err := o.ack(1); err != nil {
			t.Error(err)
		}
		again := &sink{}
		o.resume(again, []byte("<resumed/>"))
		expect(t, again.take(), "<resumed/><2/>"+string(ackRequest))
	})
}

func TestOutboxFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{}
		o := &outbox{limit: 1 << 20}
		o.attach(w)
		put(o, "<1/>")
		o.finish([]byte("</stream:stream>"))
		o.detach()
		expect(t, w.take(), "<1/></stream:stream>")
		if !w.closed || put(o, "<2/>") {
			t.Error("not closed")
		}
	})
}

func TestHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{}
		o := &outbox{limit: 1 << 20}
		o.attach(w)
		o.setInactive(true)
		status := func(from, s string) {
			o.deliver(Delivery{Kind: stanza.Presence, Class: Status, From: from}, []byte(s), "", nil)
		}
		status("a", "<a1/>")
		status("b", "<b1/>")
		o.deliver(Delivery{Kind: stanza.Message, Class: Aside}, []byte("<typing/>"), "", nil)
		status("a", "<a2/>")
		expect(t, w.take(), "")
		put(o, "<urgent/>")
		expect(t, w.take(), "<b1/><typing/><a2/><urgent/>")
		status("a", "<a3/>")
		expect(t, w.take(), "")
		o.setInactive(false)
		expect(t, w.take(), "<a3/>")
		status("a", "<a4/>")
		expect(t, w.take(), "<a4/>")
		o.setInactive(true)
		for i := range 10_000 {
			status(fmt.Sprint(i), strings.Repeat("x", 100))
		}
		if w.take() == "" {
			t.Error("held back without bound")
		}
	})
}

// Somebody who changes their presence without end costs no more than their last.
func TestHeldBackForgetsWhatWasReplaced(t *testing.T) {
	h := &heldBack{}
	status := func(from string, i int) {
		raw := fmt.Appendf(nil, "<%s%d/>", from, i)
		if !h.hold(Delivery{Kind: stanza.Presence, Class: Status, From: from}, raw, "", nil) {
			t.Fatal("no room")
		}
	}
	status("a", 0)
	for i := range 10_000 {
		status("b", i)
		status("c", i)
	}
	h.hold(Delivery{Kind: stanza.Message, Class: Aside}, []byte("<typing/>"), "", nil)
	status("a", 1)
	if len(h.items) > 2*4+minHeld+1 {
		t.Errorf("%d items are kept for four", len(h.items))
	}
	var got string
	for _, it := range h.items {
		got += string(it.raw)
	}
	expect(t, got, "<b9999/><c9999/><typing/><a1/>")
}

func FuzzByteLog(f *testing.F) {
	f.Add([]byte{1, 2, 3, 200, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var l byteLog
		var all []byte
		free := uint64(0)
		for i, op := range ops {
			switch {
			case op < 128:
				p := bytes.Repeat([]byte{byte(i)}, int(op)*40)
				appendTo(&l, p)
				all = append(all, p...)
			default:
				free += (l.end - free) * uint64(op-128) / 127
				l.free(free)
			}
			if l.end != uint64(len(all)) {
				t.Fatalf("end %d of %d", l.end, len(all))
			}
			for pos := free; pos < l.end; {
				p := l.view(pos, make([]byte, 0, 1+int(op)*100))
				if len(p) == 0 || !bytes.Equal(p, all[pos:pos+uint64(len(p))]) {
					t.Fatalf("view at %d: %d bytes", pos, len(p))
				}
				pos += uint64(len(p))
			}
			if got := l.copyRange(nil, free, l.end); !bytes.Equal(got, all[free:]) {
				t.Fatal("copyRange differs")
			}
		}
	})
}

// once is a connection that breaks after the first write.
type once struct{ n int }

func (o *once) Write(b []byte) (int, error) {
	if o.n++; o.n > 1 {
		return 0, errors.New("gone")
	}
	return len(b), nil
}
func (*once) Close() error { return nil }
func (*once) Abort()       {}

// A stanza that is larger than what is written at once, and of which only the
// beginning went out, is left over as a whole.
func TestOutboxKeepsWhatIsHalfSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{limit: 1 << 20}
		first, second := "<1>"+strings.Repeat("a", 20<<10), "<2>"+strings.Repeat("b", 40<<10)
		put(o, "%s", first)
		put(o, "%s", second)
		o.attach(&once{})
		synctest.Wait()
		all := o.leftovers()
		if len(all) != 1 {
			t.Fatalf("%d stanzas are left, want one", len(all))
		}
		expect(t, string(all[0].raw), second)
	})
}
