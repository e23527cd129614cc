package roster

import "testing"

// allStates are the states of RFC 6121 §A.1 and pre-approval, which is beside
// those without From.
func allStates() (all []State) {
	for s := range State(1 << 5) {
		switch {
		case s.Has(To | PendingOut), s.Has(From | PendingIn), s.Has(From | Approved), s.Has(PendingIn | Approved):
		default:
			all = append(all, s)
		}
	}
	return all
}

var allEvents = []Event{Subscribe, Unsubscribe, Subscribed, Unsubscribed}

// Where nothing is shared nothing is different.
func TestNothingShared(t *testing.T) {
	for _, s := range allStates() {
		for _, e := range allEvents {
			if got, want := s.OutboundShared(None, e), s.Outbound(e); got != want {
				t.Errorf("%s sent in %q: %+v, not %+v", e, s, got, want)
			}
			if got, want := s.InboundShared(None, e), s.Inbound(e); got != want {
				t.Errorf("%s received in %q: %+v, not %+v", e, s, got, want)
			}
		}
	}
}

// Whatever is shared, the owner's own state goes where RFC 6121 has it go, but for
// what a group has answered already; and nobody hears of a change that makes no
// difference to what is in force.
func TestSharedStaysInForce(t *testing.T) {
	for _, shared := range []State{To, From, Both} {
		for _, own := range allStates() {
			for _, e := range allEvents {
				out, in := own.OutboundShared(shared, e), own.InboundShared(shared, e)
				for what, o := range map[string]Outcome{"sent": out, "received": in} {
					if now := o.State.with(shared); !now.Has(shared) {
						t.Errorf("%s %s in %q with %q shared: in force is %q", e, what, own, shared, now)
					}
					if shared.Has(From) && o.Notice == SendUnavailable {
						t.Errorf("%s %s in %q with %q shared: the contact is told that the owner is gone", e, what, own, shared)
					}
				}
				answered := e == Subscribe && shared.Has(To) || e == Subscribed && shared.Has(From) && !own.Has(PendingIn)
				if want := own.Outbound(e).State; !answered && out.State != want || answered && out.State != own {
					t.Errorf("%s sent in %q with %q shared: own state %q", e, own, shared, out.State)
				}
				answered = e == Subscribe && shared.Has(From)
				if want := own.Inbound(e).State; !answered && in.State != want || answered && in.State != own {
					t.Errorf("%s received in %q with %q shared: own state %q", e, own, shared, in.State)
				}
				if before, now := own.with(shared), in.State.with(shared); in.Forward && before == now {
					t.Errorf("%s received in %q with %q shared: the owner's clients hear of nothing", e, own, shared)
				}
			}
		}
	}
}

func TestShared(t *testing.T) {
	const in, out = false, true
	for _, c := range []struct {
		sent   bool
		own    State
		shared State
		e      Event
		want   Outcome
	}{
		// There is nothing to ask for while a group gives it.
		{out, None, Both, Subscribe, Outcome{State: None, Echo: Subscribed}},
		{out, None, To, Subscribe, Outcome{State: None, Echo: Subscribed}},
		{out, From, To, Subscribe, Outcome{State: From, Echo: Subscribed}},
		{out, None, From, Subscribe, Outcome{State: PendingOut, Forward: true}},
		{in, None, Both, Subscribe, Outcome{State: None, Reply: Subscribed, Notice: SendCurrent}},
		{in, None, From, Subscribe, Outcome{State: None, Reply: Subscribed, Notice: SendCurrent}},
		{in, Approved, From, Subscribe, Outcome{State: Approved, Reply: Subscribed, Notice: SendCurrent}},
		{in, None, To, Subscribe, Outcome{State: PendingIn, Forward: true}},

		// What the two have agreed on can be given up: each side keeps its own
		// account of that, and nobody is told what is not so.
		{out, To, Both, Unsubscribe, Outcome{State: None, Forward: true}},
		{out, None, Both, Unsubscribe, Outcome{State: None}},
		{out, PendingOut, To, Unsubscribe, Outcome{State: None, Forward: true}},
		{in, From, Both, Unsubscribe, Outcome{State: None}},
		{in, From, To, Unsubscribe, Outcome{State: None, Forward: true, Reply: Unsubscribed, Notice: SendUnavailable}},
		{out, From, Both, Unsubscribed, Outcome{State: None, Forward: true}},
		{out, From, To, Unsubscribed, Outcome{State: None, Forward: true, Notice: SendUnavailable}},
		{out, None, Both, Unsubscribed, Outcome{State: None}},
		{in, To, Both, Unsubscribed, Outcome{State: None}},
		{in, To, From, Unsubscribed, Outcome{State: None, Forward: true}},

		// A request that waits can be answered, though it is moot.
		{out, PendingIn, Both, Subscribed, Outcome{State: From, Forward: true}},
		{out, PendingIn, To, Subscribed, Outcome{State: From, Forward: true, Notice: SendCurrent}},
		{out, None, Both, Subscribed, Outcome{State: None}},
		{out, None, To, Subscribed, Outcome{State: Approved}},
		{in, PendingOut, Both, Subscribed, Outcome{State: To}},
		{in, PendingOut, From, Subscribed, Outcome{State: To, Forward: true}},
		{in, None, Both, Subscribed, Outcome{State: None}},
	} {
		got, what := c.own.InboundShared(c.shared, c.e), "received"
		if c.sent {
			got, what = c.own.OutboundShared(c.shared, c.e), "sent"
		}
		if got != c.want {
			t.Errorf("%s %s in %q with %q shared: %+v, not %+v", c.e, what, c.own, c.shared, got, c.want)
		}
	}
}

func TestInForce(t *testing.T) {
	for _, c := range []struct{ own, shared, want State }{
		{None, None, None}, {None, To, To}, {None, Both, Both}, {From, To, Both},
		{PendingOut, To, To}, {PendingOut, From, From | PendingOut}, {PendingOut | PendingIn, Both, Both},
		{PendingIn, From, From}, {PendingIn, To, To | PendingIn}, {Approved, From, From}, {To | Approved, To, To | Approved},
	} {
		if got := c.own.with(c.shared); got != c.want {
			t.Errorf("%q with %q shared is %q, not %q", c.own, c.shared, got, c.want)
		}
	}
}
