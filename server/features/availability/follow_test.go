package availability

import (
	"context"
	"strings"
	"sync"
	"testing"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// blind is a filter that lets no presence through.
type blind struct{}

// Denies implements server.Filter.
func (*blind) Denies(_ bool, k stanza.Kind, _ jid.JID) bool { return k == stanza.Presence }

// Refusal implements server.Filter.
func (*blind) Refusal(jid.JID) error { return stanza.ErrNotAcceptable }

// sighting is what somebody believes of a contact by what was received.
func sighting(received, from string) (heard string, available bool) {
	for _, p := range strings.Split(received, "<presence") {
		if strings.Contains(p, "from='"+from+"'") {
			heard, available = p, !strings.Contains(p, "unavailable")
		}
	}
	return heard, available
}

// However filters change while people come, publish and leave: in the end each
// believes of the other what is true, and may be known.
func TestFollowRaces(t *testing.T) {
	for round := range 400 {
		h := newHouse(t, states{"ada@x bob@x": roster.Both, "bob@x ada@x": roster.Both})
		outs := map[string]*recorder{}
		bind := func(who jid.Bare, resource string) *server.Session {
			out := new(recorder)
			s, err := h.srv.Bind(t.Context(), server.NewAccount(who, 1), resource, out)
			if err != nil {
				t.Fatal(err)
			}
			outs[s.JID.String()] = out
			return s
		}
		ada, bob := bind("ada@x", "desk"), bind("bob@x", "home")
		h.send(ada, "<presence/>")
		if round%2 == 0 {
			h.send(bob, "<presence/>")
		}
		leaves, stays := round%3 == 0, round%5 == 0
		flip := func(s *server.Session, times int) {
			for range times {
				h.feature.Follow(s.Account, nil, func() {
					if s.Account.Filter() == nil {
						s.Account.SetFilter(new(blind))
					} else {
						s.Account.SetFilter(nil)
					}
				})
			}
		}
		var all sync.WaitGroup
		all.Go(func() { flip(ada, 1+round%4) })
		all.Go(func() { flip(bob, round%2) })
		all.Go(func() {
			h.sendAs(ada, "<presence><show>away</show></presence>", "<presence><show>xa</show></presence>")
			if leaves {
				h.sendAs(ada, "<presence type='unavailable'/>")
			}
		})
		all.Go(func() {
			if !stays {
				h.sendAs(bob, "<presence/>")
			}
		})
		all.Wait()
		for _, pair := range [][2]*server.Session{{ada, bob}, {bob, ada}} {
			of, who := pair[0], pair[1]
			if who.Availability() == nil {
				continue
			}
			want := of.Availability() != nil && sees(who, of)
			who.Finish(nil)
			who.Release()
			who.End(context.Background())
			heard, got := sighting(outs[who.JID.String()].got.String(), of.JID.String())
			if got != want {
				t.Fatalf("round %d: %s takes %s for available: %v, last heard %q; received %q", round, who.JID, of.JID, got, heard, outs[who.JID.String()].got.String())
			}
			if want && leaves == false && of == ada && !strings.Contains(heard, "xa") {
				t.Fatalf("round %d: %s has last heard %q", round, who.JID, heard)
			}
		}
	}
}

// Whoever is cut off while filters change is not left behind as a ghost.
func TestFollowGhosts(t *testing.T) {
	for round := range 300 {
		h := newHouse(t, states{"ada@x bob@x": roster.Both, "bob@x ada@x": roster.Both})
		ada, _ := h.bind("ada@x", "desk")
		h.bind("ada@x", "phone") // whose client changes the filter
		out := new(recorder)
		bob, err := h.srv.Bind(t.Context(), server.NewAccount("bob@x", 1), "home", out)
		if err != nil {
			t.Fatal(err)
		}
		h.send(ada, "<presence/>")
		h.send(bob, "<presence/>")
		var all sync.WaitGroup
		all.Go(func() { h.feature.Follow(ada.Account, nil, func() { ada.Account.SetFilter(new(blind)) }) })
		all.Go(func() {
			ada.Finish(nil)
			ada.Release()
			ada.End(context.Background())
		})
		if round%2 == 0 {
			all.Go(func() { h.feature.Follow(bob.Account, nil, func() { bob.Account.SetFilter(new(blind)) }) })
		}
		all.Wait()
		bob.Finish(nil)
		bob.Release()
		bob.End(context.Background())
		if heard, there := sighting(out.got.String(), "ada@x/desk"); there {
			t.Fatalf("round %d: bob has last heard %q of %q", round, heard, out.got.String())
		}
	}
}
