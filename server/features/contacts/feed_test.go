package contacts

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// reader is a client that takes what it is sent, or does not for a while. It
// acknowledges when it is asked to.
type reader struct {
	mu      sync.Mutex
	got     bytes.Buffer
	stuck   chan struct{} // closed when it reads again; nil while it does
	aborted bool
	asked   chan struct{}
}

// Write implements server.Transport.
func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	stuck := r.stuck
	r.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got.Write(b)
	if r.asked != nil && bytes.Contains(b, []byte("<r xmlns='urn:xmpp:sm:3'/>")) {
		select {
		case r.asked <- struct{}{}:
		default:
		}
	}
	return len(b), nil
}

func (*reader) Close() error         { return nil }
func (*reader) HangUp(*stream.Fault) {}

// Abort implements server.Transport.
func (r *reader) Abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.aborted = true
}

func (r *reader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stuck = make(chan struct{})
}

func (r *reader) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.stuck)
	r.stuck = nil
}

// pushes returns whom the pushes since the last call were about, and the version
// of the last one.
func (r *reader) pushes() (about []string, ver string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, part := range strings.Split(r.got.String(), "<iq type='set'")[1:] {
		_, rest, _ := strings.Cut(part, " ver='")
		ver, rest, _ = strings.Cut(rest, "'")
		_, rest, _ = strings.Cut(rest, "<item jid='")
		contact, rest, _ := strings.Cut(rest, "'")
		if strings.HasPrefix(rest, " subscription='remove'") {
			contact = "-" + contact
		}
		about = append(about, contact)
	}
	r.got.Reset()
	return about, ver
}

// acknowledge has the session acknowledge all that it is asked to, until the
// server's context is done.
func (r *reader) acknowledge(ctx context.Context, s *server.Session) {
	r.asked = make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-r.asked:
				r.mu.Lock()
				n := bytes.Count(r.got.Bytes(), []byte("<iq type='")) // all since the beginning
				r.mu.Unlock()
				s.Ack(uint32(n))
			case <-ctx.Done():
				return
			}
		}
	}()
}

// refreshed keeps whom sessions were told of anew.
type refreshed struct {
	hidden
	mu  sync.Mutex
	who []jid.Bare
}

// Refresh implements Presence.
func (r *refreshed) Refresh(_ *server.Session, contacts []jid.Bare) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.who = append(r.who, contacts...)
}

// hall is a server whose accounts have nothing but groups.
type hall struct {
	t       *testing.T
	book    *roster.Book
	feature *Feature
	srv     *server.Server
	told    refreshed
}

func newHall(t *testing.T, ctx context.Context) *hall {
	h := &hall{t: t, book: roster.NewBook(paper{}, roster.Config{})}
	h.feature = New(h.book, &h.told)
	h.srv = server.New(ctx, server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 256 << 10},
		Accounts: everybody{}, Features: []server.Feature{h.feature},
	})
	return h
}

// enter binds a client that has asked for the roster.
func (h *hall) enter(who jid.Bare, resource string) (*server.Session, *reader) {
	h.t.Helper()
	r := new(reader)
	s, err := h.srv.Bind(h.srv.Context(), server.NewAccount(who, 1), resource, r)
	if err != nil {
		h.t.Fatal(err)
	}
	says(h.t, h.srv, s, "<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>")
	return s, r
}

func person(i int) jid.Bare { return jid.Bare(fmt.Sprintf("person%04d@x", i)) }

// staff puts a group in force.
func (h *hall) staff(title string, members ...jid.Bare) {
	h.t.Helper()
	g := roster.Group{Name: "staff", Title: title, Mutual: true}
	for _, m := range members {
		g.Members = append(g.Members, roster.Member{JID: m})
	}
	before := h.book.Directory()
	now := roster.NewDirectory([]roster.Group{g}, nil)
	if err := h.book.Adopt(h.srv.Context(), now); err != nil {
		h.t.Fatal(err)
	}
	h.feature.Meet(before, now)
}

func crowd(n int) []jid.Bare {
	all := []jid.Bare{"ada@x"}
	for i := range n {
		all = append(all, person(i))
	}
	return all
}

func (h *hall) version(owner jid.Bare) string {
	r, err := h.book.Of(h.srv.Context(), owner)
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Version()
}

// bubble plays a test with a server whose context ends with it.
func bubble(t *testing.T, play func(t *testing.T, ctx context.Context)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer synctest.Wait()
		defer cancel()
		play(t, ctx)
	})
}

// A change for thousands reaches a client that reads, and acknowledges when it is
// asked to, whatever its outbox holds: each contact once, and presence after it.
func TestManyPushes(t *testing.T) {
	const n = 2500
	for _, managed := range []bool{false, true} {
		bubble(t, func(t *testing.T, ctx context.Context) {
			h := newHall(t, ctx)
			s, r := h.enter("ada@x", "desk")
			if managed {
				synctest.Wait() // the roster is not counted
				r.acknowledge(ctx, s)
				s.Manage(50, 500, nil) // which is much less than there are
				r.pushes()
			}
			h.staff("Staff", crowd(n)...)
			synctest.Wait()
			about, ver := r.pushes()
			if len(about) != n || about[0] != "person0000@x" || !slices.IsSorted(about) || r.aborted {
				t.Errorf("managed %v: %d pushes, aborted %v", managed, len(about), r.aborted)
			}
			if ver != h.version("ada@x") {
				t.Errorf("managed %v: the version in the end is %s, not %s", managed, ver, h.version("ada@x"))
			}
			if len(h.told.who) != n {
				t.Errorf("managed %v: %d are met", managed, len(h.told.who))
			}
			if _, waits := h.feature.feeds.Load(s); waits {
				t.Errorf("managed %v: the feed does not end", managed)
			}
		})
	}
}

