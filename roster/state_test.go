package roster

import (
	"slices"
	"strings"
	"testing"
)

// states are the nine of RFC 6121 §A.1 by their names in the tables.
var states = map[string]State{
	"None":                  None,
	"None + Pending Out":    PendingOut,
	"None + Pending In":     PendingIn,
	"None + Pending Out+In": PendingOut | PendingIn,
	"To":                    To,
	"To + Pending In":       To | PendingIn,
	"From":                  From,
	"From + Pending Out":    From | PendingOut,
	"Both":                  Both,
}

// row is a row of RFC 6121 Appendix A: "no" stands for SHOULD NOT and MUST NOT,
// "=" for no state change. Reply and notice are from the footnotes and from §3.
type row struct {
	state   string
	forward string
	next    string
	reply   Event
	notice  Notice
}

var outboundTables = map[Event][]row{
	Subscribe: { // Table 2
		{"None", "yes", "None + Pending Out", 0, 0},
		{"None + Pending Out", "yes", "=", 0, 0},
		{"None + Pending In", "yes", "None + Pending Out+In", 0, 0},
		{"None + Pending Out+In", "yes", "=", 0, 0},
		{"To", "yes", "=", 0, 0},
		{"To + Pending In", "yes", "=", 0, 0},
		{"From", "yes", "From + Pending Out", 0, 0},
		{"From + Pending Out", "yes", "=", 0, 0},
		{"Both", "yes", "=", 0, 0},
	},
	Unsubscribe: { // Table 3
		{"None", "yes", "=", 0, 0},
		{"None + Pending Out", "yes", "None", 0, 0},
		{"None + Pending In", "yes", "=", 0, 0},
		{"None + Pending Out+In", "yes", "None + Pending In", 0, 0},
		{"To", "yes", "None", 0, 0},
		{"To + Pending In", "yes", "None + Pending In", 0, 0},
		{"From", "yes", "=", 0, 0},
		{"From + Pending Out", "yes", "From", 0, 0},
		{"Both", "yes", "From", 0, 0},
	},
	Subscribed: { // Table 4, with §3.4.2
		{"None", "no", "None, approved", 0, 0},
		{"None + Pending Out", "no", "None + Pending Out, approved", 0, 0},
		{"None + Pending In", "yes", "From", 0, SendCurrent},
		{"None + Pending Out+In", "yes", "From + Pending Out", 0, SendCurrent},
		{"To", "no", "To, approved", 0, 0},
		{"To + Pending In", "yes", "Both", 0, SendCurrent},
		{"From", "no", "=", 0, 0},
		{"From + Pending Out", "no", "=", 0, 0},
		{"Both", "no", "=", 0, 0},
		{"None, approved", "no", "=", 0, 0},
		{"None + Pending Out, approved", "no", "=", 0, 0},
		{"To, approved", "no", "=", 0, 0},
	},
	Unsubscribed: { // Table 5, with §3.2.2
		{"None", "no", "=", 0, 0},
		{"None + Pending Out", "no", "=", 0, 0},
		{"None + Pending In", "yes", "None", 0, 0},
		{"None + Pending Out+In", "yes", "None + Pending Out", 0, 0},
		{"To", "no", "=", 0, 0},
		{"To + Pending In", "yes", "To", 0, 0},
		{"From", "yes", "None", 0, SendUnavailable},
		{"From + Pending Out", "yes", "None + Pending Out", 0, SendUnavailable},
		{"Both", "yes", "To", 0, SendUnavailable},
		{"None, approved", "no", "None", 0, 0},
		{"None + Pending Out, approved", "no", "None + Pending Out", 0, 0},
		{"To, approved", "no", "To", 0, 0},
	},
}

var inboundTables = map[Event][]row{
	Subscribe: { // Table 6
		{"None", "yes", "None + Pending In", 0, 0},
		{"None + Pending Out", "yes", "None + Pending Out+In", 0, 0},
		{"None + Pending In", "no", "=", 0, 0},
		{"None + Pending Out+In", "no", "=", 0, 0},
		{"To", "yes", "To + Pending In", 0, 0},
		{"To + Pending In", "no", "=", 0, 0},
		{"From", "no", "=", Subscribed, SendCurrent},
		{"From + Pending Out", "no", "=", Subscribed, SendCurrent},
		{"Both", "no", "=", Subscribed, SendCurrent},
		{"None, approved", "no", "From", Subscribed, SendCurrent},
		{"None + Pending Out, approved", "no", "From + Pending Out", Subscribed, SendCurrent},
		{"To, approved", "no", "Both", Subscribed, SendCurrent},
	},
	Unsubscribe: { // Table 7
		{"None", "no", "=", 0, 0},
		{"None + Pending Out", "no", "=", 0, 0},
		{"None + Pending In", "yes", "None", Unsubscribed, 0},
		{"None + Pending Out+In", "yes", "None + Pending Out", Unsubscribed, 0},
		{"To", "no", "=", 0, 0},
		{"To + Pending In", "yes", "To", Unsubscribed, 0},
		{"From", "yes", "None", Unsubscribed, SendUnavailable},
		{"From + Pending Out", "yes", "None + Pending Out", Unsubscribed, SendUnavailable},
		{"Both", "yes", "To", Unsubscribed, SendUnavailable},
		{"None, approved", "no", "=", 0, 0},
		{"To, approved", "no", "=", 0, 0},
	},
	Subscribed: { // Table 8
		{"None", "no", "=", 0, 0},
		{"None + Pending Out", "yes", "To", 0, 0},
		{"None + Pending In", "no", "=", 0, 0},
		{"None + Pending Out+In", "yes", "To + Pending In", 0, 0},
		{"To", "no", "=", 0, 0},
		{"To + Pending In", "no", "=", 0, 0},
		{"From", "no", "=", 0, 0},
		{"From + Pending Out", "yes", "Both", 0, 0},
		{"Both", "no", "=", 0, 0},
		{"None + Pending Out, approved", "yes", "To, approved", 0, 0},
	},
	Unsubscribed: { // Table 9
		{"None", "no", "=", 0, 0},
		{"None + Pending Out", "yes", "None", 0, 0},
		{"None + Pending In", "no", "=", 0, 0},
		{"None + Pending Out+In", "yes", "None + Pending In", 0, 0},
		{"To", "yes", "None", 0, 0},
		{"To + Pending In", "yes", "None + Pending In", 0, 0},
		{"From", "no", "=", 0, 0},
		{"From + Pending Out", "yes", "From", 0, 0},
		{"Both", "yes", "From", 0, 0},
		{"To, approved", "yes", "None, approved", 0, 0},
	},
}

