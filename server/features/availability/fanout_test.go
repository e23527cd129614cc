package availability

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// drain is a connection that takes everything.
type drain struct{ stanzas, bytes atomic.Int64 }

// Write counts what is there: each presence here has one status.
func (d *drain) Write(b []byte) (int, error) {
	d.stanzas.Add(int64(bytes.Count(b, []byte("</status>"))))
	d.bytes.Add(int64(len(b)))
	return len(b), nil
}
func (*drain) Close() error         { return nil }
func (*drain) Abort()               {}
func (*drain) HangUp(*stream.Fault) {}

type everybody struct{}

// Lookup implements server.Accounts: everybody has an account.
func (everybody) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

// friends is a store in which ada has n subscribers and all the others have her.
type friends int

// LoadRoster implements roster.Store.
func (n friends) LoadRoster(_ context.Context, owner jid.Bare) (roster.Contents, error) {
	c := roster.Contents{Epoch: 1, Version: 1}
	if owner != "ada@x" {
		c.Items = []roster.Item{{Contact: "ada@x", State: roster.Both, Version: 1}}
		return c, nil
	}
	for i := range int(n) {
		c.Items = append(c.Items, roster.Item{Contact: friend(i), State: roster.Both, Version: 1})
	}
	return c, nil
}

// SaveRoster implements roster.Store; nothing is changed here.
func (friends) SaveRoster(context.Context, jid.Bare, roster.Update) error { panic("not called") }

func friend(i int) jid.Bare { return jid.Bare(fmt.Sprintf("friend%04d@x", i)) }

// crowd is ada and her friends, all online.
type crowd struct {
	t       testing.TB
	feature *Feature
	srv     *server.Server
	scanner *stream.Scanner
	ada     *server.Session
	friends []*server.Session
	taken   []*drain
}

func newCrowd(t testing.TB, n int) *crowd {
	c := &crowd{t: t, feature: New(roster.NewBook(friends(n), roster.Config{})), scanner: stream.New(stream.DefaultLimits)}
	c.scanner.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	c.srv = server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 64 << 20},
		Accounts: everybody{}, Features: []server.Feature{c.feature},
	})
	c.enter(n)
	return c
}

// enter brings ada, who says nothing yet, and n friends, who are there.
func (c *crowd) enter(n int) {
	c.ada, _ = c.bind("ada@x", "desk")
	for i := range n {
		s, d := c.bind(friend(i), "home")
		c.friends, c.taken = append(c.friends, s), append(c.taken, d)
		c.send(s, "<presence/>")
	}
}

func (c *crowd) bind(who jid.Bare, resource string) (*server.Session, *drain) {
	d := new(drain)
	s, err := c.srv.Bind(c.t.Context(), server.NewAccount(who, 1), resource, d)
	if err != nil {
		c.t.Fatal(err)
	}
	return s, d
}

func (c *crowd) send(s *server.Session, raw string) {
	c.scanner.Filled(copy(c.scanner.Space(), raw))
	st, err := c.scanner.Next()
	if err == nil {
		err = c.srv.Handle(c.t.Context(), s, st)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

const somewhere = `<presence id='p4711'><show>away</show><status>back in five minutes</status><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org/client' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>`

// A presence is taken apart once, however many see it: what is made for one
// more of them is nothing.
func TestFanOutAllocates(t *testing.T) {
	few, many := fanOut(t, newCrowd(t, 10)), fanOut(t, newCrowd(t, 210))
	if each := (many - few) / 200; each >= 0.9 { // the race detector empties pools at will
		t.Errorf("%v allocations for 10 watchers and %v for 210", few, many)
	}
}

// fanOut returns what ada's presence makes.
func fanOut(t *testing.T, c *crowd) float64 {
	sent := int64(0)
	return testing.AllocsPerRun(200, func() {
		c.send(c.ada, somewhere)
		sent++
		for _, d := range c.taken {
			for d.stanzas.Load() < sent {
				runtime.Gosched() // until its outbox is empty again
			}
		}
	})
}

// Every watcher gets every presence.
func TestFanOutReachesAll(t *testing.T) {
	c := newCrowd(t, 50)
	for range 20 {
		c.send(c.ada, somewhere)
	}
	for i, s := range c.friends {
		s.Finish(nil)
		s.Release()
		s.End(t.Context())
		if n := c.taken[i].stanzas.Load(); n != 20 {
			t.Errorf("friend %d has got %d of 20", i, n)
		}
	}
}

// BenchmarkFanOut is one publisher and 200 watchers; the time that counts is
// that for a delivery.
func BenchmarkFanOut(b *testing.B) {
	const watchers = 200
	c := newCrowd(b, watchers)
	b.ReportAllocs()
	for b.Loop() {
		c.send(c.ada, somewhere)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/watchers, "ns/delivery")
}

// BenchmarkBegin is somebody who comes online among 200 contacts who are.
func BenchmarkBegin(b *testing.B) {
	c := newCrowd(b, 200)
	b.ReportAllocs()
	for b.Loop() {
		c.send(c.ada, "<presence/>")
		c.send(c.ada, "<presence type='unavailable'/>")
	}
}
