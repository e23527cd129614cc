package offline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func TestDecide(t *testing.T) {
	for inner, want := range map[string]Fate{
		"":                       Wait,
		"<body>x</body>":         Wait,
		"<subject>x</subject>":   Wait,
		"<thing xmlns='urn:x'/>": Wait,
		"<active xmlns='http://jabber.org/protocol/chatstates'/>":                                                 Drop,
		"<gone xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread>":                                 Drop,
		"<active xmlns='http://jabber.org/protocol/chatstates'/><body>x</body>":                                   Wait,
		"<active xmlns='http://jabber.org/protocol/chatstates'/><origin-id xmlns='urn:xmpp:sid:0' id='1'/>":       Drop,
		"<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>":             Wait,
		"<body>x</body><no-store xmlns='urn:xmpp:hints'/>":                                                        Refuse,
		"<thing xmlns='urn:x'/><no-store xmlns='urn:xmpp:hints'/>":                                                Drop,
		"<body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/>":                                              Wait,
		"<active xmlns='http://jabber.org/protocol/chatstates'/><body>x</body><no-store xmlns='urn:xmpp:hints'/>": Refuse,
	} {
		l := stream.Limits{Stanza: 1 << 12, Tag: 1 << 12, Depth: 16, Attrs: 16, Namespaces: 1 << 12}
		sc := stream.New(l)
		sc.Reset(l, stanza.NSClient, nil)
		st, err := sc.Whole([]byte("<message>" + inner + "</message>"))
		if err != nil {
			t.Fatal(err)
		}
		if got := Decide(st); got != want {
			t.Errorf("%s: %d", inner, got)
		}
	}
}

func TestSplit(t *testing.T) {
	for raw, want := range map[string]string{
		"<message/>":                        "<message>+</message>",
		"<message to='x'/>":                 "<message to='x'>+</message>",
		"<message><body>a</body></message>": "<message><body>a</body>+</message>",
	} {
		head, tail := split([]byte(raw))
		if got := string(head) + "+" + string(tail); got != want {
			t.Errorf("%s: %s", raw, got)
		}
	}
}

// shelf is a store in memory, for one account.
type shelf struct {
	f *Feature // fixed

	mu    sync.Mutex // guards the fields below
	all   []Message
	pages int
}

// Page implements Store.
func (s *shelf) Page(_ context.Context, _, after int64, max, bytes int) (page []Message, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages++
	size := 0
	for _, m := range s.all {
		if m.ID <= after {
			continue
		}
		if len(page) == max || len(page) > 0 && size >= bytes {
			return page, true, nil
		}
		page, size = append(page, m), size+len(m.Stanza)
	}
	return page, false, nil
}

// Count implements Store.
func (s *shelf) Count(context.Context, int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all), nil
}

// Drop implements Store.
func (s *shelf) Drop(account int64, ids []int64) {
	s.mu.Lock()
	s.all = slices.DeleteFunc(s.all, func(m Message) bool { return slices.Contains(ids, m.ID) })
	s.mu.Unlock()
	for _, id := range ids {
		s.f.Gone(account, id)
	}
}

func (s *shelf) put(id int64, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw := fmt.Sprintf("<message from='bob@x/home' to='ada@x' id='%d'><body>%s</body></message>", id, strings.Repeat("x", size))
	s.all = append(s.all, Message{ID: id, Stored: id, Stanza: []byte(raw)})
}

type onlyAda struct{}

func (onlyAda) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

// pipe is a connection whose client reads when it is let to.
type pipe struct {
	mu   sync.Mutex
	got  strings.Builder
	gate chan struct{} // closed: reads
}

// Write implements server.Transport.
func (p *pipe) Write(b []byte) (int, error) {
	<-p.gate
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.Write(b)
}

// Close implements server.Transport.
func (p *pipe) Close() error { return nil }

// Abort implements server.Transport.
func (p *pipe) Abort() {}

// HangUp implements server.Connection.
func (p *pipe) HangUp(*stream.Fault) {}

func (p *pipe) ids() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range strings.Split(p.got.String(), " id='")[1:] {
		id, _, _ := strings.Cut(part, "'")
		all = append(all, id)
	}
	return all
}

