package rich

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/presence"
	"rollcall/sipgw/pidf"
)

// RFC 8048 §5.2: 0 is 0, 127 is 1, each step is another value.
func TestPriority(t *testing.T) {
	for p, want := range map[int8]int{0: 0, 1: 7, 2: 15, 126: 992, 127: 1000} {
		if got, ok := Priority(p).Thousandths(); !ok || got != want {
			t.Errorf("%d: %d, want %d", p, got, want)
		}
	}
	seen := map[pidf.Priority]bool{}
	for p := int8(0); ; p++ {
		x := Priority(p)
		if seen[x] {
			t.Errorf("%d has the value of another", p)
		}
		seen[x] = true
		if back := ResourcePriority(x); back != p {
			t.Errorf("%d comes back as %d", p, back)
		}
		if p == 127 {
			break
		}
	}
	if Priority(-1) != pidf.NoPriority || Priority(-128) != pidf.NoPriority {
		t.Error("a negative priority must not be mapped")
	}
	if ResourcePriority(pidf.NoPriority) != 0 {
		t.Error("none is 0")
	}
}

// The tables of XEP-0108 §2 and of RPID's activities, both ways.
func TestActivity(t *testing.T) {
	tests := []struct {
		rpid, activity string
		back           string // what the activity becomes in RPID
	}{
		{"appointment", "having_appointment", "appointment"},
		{"away", "", ""},
		{"breakfast", "eating/having_breakfast", "breakfast"},
		{"busy", "", ""},
		{"dinner", "eating/having_dinner", "dinner"},
		{"holiday", "inactive/scheduled_holiday", "holiday"},
		{"in-transit", "traveling", "in-transit"},
		{"lunch", "eating/having_lunch", "lunch"},
		{"meal", "eating", "meal"},
		{"meeting", "working/in_a_meeting", "meeting"},
		{"on-the-phone", "talking/on_the_phone", "on-the-phone"},
		{"presentation", "working/other", "working"},
		{"performance", "working/other", "working"},
		{"permanent-absence", "", ""},
		{"shopping", "relaxing/shopping", "shopping"},
		{"sleeping", "inactive/sleeping", "sleeping"},
		{"steering", "traveling/driving", "steering"},
		{"travel", "traveling/on_a_trip", "travel"},
		{"tv", "relaxing/watching_tv", "tv"},
		{"vacation", "inactive/on_vacation", "vacation"},
		{"working", "working", "working"},
		{"other", "", ""},
		{"unknown", "", ""},
		{"", "traveling/on_a_bus", "in-transit"},
		{"", "eating/having_a_snack", "meal"},
		{"", "working/coding", "working"},
		{"", "exercising/hiking", "other"},
		{"", "undefined", ""},
		{"", "nonsense", ""},
	}
	for _, tt := range tests {
		if tt.rpid != "" {
			if got := Activity(pidf.ActivityOf(tt.rpid)); got != tt.activity {
				t.Errorf("%s: %q, want %q", tt.rpid, got, tt.activity)
			}
		}
		if got := RPID(tt.activity); got.String() != tt.back {
			t.Errorf("%s: %q, want %q", tt.activity, got, tt.back)
		}
	}
}

func TestShowRPID(t *testing.T) {
	for show, want := range map[string]pidf.Activities{"": 0, "chat": 0, "away": pidf.Away, "xa": pidf.Away, "dnd": pidf.Busy} {
		if got := ShowRPID(show, 0); got != want {
			t.Errorf("%q: %v", show, got)
		}
	}
	if got := ShowRPID("dnd", pidf.Meeting); got != pidf.Meeting {
		t.Errorf("%v", got)
	}
}

func TestTupleID(t *testing.T) {
	for resource, want := range map[string]string{
		"orchard": "ID-orchard", "4711": "ID-4711", "": "ID-", "desk phone": "ID-desk_20phone", "ü/\"<": "ID-_c3_bc_2f_22_3c", "a_b": "ID-a_5fb",
	} {
		if got := TupleID(resource); got != want {
			t.Errorf("%q: %q, want %q", resource, got, want)
		}
	}
}

