package presence

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// at is so many minutes after noon.
func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// said makes a contribution since noon that holds for the day.
func said(source, state string, change ...func(*Contribution)) Contribution {
	c := Contribution{Source: source, Axis: Willingness, State: state, Since: noon, Expires: noon.Add(12 * time.Hour)}
	if SourceKind(source) == FromPhone {
		c.Axis = Engagement
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func by(ch Channel) func(*Contribution)     { return func(c *Contribution) { c.Channels = ch } }
func since(minutes int) func(*Contribution) { return func(c *Contribution) { c.Since = at(minutes) } }
func expires(minutes int) func(*Contribution) {
	return func(c *Contribution) { c.Expires = at(minutes) }
}
func until(minutes int) func(*Contribution) {
	return func(c *Contribution) { c.Facets.Until = at(minutes) }
}
func text(s string) func(*Contribution)      { return func(c *Contribution) { c.Facets.Text = s } }
func lapse(state string) func(*Contribution) { return func(c *Contribution) { c.Lapse = state } }
func stale(c *Contribution)                  { c.Stale = true }
func reach(c *Contribution)                  { c.Axis = Reachability }

var (
	desk    = said("client/desk", "available", by(Chat))
	phone   = said("phone/2001", "phone_only", by(Voice), reach)
	onCall  = said("phone/2001", "on_call", since(2))
	ready   = said("registrar", "idle", by(Voice))
	meeting = said("calendar/1", "meeting", since(1), until(60))
)

// mergeTests are the rules of the merge, in its order. It is five past noon.
var mergeTests = []struct {
	name   string
	kind   Kind
	cs     []Contribution
	terms  Terms
	state  string
	beside string
	source string // of the winner
	change func(*Effective)
}{
	// Nothing is known.
	{name: "nothing is said", state: "offline"},
	{name: "nothing is said of a device", kind: Device, state: "offline"},
	{name: "nothing is said of a team", kind: Team, state: "offline"},

	// 1. What has expired does not count.
	{name: "expired", cs: []Contribution{said("client/desk", "available", by(Chat), expires(4))}, state: "offline"},
	{name: "expires now", cs: []Contribution{said("client/desk", "available", by(Chat), expires(5))}, state: "offline"},
	{name: "expires in a moment", cs: []Contribution{said("client/desk", "available", by(Chat), expires(6))}, state: "available", source: "client/desk"},
	{name: "without an end it does not count", cs: []Contribution{{Source: "client/desk", State: "available", Channels: Chat, Since: noon}}, state: "offline"},
	{name: "an expired restriction does not count", cs: []Contribution{desk, said("manual", "dnd", expires(5))}, state: "available", source: "client/desk"},
	{name: "a silent device lapses", kind: Device, cs: []Contribution{ready, said("upstream", "on_call", expires(4), lapse("unknown"))}, state: "unknown", source: "upstream"},
	{name: "it does so without any other word", kind: Device, cs: []Contribution{said("upstream", "idle", by(Voice), expires(4), lapse("unknown"))}, state: "unknown", source: "upstream"},
	{name: "one that is said to be offline is", kind: Device, cs: []Contribution{said("upstream", "idle", by(Voice), expires(4), lapse("unknown")), said("registrar", "offline")}, state: "offline", source: "registrar"},
	{name: "a lapsed one vouches for no channel", kind: Device, cs: []Contribution{said("registrar", "idle", by(Voice), expires(4), lapse("offline"))}, state: "offline", source: "registrar"},
	{name: "a person has no share in silence", cs: []Contribution{desk, said("phone/2001", "on_call", expires(4))}, state: "available", source: "client/desk"},

	// 2. Masks.
	{name: "a meeting", cs: []Contribution{desk, meeting}, state: "meeting", source: "calendar/1"},
	{name: "Available after it began masks a meeting", cs: []Contribution{desk, meeting, said("manual", "available", since(2))}, state: "available", source: "manual"},
	{name: "Available before it began does not", cs: []Contribution{desk, meeting, said("manual", "available")}, state: "meeting", source: "calendar/1"},
	{name: "Available at the moment it began does not", cs: []Contribution{desk, meeting, said("manual", "available", since(1))}, state: "meeting", source: "calendar/1"},
	{name: "nor does the one of a client", cs: []Contribution{said("client/desk", "available", by(Chat), since(3)), meeting}, state: "meeting", source: "calendar/1"},
	{name: "nor one that has expired", cs: []Contribution{desk, meeting, said("manual", "available", since(2), expires(3))}, state: "meeting", source: "calendar/1"},
	{name: "the newest Available counts", cs: []Contribution{desk, meeting, said("manual", "available", since(2)), said("manual", "available")}, state: "available", source: "manual"},
	{name: "the next event is not masked", cs: []Contribution{desk, meeting, said("manual", "available", since(2)), said("calendar/2", "presenting", since(4))}, state: "presenting", source: "calendar/2"},
	{name: "a meeting that is held is not masked", cs: []Contribution{desk, said("video/1", "meeting"), said("manual", "available", since(2))}, state: "meeting", source: "video/1"},
	{name: "Available masks idling, before and after", cs: []Contribution{said("client/desk", "idle", by(Chat), since(4)), said("client/phone", "long_idle", by(Chat|Mobile), since(-9)), said("manual", "available", since(2))}, state: "available", source: "manual"},
	{name: "Available never masks a call", cs: []Contribution{desk, onCall, said("manual", "available", since(3))}, state: "on_call", source: "phone/2001"},
	{name: "nor a shift", cs: []Contribution{desk, said("shift", "off_duty"), said("manual", "available", since(3))}, state: "off_duty", source: "shift"},
	{name: "nor a later do not disturb", cs: []Contribution{said("client/desk", "dnd", by(Chat), since(4)), said("manual", "available", since(3))}, state: "dnd", source: "client/desk"},
	{name: "nor policy", cs: []Contribution{desk, said("role/fire", "emergency"), said("manual", "available", since(3))}, state: "emergency", source: "role/fire"},
	{name: "do not disturb masks nothing, and outranks", cs: []Contribution{desk, meeting, said("manual", "dnd", since(3))}, state: "dnd", source: "manual"},
	{name: "off duty outranks", cs: []Contribution{desk, onCall, said("manual", "off_duty")}, state: "off_duty", beside: "on_call", source: "manual"},
	{name: "the channel of an idle client counts", cs: []Contribution{said("client/desk", "idle", by(Chat)), said("manual", "available")}, state: "available", source: "manual", change: func(e *Effective) { e.Channels = Chat }},

	// 3. The highest rank, then the newest, then the first by name.
	{name: "the highest rank", cs: []Contribution{desk, said("manual", "break"), onCall}, state: "on_call", source: "phone/2001"},
	{name: "the newest of equal rank", cs: []Contribution{desk, said("manual", "break"), said("api/x", "lunch", since(1))}, state: "lunch", source: "api/x"},
	{name: "the first by name of equals", cs: []Contribution{said("client/b", "available", by(Chat)), said("client/a", "available", by(Chat))}, state: "available", source: "client/a"},
	{name: "any client that is there", cs: []Contribution{desk, said("client/phone", "idle", by(Chat|Mobile))}, state: "available", source: "client/desk"},
	{name: "a custom state", cs: []Contribution{desk, said("manual", "custom:site_visit", text("Pier 4"))}, state: "custom:site_visit", source: "manual"},
	{name: "a state of a person that there is not only reaches", cs: []Contribution{said("client/desk", "sleepy", by(Chat))}, state: "idle"},
	{name: "a state of a device that there is not is unknown", kind: Device, cs: []Contribution{ready, said("api/x", "sleepy")}, state: "unknown", source: "api/x"},

	// 4. What is mentioned beside the winner.
	{name: "a call beside do not disturb", cs: []Contribution{desk, onCall, said("manual", "dnd")}, state: "dnd", beside: "on_call", source: "manual"},
	{name: "a call on hold too", cs: []Contribution{desk, said("phone/2001", "on_hold"), said("manual", "dnd")}, state: "dnd", beside: "on_hold", source: "manual"},
	{name: "a meeting beside a call", cs: []Contribution{desk, onCall, meeting}, state: "on_call", beside: "meeting", source: "phone/2001"},
	{name: "the highest one beside a call", cs: []Contribution{desk, onCall, meeting, said("bot", "incident")}, state: "on_call", beside: "incident", source: "phone/2001"},
	{name: "a masked meeting is not mentioned", cs: []Contribution{desk, onCall, meeting, said("manual", "available", since(3))}, state: "on_call", source: "phone/2001"},
	{name: "a break is not", cs: []Contribution{desk, onCall, said("manual", "break")}, state: "on_call", source: "phone/2001"},
	{name: "ringing is no call that is up", cs: []Contribution{desk, said("phone/2001", "ringing"), said("manual", "dnd")}, state: "dnd", source: "manual"},
	{name: "a second call is not", cs: []Contribution{desk, onCall, said("phone/2002", "on_hold")}, state: "on_call", source: "phone/2001"},

	// 5. The gate.
	{name: "nothing can be reached", cs: []Contribution{said("manual", "available")}, state: "offline"},
	{name: "not even to say do not disturb", cs: []Contribution{said("manual", "dnd"), said("phone/2001", "on_call")}, state: "offline"},
	{name: "but in an emergency", cs: []Contribution{said("role/fire", "emergency"), said("manual", "dnd")}, state: "emergency", source: "role/fire"},
	{name: "the reason is kept", cs: []Contribution{said("phone/2001", "offline", since(1)), said("phone/2002", "offline", since(2)), said("manual", "dnd")}, state: "offline", source: "phone/2002"},
	{name: "a telephone will do", cs: []Contribution{phone}, state: "phone_only", source: "phone/2001"},
	{name: "a telephone will do, of which no more is said", cs: []Contribution{said("phone/2001", "", by(Voice))}, state: "phone_only"},
	{name: "a client that says nothing is not ready for that", cs: []Contribution{said("client/desk", "", by(Chat))}, state: "idle"},
	{name: "nor is a device", kind: Device, cs: []Contribution{said("registrar", "", by(Voice))}, state: "unknown"},
	{name: "an alarm stands", kind: Device, cs: []Contribution{said("registrar", "offline"), said("api/x", "alarm")}, state: "alarm", source: "api/x"},
	{name: "a repair too", kind: Device, cs: []Contribution{said("registrar", "offline"), said("operator", "maintenance")}, state: "maintenance", source: "operator"},
	{name: "a fault does not", kind: Device, cs: []Contribution{said("qualify", "fault")}, state: "offline"},

	// 6. What is cleared contributes nothing.
	{name: "no more do not disturb, and no client", cs: []Contribution{}, state: "offline"},
	{name: "no more do not disturb, and a telephone that is gone", cs: []Contribution{said("phone/2001", "offline")}, state: "offline", source: "phone/2001"},

	// §2: devices.
	{name: "ready", kind: Device, cs: []Contribution{ready}, state: "idle", source: "registrar"},
	{name: "rings", kind: Device, cs: []Contribution{ready, said("line/1", "ringing")}, state: "ringing", source: "line/1"},
	{name: "in call and slow", kind: Device, cs: []Contribution{ready, said("line/1", "on_call"), said("qualify", "degraded")}, state: "on_call", source: "line/1"},
	{name: "faulty in a call", kind: Device, cs: []Contribution{ready, said("line/1", "on_call"), said("qualify", "fault")}, state: "fault", beside: "on_call", source: "qualify"},
	{name: "not registered", kind: Device, cs: []Contribution{said("registrar", "offline"), said("line/1", "on_call")}, state: "offline", source: "registrar"},
	{name: "critical", kind: Device, cs: []Contribution{said("registrar", "offline")}, terms: Terms{Critical: true}, state: "offline", source: "registrar", change: func(e *Effective) { e.Critical = true }},
	{name: "people are not critical", cs: []Contribution{desk}, terms: Terms{Critical: true}, state: "available", source: "client/desk"},
	{name: "a device is not masked", kind: Device, cs: []Contribution{ready, said("manual", "available"), said("calendar/1", "maintenance", since(-1))}, state: "maintenance", source: "calendar/1"},

	// What people share of their telephones.
	{name: "shares nothing", cs: []Contribution{desk, onCall, phone}, terms: Terms{Sharing: ShareNothing}, state: "available", source: "client/desk", change: func(e *Effective) { e.Channels = Chat }},
	{name: "shares nothing, and has no client", cs: []Contribution{onCall, phone}, terms: Terms{Sharing: ShareNothing}, state: "offline"},
	{name: "shares nothing, but says do not disturb on the telephone", cs: []Contribution{desk, said("phone/2001", "dnd")}, terms: Terms{Sharing: ShareNothing}, state: "dnd", source: "phone/2001"},
	{name: "shares that they are busy", cs: []Contribution{desk, onCall, phone}, terms: Terms{Sharing: ShareBusyOnly}, state: "busy", source: "phone"},
	{name: "and not that a call is up", cs: []Contribution{desk, onCall, said("manual", "dnd")}, terms: Terms{Sharing: ShareBusyOnly}, state: "dnd", source: "manual"},
	{name: "and not that it rings", cs: []Contribution{desk, said("phone/2001", "ringing")}, terms: Terms{Sharing: ShareBusyOnly}, state: "available", source: "client/desk"},
	{name: "but that there is a telephone", cs: []Contribution{phone}, terms: Terms{Sharing: ShareBusyOnly}, state: "phone_only", source: "phone"},
	{name: "a device shares with everybody", kind: Device, cs: []Contribution{ready, said("line/1", "on_call")}, terms: Terms{Sharing: ShareNothing}, state: "on_call", source: "line/1"},

	// Other facts.
	{name: "a role is as a person", kind: Role, cs: []Contribution{desk, onCall}, state: "on_call", source: "phone/2001"},
	{name: "a team", kind: Team, cs: []Contribution{said("members", "short", by(Voice))}, state: "short", source: "members"},
	{name: "planned to end", cs: []Contribution{desk, meeting}, state: "meeting", source: "calendar/1", change: func(e *Effective) { e.Until = at(60) }},
	{name: "the plan is over, the meeting is not", cs: []Contribution{desk, said("video/1", "meeting", until(5))}, state: "meeting", source: "video/1", change: func(e *Effective) { e.Until = time.Time{} }},
	{name: "from before a restart", cs: []Contribution{said("client/desk", "available", by(Chat), stale)}, state: "available", source: "client/desk", change: func(e *Effective) { e.Stale = true }},
	{name: "heard again", cs: []Contribution{desk, said("client/phone", "idle", by(Chat), stale)}, state: "available", source: "client/desk", change: func(e *Effective) { e.Stale = false }},
	{name: "only the channel is from before", cs: []Contribution{said("client/desk", "idle", by(Chat), stale), said("manual", "dnd")}, state: "dnd", source: "manual", change: func(e *Effective) { e.Stale = true }},
}

func TestMerge(t *testing.T) {
	cat := DefaultCatalogue()
	for _, tt := range mergeTests {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.cs)
			e := Merge("a@x", tt.kind, tt.cs, cat, tt.terms, at(5))
			if e.State != tt.state || e.Winner.Source != tt.source || e.Subject != "a@x" || e.Kind != tt.kind || e.Reason == "" {
				t.Errorf("%q from %q because of %q, want %q from %q", e.State, e.Winner.Source, e.Reason, tt.state, tt.source)
			}
			beside := ""
			if len(e.Secondary) > 0 {
				beside = e.Secondary[0]
			}
			if beside != tt.beside || len(e.Secondary) > 1 {
				t.Errorf("beside it %q, want %q", e.Secondary, tt.beside)
			}
			if tt.change != nil {
				want := *e
				tt.change(&want)
				if diff := cmp.Diff(want, *e); diff != "" {
					t.Errorf("want (-), got (+):\n%s", diff)
				}
			}
			if diff := cmp.Diff(before, tt.cs); diff != "" {
				t.Errorf("the merge has changed what it was given:\n%s", diff)
			}
		})
	}
}

