package line

import (
	"slices"
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
)

var now = time.Date(2026, 11, 25, 14, 2, 0, 0, time.UTC)

func ago(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }

// call makes a dialog that began so many seconds ago.
func call(id string, s dialoginfo.State, d dialoginfo.Direction, began int) dialoginfo.Live {
	l := dialoginfo.Live{Dialog: dialoginfo.Dialog{ID: id, CallID: id, State: s, Direction: d}, Began: ago(began), Since: ago(began), Heard: ago(began)}
	l.Remote.Identity = "sip:" + id + "@x"
	if s == dialoginfo.Confirmed {
		l.Answered = l.Since
	}
	return l
}

func held(l dialoginfo.Live, since int) dialoginfo.Live {
	l.Local.Rendering, l.Since = dialoginfo.RenderingNo, ago(since)
	return l
}

func focus(l dialoginfo.Live) dialoginfo.Live {
	l.Remote.Focus = true
	return l
}

func TestOf(t *testing.T) {
	const (
		trying, proceeding, early, confirmed = dialoginfo.Trying, dialoginfo.Proceeding, dialoginfo.Early, dialoginfo.Confirmed
		unsaid, in, out                      = dialoginfo.Unsaid, dialoginfo.Recipient, dialoginfo.Initiator
	)
	resumed := call("a", confirmed, in, 100)
	resumed.Since, resumed.Answered = ago(5), ago(90)
	tests := []struct {
		name         string
		calls        []dialoginfo.Live
		people, lamp State
		with         string // the people's counterpart
		since        int
	}{
		{"no call", nil, Idle, Idle, "", 0},
		{"off the hook", []dialoginfo.Live{call("a", trying, unsaid, 3)}, Dialing, Dialing, "a", 3},
		{"dials", []dialoginfo.Live{call("a", trying, out, 3)}, Dialing, Dialing, "a", 3},
		{"dials, 183", []dialoginfo.Live{call("a", proceeding, out, 3)}, Dialing, Dialing, "a", 3},
		{"dials, 180", []dialoginfo.Live{call("a", early, out, 3)}, Dialing, Dialing, "a", 3},
		{"is called and does not ring yet", []dialoginfo.Live{call("a", trying, in, 3)}, Idle, Idle, "", 0},
		{"is called, 100 with something", []dialoginfo.Live{call("a", proceeding, in, 3)}, Ringing, Ringing, "a", 3},
		{"rings", []dialoginfo.Live{call("a", early, in, 3)}, Ringing, Ringing, "a", 3},
		{"rings, says Asterisk", []dialoginfo.Live{call("a", early, unsaid, 3)}, Ringing, Ringing, "a", 3},
		{"talks", []dialoginfo.Live{call("a", confirmed, in, 3)}, OnCall, OnCall, "a", 3},
		{"terminated is none", []dialoginfo.Live{call("a", dialoginfo.Terminated, in, 3)}, Idle, Idle, "", 0},
		{"holds", []dialoginfo.Live{held(call("a", confirmed, in, 30), 10)}, OnHold, OnHold, "a", 10},
		{"has resumed: it is still the same call", []dialoginfo.Live{resumed}, OnCall, OnCall, "a", 90},
		{"conference", []dialoginfo.Live{focus(call("a", confirmed, out, 3))}, Conference, Conference, "a", 3},
		{"conference on hold", []dialoginfo.Live{held(focus(call("a", confirmed, out, 30)), 3)}, OnHold, OnHold, "a", 3},
		{"holds one, talks in the other", []dialoginfo.Live{held(call("a", confirmed, in, 30), 10), call("b", confirmed, out, 5)}, OnCall, OnCall, "b", 5},
		{"holds both", []dialoginfo.Live{held(call("b", confirmed, in, 20), 9), held(call("a", confirmed, in, 30), 10)}, OnHold, OnHold, "a", 10},
		{"two calls: the older speaks", []dialoginfo.Live{call("b", confirmed, in, 5), call("a", confirmed, in, 30)}, OnCall, OnCall, "a", 30},
		{"talks while another rings", []dialoginfo.Live{call("a", confirmed, in, 30), call("b", early, in, 2)}, OnCall, Ringing, "a", 30},
		{"holds while another rings", []dialoginfo.Live{held(call("a", confirmed, in, 30), 20), call("b", early, in, 2)}, OnHold, Ringing, "a", 20},
		{"holds and dials: a transfer begins", []dialoginfo.Live{held(call("a", confirmed, in, 30), 8), call("b", early, out, 5)}, OnHold, OnHold, "a", 8},
		{"dials while another rings", []dialoginfo.Live{call("a", early, in, 30), call("b", early, out, 2)}, Dialing, Ringing, "b", 2},
		{"talks and adds a conference", []dialoginfo.Live{call("a", confirmed, in, 30), focus(call("b", confirmed, out, 2))}, Conference, Conference, "b", 2},
	}
	for _, tt := range tests {
		e := Of(tt.calls, People)
		with, since := "", time.Time{}
		if tt.with != "" {
			with, since = "sip:"+tt.with+"@x", ago(tt.since)
		}
		if e.State != tt.people || e.Counterpart != with || !e.Since.Equal(since) || e.Ref != tt.with {
			t.Errorf("%s: people %+v, want %v with %s since %v", tt.name, e, tt.people, with, since)
		}
		if e := Of(tt.calls, Lamp); e.State != tt.lamp {
			t.Errorf("%s: lamp %v, want %v", tt.name, e.State, tt.lamp)
		}
	}
}