func shown(level presence.Level) *Shown {
	at := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	return &Shown{
		Entity: "sip:alice@example.org", Level: level, Show: "dnd", Text: "On the phone", RPID: "on-the-phone", Since: at,
		Until: at.Add(time.Hour), Idle: at.Add(-time.Minute),
		Each: []Each{
			{Resource: "desk", Show: "away", Text: "lunch", Priority: 5, Since: at, Idle: at},
			{Resource: "2001", Closed: true},
			{Resource: "mobile", Priority: -1, Contact: "sip:alice@m"},
		},
	}
}

func TestFill(t *testing.T) {
	const (
		note   = `<note>On the phone</note>`
		times  = `<timestamp>2026-11-22T13:00:00Z</timestamp>`
		status = `<status><basic>open</basic><show xmlns="jabber:client">dnd</show></status><contact priority="0.8">sip:alice@example.org</contact>`
		closed = `<tuple id="ID-merged"><status><basic>closed</basic></status></tuple>`
		each   = `<tuple id="ID-desk"><status><basic>open</basic><show xmlns="jabber:client">away</show></status>` +
			`<rpid:user-input last-input="2026-11-22T13:00:00Z">idle</rpid:user-input>` +
			`<contact priority="0.039">sip:alice@example.org</contact><note>lunch</note>` + times + `</tuple>|` +
			`<tuple id="ID-2001"><status><basic>closed</basic></status></tuple>|` +
			`<tuple id="ID-mobile"><status><basic>open</basic></status><contact>sip:alice@m</contact></tuple>|`
		doing = `<rpid:activities until="2026-11-22T14:00:00Z"><rpid:on-the-phone/></rpid:activities>` +
			`<rpid:user-input last-input="2026-11-22T12:59:00Z">idle</rpid:user-input><dm:note>On the phone</dm:note></dm:person>`
	)
	change := func(level presence.Level, f func(*Shown)) *Shown {
		s := shown(level)
		f(s)
		return s
	}
	tests := []struct {
		name    string
		shown   *Shown
		options Options
		want    string
	}{
		{"hidden", shown(presence.Hidden), Options{}, closed},
		{
			"hidden looks like somebody who is not there",
			&Shown{Entity: "sip:alice@example.org", Level: presence.Status, Closed: true}, Options{}, closed,
		},
		{
			"basic", shown(presence.Basic), Options{},
			`<tuple id="ID-merged">` + status + `</tuple>|<dm:person id="p1"><rpid:activities><rpid:busy/></rpid:activities></dm:person>`,
		},
		{
			"status", shown(presence.Status), Options{},
			`<tuple id="ID-merged">` + status + note + `</tuple>|` +
				`<dm:person id="p1"><rpid:activities><rpid:on-the-phone/></rpid:activities><dm:note>On the phone</dm:note></dm:person>`,
		},
		{
			"detail", shown(presence.Detail), Options{},
			`<tuple id="ID-merged">` + status + note + times + `</tuple>|` + each + `<dm:person id="p1">` + doing,
		},
		{
			"one tuple", shown(presence.Full), Options{Single: true},
			`<tuple id="ID-merged">` + status + note + times + `</tuple>|<dm:person id="p1">` + doing,
		},
		{
			"available", &Shown{Entity: "sip:alice@example.org", Level: presence.Status}, Options{},
			`<tuple id="ID-merged"><status><basic>open</basic></status><contact priority="0.8">sip:alice@example.org</contact></tuple>`,
		},
		{
			"away", change(presence.Basic, func(s *Shown) { s.Show, s.RPID = "away", "" }), Options{},
			`<tuple id="ID-merged">` + strings.Replace(status, "dnd", "away", 1) + `</tuple>|` +
				`<dm:person id="p1"><rpid:activities><rpid:away/></rpid:activities></dm:person>`,
		},
		{
			"away for baresip", change(presence.Basic, func(s *Shown) { s.Show, s.RPID = "away", "" }), Options{NoAway: true},
			`<tuple id="ID-merged">` + strings.Replace(status, "dnd", "away", 1) + `</tuple>`,
		},
		{
			"a meeting for baresip", change(presence.Status, func(s *Shown) { s.RPID = "meeting" }), Options{Busy: true},
			`<tuple id="ID-merged">` + status + note + `</tuple>|` +
				`<dm:person id="p1"><rpid:activities><rpid:busy/><rpid:meeting/></rpid:activities><dm:note>On the phone</dm:note></dm:person>`,
		},
		{
			"lunch for baresip", change(presence.Status, func(s *Shown) { s.Show, s.RPID = "away", "meal" }), Options{NoAway: true, Busy: true},
			`<tuple id="ID-merged">` + strings.Replace(status, "dnd", "away", 1) + note + `</tuple>|` +
				`<dm:person id="p1"><rpid:activities><rpid:meal/></rpid:activities><dm:note>On the phone</dm:note></dm:person>`,
		},
		{
			"offline, and why", &Shown{Entity: "sip:alice@example.org", Level: presence.Status, Closed: true, Show: "unavailable", Text: "Registration lost", Lang: "en"}, Options{},
			`<tuple id="ID-merged"><status><basic>closed</basic></status><note xml:lang="en">Registration lost</note></tuple>`,
		},
	}
	var d pidf.Document // used again and again, as notifiers do
	for _, tt := range tests {
		Fill(&d, tt.shown, tt.options)
		got := string(d.Append(nil))
		_, got, _ = strings.Cut(got, "entity=\"sip:alice@example.org\">\n")
		got = strings.ReplaceAll(strings.TrimSuffix(got, "\n</presence>\n"), "\n", "|")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.name, diff)
		}
	}
}