// TestEngaged is about what is written over what chat clients show.
func TestEngaged(t *testing.T) {
	tests := []struct {
		name string
		cs   []Contribution
		want bool
	}{
		{"a client alone", []Contribution{desk}, false},
		{"a call", []Contribution{desk, onCall}, true},
		{"a call, and a client that is away", []Contribution{said("client/desk", "idle", by(Chat)), onCall}, true},
		{"a client that is not to be disturbed outranks a call", []Contribution{said("client/desk", "dnd", by(Chat)), onCall}, false},
		{"what was set by hand", []Contribution{desk, said("manual", "break")}, true},
		{"as high as the client", []Contribution{desk, said("manual", "available", since(1))}, false},
		{"Available over idling", []Contribution{said("client/desk", "idle", by(Chat)), said("manual", "available")}, true},
		{"a telephone and no client", []Contribution{phone}, false},
		{"a call and no client", []Contribution{phone, onCall}, true},
		{"appearing offline", []Contribution{desk, said("manual", "appear_offline")}, true},
		{"offline", nil, false},
	}
	for _, tt := range tests {
		if e := Merge("a@x", Person, tt.cs, DefaultCatalogue(), Terms{}, at(5)); e.Engaged != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, e.Engaged, tt.want)
		}
	}
	if e := Merge("d@x", Device, []Contribution{ready, said("line/1", "on_call")}, DefaultCatalogue(), Terms{}, at(5)); e.Engaged {
		t.Error("a device has no clients to write over")
	}
}

