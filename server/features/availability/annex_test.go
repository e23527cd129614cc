package availability

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// gateway is a service that writes down what it takes.
type gateway struct {
	knows bool
	mu    sync.Mutex
	got   []string
}

// Take implements server.Service.
func (g *gateway) Take(p *server.Packet) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.got = append(g.got, string(p.Append(nil)))
	return nil
}

// KnowsWatchers implements server.Witness.
func (g *gateway) KnowsWatchers() bool { return g.knows }

func (g *gateway) taken() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := strings.Join(g.got, "\n")
	g.got = nil
	return all
}

// newAnnexed is newHouse with an annex, whose service is g.
func newAnnexed(t testing.TB, store roster.Store, g server.Service) *house {
	book := roster.NewBook(store, roster.Config{})
	h := &house{crowd: &crowd{t: t, feature: New(book), scanner: stream.New(stream.DefaultLimits)}}
	h.scanner.Reset(stream.DefaultLimits, stanza.NSClient, nil)
	h.srv = server.New(t.Context(), server.Options{
		Config:   server.Config{Domains: []server.Domain{{Name: "x"}}, Annexes: []string{"phones.x"}, OutboxBytes: 64 << 20},
		Accounts: everybody{}, Features: []server.Feature{h.feature},
	})
	err := book.Adopt(t.Context(), roster.NewDirectory([]roster.Group{
		{Name: "staff", Members: []roster.Member{{JID: "ada@x"}}},
		{Name: "doors", Members: []roster.Member{{JID: "south@phones.x"}}, VisibleTo: []string{"staff"}},
	}, nil))
	if err == nil {
		err = h.srv.Annex("phones.x").Attach(g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A service that knows by itself whom groups show to whom is not asked for them;
// what two have agreed on between themselves only they know.
func TestKnowsWatchers(t *testing.T) {
	synctest.Test(t, knowsWatchers)
}

func knowsWatchers(t *testing.T) {
	for knows, want := range map[bool]string{
		false: "<presence type='probe' from='ada@x' to='north@phones.x'/>\n<presence type='probe' from='ada@x' to='south@phones.x'/>",
		true:  "<presence type='probe' from='ada@x' to='north@phones.x'/>",
	} {
		g := &gateway{knows: knows}
		h := newAnnexed(t, states{"ada@x north@phones.x": roster.To}, g)
		synctest.Wait() // it is asked about those who are there already: nobody
		ada, _ := h.bind("ada@x", "desk")
		h.send(ada, "<presence/>")
		if got := g.taken(); got != want {
			t.Errorf("knows: %v: asked\n%s\nnot\n%s", knows, got, want)
		}
		h.feature.Refresh(ada, []jid.Bare{"south@phones.x"})
		if asked := g.taken() != ""; asked == knows {
			t.Errorf("knows: %v: after a change of groups it is asked: %v", knows, asked)
		}
	}
}

// host is a gateway that shows contacts itself.
type host struct {
	*gateway
	shown [][]jid.Bare
}

// Introduce implements server.Host.
func (h *host) Introduce(to *server.Session, contacts []jid.Bare) {
	h.shown = append(h.shown, slices.Clone(contacts))
}

// A service that shows contacts itself gets no probe for any of them, however many.
func TestHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		subscribed := states{}
		for i := range 3 * atOnce {
			subscribed[fmt.Sprintf("ada@x p%d@phones.x", i)] = roster.To
		}
		h := &host{gateway: &gateway{knows: false}}
		in := newAnnexed(t, subscribed, h)
		synctest.Wait()
		ada, _ := in.bind("ada@x", "desk")
		in.send(ada, "<presence/>")
		n := 0
		for _, list := range h.shown {
			if n += len(list); len(list) > atOnce {
				t.Errorf("%d at once", len(list))
			}
		}
		if asked := h.taken(); n != 3*atOnce+1 || len(h.shown) != 4 || asked != "" {
			t.Errorf("%d are shown in %d pieces, and asked is %q", n, len(h.shown), asked)
		}
		in.feature.Refresh(ada, []jid.Bare{"south@phones.x"})
		if asked := h.taken(); len(h.shown) != 5 || asked != "" {
			t.Errorf("after a change of groups %d pieces, and asked is %q", len(h.shown), asked)
		}
		in.send(ada, "<presence><show>away</show></presence>")
		if len(h.shown) != 5 {
			t.Error("whoever was there is shown all again")
		}
	})
}

// However publishing and a change of what was published coincide, an annex hears
// last what is true.
func TestLastWordToAnAnnex(t *testing.T) {
	for round := range 200 {
		g := new(gateway)
		h := newAnnexed(t, states{"ada@x lamp@phones.x": roster.From}, g)
		ada, _ := h.bind("ada@x", "desk")
		h.send(ada, "<presence/>")
		last := "<presence id='last'/>"
		if round%2 == 1 {
			last = "<presence type='unavailable'/>"
		}
		var all sync.WaitGroup
		all.Go(func() { h.feature.Amend(ada, marking(fmt.Sprint(round))) })
		all.Go(func() { h.sendAs(ada, last) })
		all.Go(func() { h.feature.Show("ada@x", "lamp@phones.x") })
		all.Wait()
		want := "<presence type='unavailable' from='ada@x/desk' to='lamp@phones.x'/>"
		if a := ada.Availability(); a != nil {
			want = string(a.Head) + "lamp@phones.x" + string(a.Tail)
		}
		got := slices.DeleteFunc(strings.Split(g.taken(), "\n"), func(p string) bool { return !strings.Contains(p, "lamp") })
		if heard := got[len(got)-1]; heard != want {
			t.Fatalf("round %d: heard last %s, and she is %s, of %q", round, heard, want, got)
		}
	}
}

// What a session sees of annexes is known up to a number, and forgotten with it.
func TestSightingsAreBounded(t *testing.T) {
	h := newAnnexed(t, states{}, new(gateway))
	ada, _ := h.bind("ada@x", "desk")
	h.send(ada, "<presence/>")
	x := h.srv.Annex("phones.x")
	post := func(from, typ string) {
		if err := x.Post(t.Context(), []byte("<presence from='"+from+"' to='ada@x'"+typ+"/>")); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxSightings + 10 {
		post(fmt.Sprintf("p%d@phones.x", i), "")
	}
	post("p0@phones.x", " type='unavailable'")
	all := func(jid.JID) bool { return true }
	if n := len(h.feature.sighted.take(ada, all)); n != maxSightings-1 {
		t.Errorf("%d are known", n)
	}
	post("p1@phones.x", "")
	h.send(ada, "<presence type='unavailable'/>")
	if n := len(h.feature.sighted.take(ada, all)); n != 0 {
		t.Errorf("%d are known of a session that is not available", n)
	}
}