func TestOf(t *testing.T) {
	at := time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC)
	got := Of("sip:a@x", presence.Detail, "en", &presence.Shown{Show: "dnd", Text: "On the phone", RPID: "on-the-phone", Since: at, Until: at.Add(1)})
	want := Shown{Entity: "sip:a@x", Level: presence.Detail, Lang: "en", Show: "dnd", Text: "On the phone", RPID: "on-the-phone", Since: at, Until: at.Add(1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// A lost device that stays in sight as xa is closed for who could call it.
	for _, s := range []presence.Shown{{Closed: true, Show: "xa"}, {Unavailable: true}} {
		if got := Of("sip:a@x", presence.Status, "en", &s); !got.Closed {
			t.Errorf("%+v", got)
		}
	}
}

// What is written for a watcher reads as what was shown.
func TestFillRead(t *testing.T) {
	var d pidf.Document
	Fill(&d, shown(presence.Full), Options{})
	again, err := pidf.Parse(d.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	h := Read(again, Trunk{})
	if h.State != "on_call" || h.Show != "dnd" || h.Text != "On the phone" || h.Activity != "talking/on_the_phone" {
		t.Errorf("%+v", h)
	}
	var names []string
	for _, r := range Resources(again, Trunk{}) {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "merged desk 2001 mobile" {
		t.Error(got)
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	var d pidf.Document
	buf, s := make([]byte, 0, 4096), shown(presence.Status)
	Fill(&d, s, Options{})
	if n := testing.AllocsPerRun(100, func() {
		Fill(&d, s, Options{})
		buf = d.Append(buf[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkFill(b *testing.B) {
	var d pidf.Document
	buf, s := make([]byte, 0, 4096), shown(presence.Status)
	b.ReportAllocs()
	for b.Loop() {
		Fill(&d, s, Options{})
		buf = d.Append(buf[:0])
	}
}