// TestAll is about which contributions are kept, and in which order.
func TestAll(t *testing.T) {
	cs := []Contribution{
		said("nobody", "", by(Text)), desk, said("client/phone", "idle", by(Chat|Mobile)), said("manual", "available", since(3)), meeting,
		said("phone/2002", "on_call", expires(1)), onCall,
	}
	e := Merge("a@x", Person, cs, DefaultCatalogue(), Terms{}, at(5))
	var got []string
	for _, c := range e.All {
		got = append(got, c.Source)
	}
	if want := []string{"phone/2001", "manual", "client/desk", "nobody"}; !slices.Equal(got, want) {
		t.Errorf("%q count, want %q", got, want)
	}
	if e.Channels != Chat|Mobile|Text {
		t.Errorf("reached by %s", e.Channels)
	}
}

func TestLapsed(t *testing.T) {
	c := said("registrar", "on_call", by(Voice), expires(4), lapse("offline"), text("w"), until(9))
	c.Facets.Device, c.Facets.Cause, c.Facets.Counterpart = "Door", "registration expired", "b@x"
	e := Merge("d@x", Device, []Contribution{c}, DefaultCatalogue(), Terms{}, at(5))
	want := Contribution{
		Source: "registrar", Axis: Willingness, State: "offline", Since: at(4), Expires: at(4),
		Facets: Facets{Device: "Door", Cause: "registration expired"},
	}
	if diff := cmp.Diff(want, e.Winner); diff != "" || !e.Since.Equal(at(4)) || e.Channels != 0 {
		t.Errorf("want (-), got (+), by %s since %v:\n%s", e.Channels, e.Since, diff)
	}
}