// A client that takes nothing is not drowned, and holds nobody up; when it reads
// again it hears what is true by then, and of nothing that is over.
func TestSlowReader(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		h := newHall(t, ctx)
		s, slow := h.enter("ada@x", "desk")
		_, quick := h.enter("ada@x", "phone")
		slow.stop()
		h.staff("Staff", crowd(2500)...)
		synctest.Wait()
		if about, _ := quick.pushes(); len(about) != 2500 {
			t.Errorf("the other client has heard of %d", len(about))
		}
		if len(h.told.who) != 2500 { // by the quick one
			t.Errorf("%d are met before they are told of", len(h.told.who))
		}
		half := crowd(1200)
		h.staff("The staff", half...) // all have another title, and half are gone
		says(t, h.srv, s, "<iq type='set' id='s1'><query xmlns='jabber:iq:roster'><item jid='eve@y' name='Eve'/></query></iq>")
		synctest.Wait()
		slow.goOn()
		synctest.Wait()
		said := slow.got.String()
		if stale, all := strings.Count(said, "<group>Staff<"), strings.Count(said, "ver='"+roster.NoVersion+"'"); stale > 600 || all < 2400 {
			t.Errorf("%d pushes of what is over, and %d that say that nobody knows what the client knows", stale, all)
		}
		about, ver := slow.pushes()
		if ver != h.version("ada@x") || slow.aborted || about[len(about)-1] != "eve@y" {
			t.Errorf("%d pushes, the last of %s with version %s, not %s", len(about), about[len(about)-1], ver, h.version("ada@x"))
		}
		last := map[string]string{}
		for _, a := range about {
			last[strings.TrimPrefix(a, "-")] = a
		}
		for i := range 2500 {
			want := string(person(i))
			if i >= 1200 {
				want = "-" + want
			}
			if last[string(person(i))] != want {
				t.Fatalf("the last word on %s is %q", person(i), last[string(person(i))])
			}
		}
	})
}

// Who asks for the roster has all of it, and is told of nothing again; who is gone
// leaves nothing behind.
func TestFeedIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		h := newHall(t, ctx)
		s, slow := h.enter("ada@x", "desk")
		slow.stop()
		h.staff("Staff", crowd(1500)...)
		synctest.Wait()
		says(t, h.srv, s, "<iq type='get' id='r2'><query xmlns='jabber:iq:roster'/></iq>")
		if len(h.told.who) != 1500 {
			t.Errorf("%d are met", len(h.told.who))
		}
		slow.goOn()
		synctest.Wait()
		slow.mu.Lock()
		_, after, found := strings.Cut(slow.got.String(), "id='r2'")
		slow.mu.Unlock()
		if !found || strings.Contains(after, "<iq type='set'") || strings.Count(after, "<item ") != 1500 {
			t.Errorf("after the roster there are %d pushes", strings.Count(after, "<iq type='set'"))
		}
		slow.stop()
		h.staff("The staff", crowd(1500)...)
		synctest.Wait()
		if !s.Has(h.feature.feeding) {
			t.Fatal("nothing waits")
		}
		slow.goOn()
		s.HangUp(nil)
		s.Release()
		s.End(ctx)
		h.feature.feeds.Range(func(any, any) bool { t.Error("a feed is left"); return false })
		if p, ok := s.Get(h.feature.pin).(*roster.Pin); ok && p != nil {
			t.Error("the roster is held still")
		}
	})
}

// What a change of groups makes different is told behind pushes that wait for
// what goes before them (RFC 6121 §3.1.2).
func TestGroupsBehindTheLine(t *testing.T) {
	bubble(t, func(t *testing.T, ctx context.Context) {
		h := newHall(t, ctx)
		_, r := h.enter("ada@x", "desk")
		var held *turn
		res, err := h.book.Set(ctx, "ada@x", roster.Edit{Contact: "eve@y"}, func(res roster.Result) {
			held = h.feature.line.hold("ada@x", h.feature.pushing("ada@x", res.Push))
		})
		if err != nil {
			t.Fatal(err)
		}
		h.staff("Staff", "ada@x", "bob@x")
		synctest.Wait()
		if about, _ := r.pushes(); len(about) != 0 {
			t.Errorf("%v were overtaken", about)
		}
		h.feature.release("ada@x", held)
		synctest.Wait()
		about, ver := r.pushes()
		if !slices.Equal(about, []string{"eve@y", "bob@x"}) || ver != h.version("ada@x") || ver == res.Push.Version {
			t.Errorf("pushes of %v, with version %s in the end", about, ver)
		}
	})
}

// A queue of many lists becomes one, with everybody in it once.
func TestQueueIsBounded(t *testing.T) {
	var fd feed
	for i := range 3 * maxLists {
		fd.add([][]jid.Bare{{"b@x", person(i % 7)}, {}}, fmt.Sprint(i))
	}
	seen := map[jid.Bare]int{}
	for {
		contact, last, ok := fd.next()
		if !ok {
			break
		}
		seen[contact]++
		if rest := len(fd.queue); rest > maxLists || last != (rest == 1 && len(fd.queue[0]) == 0 || rest == 0 || !slices.ContainsFunc(fd.queue, func(l []jid.Bare) bool { return len(l) > 0 })) {
			t.Fatalf("%d lists, and last is %v", rest, last)
		}
	}
	if len(seen) != 8 || seen["b@x"] > maxLists {
		t.Errorf("seen are %v", seen)
	}
}