func online(t *testing.T, srv *server.Server, resource string) (*server.Session, *pipe) {
	t.Helper()
	p := &pipe{gate: make(chan struct{})}
	s, err := srv.Bind(t.Context(), server.NewAccount("ada@x", 1), resource, p)
	if err != nil {
		t.Fatal(err)
	}
	s.SetAvailability(&server.Availability{})
	return s, p
}

func house(t *testing.T, f *Feature) *server.Server {
	return server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20},
		Accounts: onlyAda{}, Features: []server.Feature{f},
	})
}

// More waits than an outbox holds: it comes in pieces, each once, in order.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		f := New(Config{}, Parts{Store: store})
		store.f = f
		srv := house(t, f)
		var want []string
		for id := int64(1); id <= 400; id++ {
			store.put(id, 10_000) // 4 MB in all
			want = append(want, fmt.Sprint(id))
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		s, p := online(t, srv, "desk")
		f.Deliver(s)
		synctest.Wait()
		if n := s.Unacked(); n == 0 || n > windowBytes/10_000+1 {
			t.Errorf("%d messages at once", n)
		}
		f.Deliver(s) // presence again changes nothing
		close(p.gate)
		synctest.Wait()
		if got := p.ids(); !slices.Equal(got, want) {
			t.Errorf("there came %v", got)
		}
		if n, _ := store.Count(t.Context(), 1); n != 0 {
			t.Errorf("%d are left", n)
		}
		// Nothing is asked of the store for who has nothing.
		before := store.pages
		f.Deliver(s)
		if store.pages != before {
			t.Error("the store was asked although nothing waits")
		}
		if b := f.boxes[1]; b != nil && (len(b.claimed) != 0 || len(b.takers) != 0) {
			t.Errorf("left behind: %+v", b)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.End(t.Context())
	})
}

// What one session took and never got goes to the other one that is there.
func TestClaimsOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		f := New(Config{}, Parts{Store: store})
		store.f = f
		srv := house(t, f)
		for id := int64(1); id <= 3; id++ {
			store.put(id, 10)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		first, p1 := online(t, srv, "desk")
		first.Manage(0, 0, nil) // acknowledges, or rather does not
		close(p1.gate)
		f.Deliver(first)
		second, p2 := online(t, srv, "phone")
		close(p2.gate)
		f.Deliver(second)
		synctest.Wait()
		if a, b := len(p1.ids()), len(p2.ids()); a != 3 || b != 0 {
			t.Errorf("the desk got %d, the phone %d", a, b)
		}
		if err := first.Ack(1); err != nil {
			t.Fatal(err)
		}
		first.End(t.Context())
		synctest.Wait()
		if got := p2.ids(); !slices.Equal(got, []string{"2", "3"}) {
			t.Errorf("the phone got %v", got)
		}
		// What comes to be stored now is handed out at once.
		if err := f.admit(t.Context(), server.NewAccount("ada@x", 1), f.cfg.MaxMessages); err != nil {
			t.Fatal(err)
		}
		store.put(4, 10)
		f.Waits(1, 4, true)
		synctest.Wait()
		if got := p2.ids(); len(got) != 3 {
			t.Errorf("the phone got %v", got)
		}
		f.Deliver(first) // too late
		if n := len(f.boxes[1].takers); n != 0 {
			t.Errorf("%d takers", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		second.End(t.Context())
	})
}

// A full box is counted anew before senders are refused for long.
func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &shelf{}
		f := New(Config{MaxMessages: 2}, Parts{Store: store})
		store.f = f
		house(t, f)
		a := server.NewAccount("ada@x", 1)
		for range 2 {
			if err := f.admit(t.Context(), a, f.cfg.MaxMessages); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.admit(t.Context(), a, f.cfg.MaxMessages); err == nil {
			t.Error("a third is admitted")
		}
		f.Waits(1, 2, false) // could not be stored
		if err := f.admit(t.Context(), a, f.cfg.MaxMessages); err != nil {
			t.Error("the room of a lost message is not given back")
		}
		if err := f.admit(t.Context(), a, f.cfg.MaxMessages); err == nil {
			t.Error("a third is admitted")
		}
		time.Sleep(2 * recountAfter) // and somebody else has emptied the box
		if err := f.admit(t.Context(), a, f.cfg.MaxMessages); err != nil {
			t.Errorf("after a new count: %v", err)
		}
	})
}
