package availability

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// colleagues are groups by which ada and n friends see each other, and the friends
// not one another.
func colleagues(n int) *roster.Directory {
	ada := roster.Group{Name: "ada", VisibleTo: []string{"friends"}, Members: []roster.Member{{JID: "ada@x"}}}
	friends := roster.Group{Name: "friends", VisibleTo: []string{"ada"}}
	for i := range n {
		friends.Members = append(friends.Members, roster.Member{JID: friend(i)})
	}
	return roster.NewDirectory([]roster.Group{ada, friends}, nil)
}

// newOffice is ada and n others, all online, who see one another by
// groups and nothing else.
func newOffice(t testing.TB, n int) *crowd {
	book := roster.NewBook(states{}, roster.Config{})
	if err := book.Adopt(t.Context(), colleagues(n)); err != nil {
		t.Fatal(err)
	}
	c := &crowd{t: t, feature: New(book), scanner: stream.New(stream.DefaultLimits)}
	c.scanner.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	c.srv = server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 64 << 20},
		Accounts: everybody{}, Features: []server.Feature{c.feature},
	})
	c.enter(n)
	return c
}

// A presence makes nothing for one more who sees it by a group.
func TestFanOutByGroupsAllocates(t *testing.T) {
	few, many := fanOut(t, newOffice(t, 10)), fanOut(t, newOffice(t, 210))
	if each := (many - few) / 200; each >= 0.9 { // the race detector empties pools at will
		t.Errorf("%v allocations for 10 watchers and %v for 210", few, many)
	}
}

// lines is a connection that keeps what it is given, unless it is told to wait.
type lines struct {
	recorder
	wait chan struct{}
}

// Write implements server.Transport.
func (l *lines) Write(b []byte) (int, error) {
	if l.wait != nil {
		<-l.wait
	}
	return l.recorder.Write(b)
}

// from returns how often presence came from somebody, with what is in it.
func (l *lines) from(who jid.Bare, with string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range strings.Split(l.got.String(), "<presence")[1:] {
		if strings.Contains(p, " from='"+string(who)+"/") && strings.Contains(p, with) {
			n++
		}
	}
	return n
}

// inBubble plays a test with a house whose own part of all rosters is given.
func inBubble(t *testing.T, own states, play func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		h := newHouse(t, own)
		h.srv = server.New(ctx, server.Options{
			Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 256 << 10},
			Accounts: everybody{}, Features: []server.Feature{h.feature, &h.notices},
		})
		play(h)
	})
}

func (h *house) come(who jid.Bare, l *lines) *server.Session {
	h.t.Helper()
	s, err := h.srv.Bind(h.t.Context(), server.NewAccount(who, 1), "home", l)
	if err != nil {
		h.t.Fatal(err)
	}
	h.send(s, "<presence><status>here</status></presence>")
	return s
}

func (h *house) book() *roster.Book { return h.feature.rosters.(*roster.Book) }

// What a session is told anew of contacts is what is true: who may be seen is
// there, who may not is gone, and who is seen without groups is left in peace.
func TestRefresh(t *testing.T) {
	inBubble(t, states{"bob@x ada@x": roster.From, "ada@x bob@x": roster.To, "eve@x ada@x": roster.From}, func(h *house) {
		ada, out := new(server.Session), new(lines)
		for _, who := range []jid.Bare{"bob@x", "carol@x", "dan@x", "eve@x"} {
			h.come(who, new(lines))
		}
		ada = h.come("ada@x", out)
		all := []jid.Bare{"bob@x", "carol@x", "dan@x", "eve@x", "nobody@x"}
		synctest.Wait()
		if n := out.from("bob@x", "here"); n != 1 {
			t.Fatalf("bob has come %d times", n)
		}
		g := roster.Group{Name: "g", Mutual: true, Members: []roster.Member{{JID: "ada@x"}, {JID: "carol@x"}}}
		if err := h.book().Adopt(h.t.Context(), roster.NewDirectory([]roster.Group{g}, nil)); err != nil {
			t.Fatal(err)
		}
		h.feature.Refresh(ada, all)
		synctest.Wait()
		for who, want := range map[jid.Bare][2]int{"bob@x": {2, 0}, "carol@x": {1, 0}, "dan@x": {0, 1}, "eve@x": {0, 0}} {
			if here, gone := out.from(who, "here"), out.from(who, "unavailable"); here != want[0] || gone != want[1] {
				t.Errorf("%s has come %d times and gone %d times, not %v", who, here, gone, want)
			}
		}
		h.send(ada, "<presence type='unavailable'/>")
		h.feature.Refresh(ada, all)
		synctest.Wait()
		if n := out.from("carol@x", "here"); n != 1 {
			t.Errorf("one who is not available hears of carol %d times", n)
		}
	})
}

