package availability

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// states is a store of rosters that never change: "ada@x bob@x" is what ada
// thinks of bob.
type states map[string]roster.State

// LoadRoster implements roster.Store.
func (m states) LoadRoster(_ context.Context, owner jid.Bare) (roster.Contents, error) {
	c := roster.Contents{Epoch: 1, Version: 1}
	for pair, state := range m {
		if who, whom, _ := strings.Cut(pair, " "); who == string(owner) {
			c.Items = append(c.Items, roster.Item{Contact: jid.Bare(whom), State: state, Version: 1})
		}
	}
	return c, nil
}

// SaveRoster implements roster.Store; nothing is changed here.
func (states) SaveRoster(context.Context, jid.Bare, roster.Update) error { panic("not called") }

// recorder is a connection that keeps what it is given.
type recorder struct {
	drain
	mu    sync.Mutex
	got   strings.Builder
	known string // what a test takes it to know
}

// Write implements server.Transport.
func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.Write(b)
}

// all returns what it was given.
func (r *recorder) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.String()
}

// notices is a feature that keeps the subscription stanzas that arrive.
type notices struct{ got []string }

// Info implements server.Feature.
func (*notices) Info() server.Info { return server.Info{Name: "notices"} }

// Register implements server.Feature.
func (n *notices) Register(r *server.Registry) {
	r.On(stanza.Presence, server.Arriving, server.Amend, func(p *server.Packet) error {
		n.got = append(n.got, fmt.Sprintf("%s %s %s %s", p.Stanza.Type, p.From, p.To, p.Stanza.ID))
		return nil
	})
}

// house is a server for tests that look inside.
type house struct {
	*crowd
	notices notices
}

func newHouse(t testing.TB, store roster.Store) *house {
	h := &house{crowd: &crowd{t: t, feature: New(roster.NewBook(store, roster.Config{})), scanner: stream.New(stream.DefaultLimits)}}
	h.scanner.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	h.srv = server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 64 << 20},
		Accounts: everybody{}, Features: []server.Feature{h.feature, &h.notices},
	})
	return h
}

// RFC 6121 §4.3.2, rule 1: a subscription that only one side believes in is
// taken back when presence is asked for, by a probe or by coming online.
func TestDisown(t *testing.T) {
	h := newHouse(t, states{
		"ada@x bob@x": roster.To, "ada@x carol@x": roster.PendingOut, "ada@x dan@x": roster.To, "dan@x ada@x": roster.From,
	})
	ada, _ := h.bind("ada@x", "desk")
	for _, who := range []jid.Bare{"bob@x", "carol@x", "dan@x"} {
		s, _ := h.bind(who, "home")
		h.send(s, "<presence/>")
	}
	h.send(ada, "<presence/>")
	h.send(ada, "<presence type='probe' to='bob@x' id='p1'/>")
	h.send(ada, "<presence type='probe' to='carol@x' id='p2'/>") // her request may still wait
	h.send(ada, "<presence type='probe' to='dan@x' id='p3'/>")
	var got []string
	for _, n := range h.notices.got {
		if strings.HasPrefix(n, "unsubscribed") {
			got = append(got, strings.TrimSpace(n))
		}
	}
	want := []string{"unsubscribed bob@x ada@x", "unsubscribed bob@x ada@x p1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

// Messages that waited are delivered when a session begins to take messages:
// not by negative priority, and not again while it goes on taking them.
func TestWilling(t *testing.T) {
	h := newHouse(t, states{})
	var calls []string
	h.feature.OnWilling(func(s *server.Session) { calls = append(calls, "willing") })
	h.feature.OnAvailable(func(s *server.Session) { calls = append(calls, "available") })
	ada, _ := h.bind("ada@x", "desk")
	for _, step := range []struct {
		raw  string
		want string
	}{
		{"<presence><priority>-1</priority></presence>", "available"},
		{"<presence/>", "willing"},
		{"<presence><priority>5</priority></presence>", ""},
		{"<presence><priority>-1</priority></presence>", ""},
		{"<presence><priority>0</priority></presence>", "willing"},
		{"<presence type='unavailable'/>", ""},
		{"<presence/>", "available willing"},
	} {
		calls = nil
		h.send(ada, step.raw)
		if got := strings.Join(calls, " "); got != step.want {
			t.Errorf("%s: %q, not %q", step.raw, got, step.want)
		}
	}
}

// A session directs presence to so many and no more; whoever has been told
// goodbye does not count.
func TestDirectedIsBounded(t *testing.T) {
	h := newHouse(t, states{})
	ada, _ := h.bind("ada@x", "desk")
	out := new(recorder)
	bob, err := h.srv.Bind(t.Context(), server.NewAccount("bob@x", 1), "home", out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxDirected {
		h.send(ada, fmt.Sprintf("<presence to='p%d@x'/>", i))
	}
	h.send(ada, "<presence id='over' to='bob@x/home'/>")
	h.send(ada, "<presence to='p7@x' type='unavailable'/>")
	h.send(ada, "<presence id='under' to='bob@x/home'/>")
	if n := len(h.feature.directed.list(ada)); n != maxDirected {
		t.Errorf("%d are known", n)
	}
	bob.Finish(nil)
	bob.Release()
	bob.End(t.Context())
	if got := out.got.String(); strings.Contains(got, "over") || !strings.Contains(got, "under") {
		t.Errorf("bob has got %q", got)
	}
}

// However publishing and coming online coincide, the last that a watcher hears
// of a contact is what the contact published last.
func TestLastWord(t *testing.T) {
	for round := range 200 {
		h := newHouse(t, states{"ada@x bob@x": roster.Both, "bob@x ada@x": roster.Both})
		ada, _ := h.bind("ada@x", "desk")
		out := new(recorder)
		bob, err := h.srv.Bind(t.Context(), server.NewAccount("bob@x", 1), "home", out)
		if err != nil {
			t.Fatal(err)
		}
		last := "<presence><status>last</status></presence>"
		if round%2 == 1 {
			last = "<presence type='unavailable'><status>last</status></presence>"
		}
		h.send(ada, "<presence/>")
		var done sync.WaitGroup
		done.Go(func() { h.sendAs(ada, "<presence><show>away</show></presence>", last) })
		done.Go(func() { h.sendAs(bob, "<presence/>") })
		done.Wait()
		bob.Finish(nil)
		bob.Release()
		bob.End(t.Context())
		heard := strings.Split(out.got.String(), "<presence")
		final := ""
		for _, p := range heard {
			if strings.Contains(p, "from='ada@x/desk'") {
				final = p
			}
		}
		// Whoever comes after a farewell hears nothing, or a mere farewell if he
		// had been told otherwise.
		gone := strings.Contains(last, "unavailable")
		if ok := strings.Contains(final, "last") || gone && (final == "" || strings.Contains(final, "unavailable")); !ok {
			t.Fatalf("round %d: bob has heard %q", round, heard)
		}
	}
}

// sendAs is send for several at once.
func (c *crowd) sendAs(s *server.Session, all ...string) {
	sc := stream.New(stream.DefaultLimits)
	sc.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	for _, raw := range all {
		sc.Filled(copy(sc.Space(), raw))
		st, err := sc.Next()
		if err == nil {
			err = c.srv.Handle(c.t.Context(), s, st)
		}
		if err != nil {
			c.t.Error(err)
		}
	}
}