func TestBusyOnlyTellsNothing(t *testing.T) {
	c := said("phone/2001", "on_call", text("w"))
	c.Facets.Device, c.Facets.Counterpart, c.Facets.Ref, c.Facets.Inbound = "Desk phone", "b@x", "call-7", true
	e := Merge("a@x", Person, []Contribution{desk, c}, DefaultCatalogue(), Terms{Sharing: ShareBusyOnly}, at(5))
	want := Contribution{Source: "phone", Axis: Engagement, State: "busy", Since: noon, Expires: c.Expires}
	if diff := cmp.Diff(want, e.Winner); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

func TestNextChange(t *testing.T) {
	tests := []struct {
		cs   []Contribution
		want time.Time
	}{
		{nil, time.Time{}},
		{[]Contribution{said("a", "x", expires(9)), said("b", "x", expires(7)), said("c", "x", expires(8))}, at(7)},
		{[]Contribution{said("a", "x", expires(5))}, time.Time{}},
		{[]Contribution{said("a", "x", expires(4), lapse("unknown"))}, time.Time{}},
		{[]Contribution{said("a", "x", expires(9), until(6))}, at(6)},
		{[]Contribution{said("a", "x", expires(9), until(5))}, at(9)},
		{[]Contribution{said("a", "x", expires(4), until(6))}, time.Time{}},
	}
	for i, tt := range tests {
		if got := NextChange(tt.cs, at(5)); !got.Equal(tt.want) {
			t.Errorf("%d: %v, want %v", i, got, tt.want)
		}
	}
}

func TestSame(t *testing.T) {
	cat := DefaultCatalogue()
	merge := func(minute int, cs ...Contribution) *Effective {
		return Merge("a@x", Person, cs, cat, Terms{}, at(minute))
	}
	base := merge(5, desk, onCall)
	tests := []struct {
		name  string
		other *Effective
		want  bool
	}{
		{"itself", base, true},
		{"later", merge(6, desk, onCall), true},
		{"said again", merge(5, desk, said("phone/2001", "on_call", since(2), expires(999))), true},
		{"nothing", nil, false},
		{"another state", merge(5, desk), false},
		{"another text of a client", merge(5, said("client/desk", "available", by(Chat), text("x")), onCall), false},
		{"from before a restart", merge(5, desk, said("phone/2001", "on_call", since(2), stale)), false},
		{"another channel", merge(5, desk, onCall, phone), false},
		{"another beginning", merge(5, desk, said("phone/2001", "on_call", since(3))), false},
		{"a planned end", merge(5, desk, said("phone/2001", "on_call", since(2), until(9))), false},
	}
	for _, tt := range tests {
		if got := Same(base, tt.other); got != tt.want || Same(tt.other, base) != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if !Same(nil, nil) {
		t.Error("nothing is the same as nothing")
	}
}

func BenchmarkMerge(b *testing.B) {
	cat := DefaultCatalogue()
	for _, bb := range []struct {
		name string
		kind Kind
		cs   []Contribution
	}{
		{"device", Device, []Contribution{ready, said("line/1", "on_call")}},
		{"person", Person, []Contribution{desk, phone, onCall}},
		{"much", Person, []Contribution{desk, phone, onCall, meeting, said("manual", "available", since(3)), said("client/phone", "idle", by(Chat|Mobile)), said("shift", "ready"), said("phone/2002", "ringing")}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Merge("a@x", bb.kind, bb.cs, cat, Terms{}, at(5))
			}
		})
	}
}