func TestCalls(t *testing.T) {
	two := []dialoginfo.Live{
		call("a", dialoginfo.Confirmed, dialoginfo.Recipient, 9), call("b", dialoginfo.Early, dialoginfo.Recipient, 1),
		call("c", dialoginfo.Trying, dialoginfo.Recipient, 1),
	}
	if e := Of(two, People); e.Calls != 2 || !e.Inbound {
		t.Errorf("%+v", e)
	}
	// One of two ends: still on the call.
	if e := Of(two[:1], People); e.Calls != 1 || e.State != OnCall {
		t.Errorf("%+v", e)
	}
}

func TestStatesAreInTheCatalogue(t *testing.T) {
	all, _ := presence.BuiltIn()
	for s := Ringing; s <= Conference; s++ {
		for _, kind := range []presence.Kind{presence.Person, presence.Device} {
			if !slices.ContainsFunc(all, func(x presence.State) bool { return x.Kind == kind && x.ID == s.String() }) {
				t.Errorf("%s of kind %d is not", s, kind)
			}
		}
	}
}

func TestContribution(t *testing.T) {
	c := call("bob", dialoginfo.Confirmed, dialoginfo.Recipient, 60)
	c.Remote.Display = "Bob"
	got, ok := Of([]dialoginfo.Live{c}, People).Contribution("phone/2001")
	want := presence.Contribution{
		Source: "phone/2001", Axis: presence.Engagement, State: "on_call", Since: ago(60),
		Facets: presence.Facets{Counterpart: "Bob", Inbound: true, Ref: "bob"},
	}
	if !ok || got != want {
		t.Errorf("%+v", got)
	}
	c.Remote = dialoginfo.Party{Target: "sip:10.0.0.9"}
	if got, _ := Of([]dialoginfo.Live{c}, People).Contribution("x"); got.Facets.Counterpart != "sip:10.0.0.9" {
		t.Errorf("%+v", got)
	}
	if _, ok := Of(nil, People).Contribution("x"); ok {
		t.Error("an idle line contributes")
	}
}

// A transfer with REFER, as the phone of the one who transfers tells it: the call
// that was held is replaced, and nothing is left of either.
func TestTransferLeavesNoGhost(t *testing.T) {
	var table dialoginfo.Table
	party := dialoginfo.Party{Target: "sip:alice@pc"}
	onHold := party
	onHold.Rendering = dialoginfo.RenderingNo
	first := dialoginfo.Dialog{ID: "1", CallID: "c1", LocalTag: "l", RemoteTag: "r", State: dialoginfo.Confirmed, Local: party}
	second := dialoginfo.Dialog{ID: "2", CallID: "c2", LocalTag: "l", State: dialoginfo.Early, Direction: dialoginfo.Initiator, Local: party}
	steps := []struct {
		dialogs []dialoginfo.Dialog
		want    State
	}{
		{[]dialoginfo.Dialog{first}, OnCall},
		{[]dialoginfo.Dialog{{ID: "1", State: dialoginfo.Confirmed, Local: onHold}}, OnHold},
		{[]dialoginfo.Dialog{second}, OnHold},
		{[]dialoginfo.Dialog{{ID: "2", RemoteTag: "s", State: dialoginfo.Confirmed}}, OnCall},
		{[]dialoginfo.Dialog{{ID: "1", State: dialoginfo.Terminated, Event: "replaced"}}, OnCall},
		{[]dialoginfo.Dialog{{ID: "2", State: dialoginfo.Terminated, Event: "remote-bye"}}, Idle},
	}
	for i, s := range steps {
		doc := &dialoginfo.Document{Version: uint32(i), Partial: i > 0, Dialogs: s.dialogs}
		table.Apply(doc, now.Add(time.Duration(i)*time.Second))
		if e := Of(table.Live(), People); e.State != s.want {
			t.Errorf("step %d: %v, want %v", i, e.State, s.want)
		}
	}
}