func parseState(t *testing.T, name string) State {
	t.Helper()
	base, approved := strings.CutSuffix(name, ", approved")
	s, ok := states[base]
	if !ok {
		t.Fatalf("the table has an unknown state %q", name)
	}
	if approved {
		s |= Approved
	}
	return s
}

func TestAppendixA(t *testing.T) {
	sides := []struct {
		name   string
		apply  func(State, Event) Outcome
		tables map[Event][]row
	}{
		{"outbound", State.Outbound, outboundTables},
		{"inbound", State.Inbound, inboundTables},
	}
	for _, side := range sides {
		for e := Subscribe; e <= Unsubscribed; e++ {
			seen := map[State]bool{}
			for _, row := range side.tables[e] {
				from := parseState(t, row.state)
				seen[from] = true
				want := Outcome{State: from, Forward: row.forward == "yes", Reply: row.reply, Notice: row.notice}
				if row.next != "=" {
					want.State = parseState(t, row.next)
				}
				if got := side.apply(from, e); got != want {
					t.Errorf("%s %s in %q:\n got %+v (%s)\nwant %+v (%s)", side.name, e, row.state, got, got.State, want, want.State)
				}
			}
			for name, s := range states {
				if !seen[s] {
					t.Errorf("the table of %s %s has no row %q", side.name, e, name)
				}
			}
		}
	}
}

// Whatever two servers send each other, both end with the same idea of who sees
// whom, and an answer never provokes an answer for ever.
func TestBothSidesAgree(t *testing.T) {
	events := []Event{Subscribe, Unsubscribe, Subscribed, Unsubscribed}
	type pair struct{ a, b State }
	seen := map[pair]bool{{}: true}
	todo := []pair{{}}
	// send has one side act and carries the stanzas to and fro.
	send := func(p pair, e Event) pair {
		out := p.a.Outbound(e)
		p.a = out.State
		if !out.Forward {
			return p
		}
		in := p.b.Inbound(e)
		p.b = in.State
		if in.Reply == 0 {
			return p
		}
		back := p.a.Inbound(in.Reply)
		p.a = back.State
		if back.Reply != 0 {
			t.Errorf("%s is answered with %s, and that with %s", e, in.Reply, back.Reply)
		}
		return p
	}
	for len(todo) > 0 {
		p := todo[0]
		todo = todo[1:]
		if p.a.Has(To) != p.b.Has(From) || p.a.Has(From) != p.b.Has(To) {
			t.Errorf("one side is %q, the other %q", p.a, p.b)
		}
		if p.a.Has(PendingOut) != p.b.Has(PendingIn) || p.a.Has(PendingIn) != p.b.Has(PendingOut) {
			t.Errorf("one side is %q, the other %q", p.a, p.b)
		}
		for _, e := range events {
			q := send(p, e)
			r := send(pair{p.b, p.a}, e)
			for _, next := range []pair{q, {r.b, r.a}} {
				if !seen[next] {
					seen[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	if len(seen) < 9 {
		t.Errorf("only %d pairs of states were reached", len(seen))
	}
}

func TestStateNames(t *testing.T) {
	for name, s := range states {
		if s.String() != name {
			t.Errorf("State(%d) is named %q, not %q", s, s, name)
		}
	}
	if got := (To | Approved).String(); got != "To, approved" {
		t.Errorf("got %q", got)
	}
	for s, want := range map[State]string{None: "none", To: "to", From | PendingOut: "from", Both: "both"} {
		if got := s.Subscription().String(); got != want {
			t.Errorf("%s shows as %q, not %q", s, got, want)
		}
	}
}

func TestEventNames(t *testing.T) {
	for e := Subscribe; e <= Unsubscribed; e++ {
		if got, ok := ParseEvent(e.String()); !ok || got != e {
			t.Errorf("%q comes back as %v", e, got)
		}
	}
	for _, typ := range []string{"", "unavailable", "probe", "Subscribe"} {
		if e, ok := ParseEvent(typ); ok {
			t.Errorf("%q is taken for %v", typ, e)
		}
	}
	if Event(9).String() != "" {
		t.Error("an unknown event has a name")
	}
}

// RFC 6121 §2.5.2.
func TestFarewell(t *testing.T) {
	for s, want := range map[State][]Event{
		None:              nil,
		To:                {Unsubscribe},
		From:              {Unsubscribed},
		Both:              {Unsubscribe, Unsubscribed},
		PendingOut:        {Unsubscribe},
		PendingIn:         {Unsubscribed},
		From | PendingOut: {Unsubscribe, Unsubscribed},
		Approved:          nil,
	} {
		if got := s.Farewell(); !slices.Equal(got, want) {
			t.Errorf("removing %q sends %v, not %v", s, got, want)
		}
	}
}