// Whoever comes online among thousands hears of each, as its client takes it; and
// of those who have changed or gone meanwhile, what is true.
func TestManyAreThere(t *testing.T) {
	const n = 1500
	inBubble(t, states{}, func(h *house) {
		if err := h.book().Adopt(h.t.Context(), colleagues(n)); err != nil {
			t.Fatal(err)
		}
		var all []*server.Session
		for i := range n {
			s, _ := h.bind(friend(i), "home")
			h.send(s, "<presence><status>"+strings.Repeat("here ", 40)+"</status></presence>")
			all = append(all, s)
		}
		out := &lines{wait: make(chan struct{})}
		ada := h.come("ada@x", out)
		synctest.Wait()
		if n := len(h.feature.directed.list(ada)); n != 0 || !strings.Contains(fmt.Sprint(ada.Progress()), "true") {
			t.Error("nothing is on its way")
		}
		last, before := all[n-1], all[n-2]
		h.send(last, "<presence type='unavailable'/>")
		h.send(before, "<presence><status>lunch</status></presence>")
		close(out.wait)
		time.Sleep(time.Second)
		out.mu.Lock()
		got := out.got.String()
		out.mu.Unlock()
		come := map[string]int{}
		for _, p := range strings.Split(got, " from='")[1:] {
			who, _, _ := strings.Cut(p, "/home'")
			come[who]++
		}
		for i := range n - 2 {
			if come[string(friend(i))] != 1 {
				t.Fatalf("friend %d has come %d times", i, come[string(friend(i))])
			}
		}
		if at := strings.LastIndex(got, "from='"+string(friend(n-2))+"/home'"); at < 0 || !strings.Contains(got[at:min(at+200, len(got))], "lunch") {
			t.Error("the last word on one who went to lunch is another")
		}
		if at := strings.LastIndex(got, "from='"+string(friend(n-1))+"/home'"); at >= 0 && !strings.Contains(got[max(at-40, 0):at], "unavailable") {
			t.Error("one who has gone is there")
		}
	})
}

// BenchmarkFanOutByGroup is BenchmarkFanOut for watchers whom a group gives.
func BenchmarkFanOutByGroup(b *testing.B) {
	const watchers = 200
	c := newOffice(b, watchers)
	b.ReportAllocs()
	for b.Loop() {
		c.send(c.ada, somewhere)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/watchers, "ns/delivery")
}

// BenchmarkBeginByGroup is BenchmarkBegin for contacts whom a group gives.
func BenchmarkBeginByGroup(b *testing.B) {
	c := newOffice(b, 200)
	b.ReportAllocs()
	for b.Loop() {
		c.send(c.ada, "<presence/>")
		c.send(c.ada, "<presence type='unavailable'/>")
	}
}

// BenchmarkFanOutTo5000 is one publisher and 5000 watchers, of her own or by a
// group.
func BenchmarkFanOutTo5000(b *testing.B) {
	for _, how := range []string{"own", "group"} {
		b.Run(how, func(b *testing.B) {
			make := newCrowd
			if how == "group" {
				make = newOffice
			}
			c := make(b, 5000)
			b.ReportAllocs()
			for b.Loop() {
				c.send(c.ada, somewhere)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/delivery")
		})
	}
}
