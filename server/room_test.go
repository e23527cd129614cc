package server

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall/xmpp/stanza"
)

// fill sends as long as there is room, and when there is room again, up to a
// number of stanzas.
type fill struct {
	o    *outbox
	sent int
	most int
}

// show sends what nobody asks an ack for.
func show(o *outbox, raw string) { o.deliver(Delivery{Kind: stanza.Presence}, []byte(raw), "", nil) }

func (f *fill) more() {
	for f.sent < f.most {
		if !f.o.room(nil) {
			if f.o.room(f.more) {
				continue
			}
			return
		}
		show(f.o, fmt.Sprintf("<presence id='%d'>%s</presence>", f.sent, strings.Repeat("x", 200)))
		f.sent++
	}
}

// However much there is to send: a client that reads gets all of it, and no more
// is on its way than it can hold.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{stop: make(chan struct{})}
		o := &outbox{limit: 256 << 10}
		o.attach(w)
		f := &fill{o: o, most: 5000}
		f.more()
		synctest.Wait()
		if backlog := int(o.log.end - o.acked); backlog > pressure+1000 || f.sent < 100 {
			t.Errorf("%d bytes of %d stanzas are on their way", backlog, f.sent)
		}
		close(w.stop)
		got := w.take()
		if n := strings.Count(got, "<presence "); n != 5000 || w.aborted || !strings.Contains(got, "id='4999'") {
			t.Errorf("%d have come", n)
		}
	})
}

// Where a client acknowledges, it is asked to, though nothing else would be: what
// it has not acknowledged takes up room.
func TestRoomByAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{}
		o := &outbox{limit: 1 << 20}
		o.attach(w)
		o.manage(0, 40, []byte("<enabled/>"))
		f := &fill{o: o, most: 100}
		f.more()
		rounds := 0
		for handled := 0; f.sent < 100 && rounds < 100; rounds++ {
			got := w.take()
			if strings.Count(got, "<r ") != 1 {
				t.Fatalf("asked %d times for an ack in %.200q", strings.Count(got, "<r "), got)
			}
			handled += strings.Count(got, "<presence ")
			if err := o.ack(uint32(handled)); err != nil {
				t.Fatal(err)
			}
		}
		if f.sent != 100 || w.aborted || rounds < 5 {
			t.Errorf("%d sent in %d rounds", f.sent, rounds)
		}
	})
}

// Who waits goes on when the connection does, and is not called when there is no
// more of it.
func TestRoomEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &sink{}
		o := &outbox{limit: 1 << 20}
		o.attach(w)
		o.manage(0, 400, nil)
		called := 0
		for i := 0; o.room(nil); i++ {
			show(o, fmt.Sprintf("<presence id='%d'/>", i))
		}
		o.room(func() { called++ })
		w.take()
		o.detach()
		if err := o.ack(90); err != nil {
			t.Fatal(err)
		}
		o.resume(&sink{}, nil)
		if called != 1 {
			t.Errorf("called %d times after the client has come back", called)
		}
		for i := 0; o.room(nil); i++ {
			show(o, fmt.Sprintf("<presence id='again%d'/>", i))
		}
		o.room(func() { called++ })
		o.detach()
		o.leftovers()
		if o.room(func() { called++ }) || called != 1 || len(o.waiting) != 0 {
			t.Errorf("called %d times, and %d wait", called, len(o.waiting))
		}
	})
}
