package rich

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/presence"
	"rollcall/sipgw/pidf"
)

func corpus(t testing.TB, name string) *pidf.Document {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../pidf/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	contentType := pidf.ContentType
	if filepath.Ext(name) == ".xpidf" {
		contentType = pidf.ContentTypeX
	}
	d, err := pidf.ParseAs(contentType, b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What each document of the corpus means, from a phone or an exchange.
func TestCorpus(t *testing.T) {
	phone, exchange := Trunk{}, Trunk{Exchange: true}
	reads := Trunk{Exchange: true, Notes: MachineNotes}
	at := func(s string) time.Time {
		t.Helper()
		x, err := time.Parse("2006-01-02 15:04:05", s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	const onCall, onPhone = "on_call", "talking/on_the_phone"
	tests := []struct {
		file  string
		trunk Trunk
		want  Heard
	}{
		{"asterisk-sip-ready.xml", exchange, Heard{State: "available", Text: "Ready", Priority: 127, Contact: "sip:6002@192.0.2.124"}},
		{"asterisk-sip-ready.xml", reads, Heard{State: "available", Priority: 127, Contact: "sip:6002@192.0.2.124", Rule: ByNote}},
		{"asterisk-sip-busy.xml", exchange, Heard{State: onCall, Show: "dnd", Activity: onPhone, Text: "On the phone", Priority: 127, Contact: "sip:6001@192.0.2.124", Rule: ByActivity}},
		{"asterisk-sip-busy.xml", phone, Heard{State: "dnd", Show: "dnd", Text: "On the phone", Priority: 127, Contact: "sip:6001@192.0.2.124", Rule: ByActivity}},
		{"asterisk-sip-unavailable.xml", exchange, Heard{State: "offline", Show: "unavailable", Text: "Unavailable", Priority: 127, Contact: "sip:6001@192.0.2.124", Rule: ByClosed}},
		{"asterisk-pjsip-digium.xml", exchange, Heard{State: "lunch", Show: "away", Activity: "eating/having_lunch", Text: "back at two", Priority: 127, Contact: `"Two Hundred" <sip:200@192.0.2.1>`, Rule: ByExtension}},
		{"asterisk-pjsip-digium.xml", reads, Heard{State: "lunch", Show: "away", Activity: "eating/having_lunch", Text: "back at two", Priority: 127, Contact: `"Two Hundred" <sip:200@192.0.2.1>`, Rule: ByExtension}},
		{"asterisk-pjsip-digium-empty.xml", reads, Heard{State: "available", Priority: 127, Contact: "sip:201@192.0.2.1", Rule: ByNote}},
		{"freeswitch-talk.xml", exchange, Heard{State: onCall, Show: "dnd", Activity: onPhone, Text: "Talk 1001", Rule: ByActivity}},
		{"freeswitch-talk.xml", reads, Heard{State: onCall, Show: "dnd", Activity: onPhone, Rule: ByActivity}},
		{"freeswitch-unregistered.xml", reads, Heard{State: "offline", Show: "unavailable", Rule: ByClosed}},
		{"kamailio-mixed.xml", exchange, Heard{State: onCall, Show: "dnd", Activity: onPhone, Text: "On the Phone", Rule: ByActivity}},
		{"cisco-trunk-busy.xml", exchange, Heard{State: onCall, Show: "dnd", Activity: onPhone, Priority: 102, Contact: "sip:8001@192.0.2.198:5060", Since: at("2026-02-21 10:11:12"), Rule: ByActivity}},
		{"cisco-trunk-busy.xml", phone, Heard{State: "offline", Show: "unavailable", Priority: 102, Contact: "sip:8001@192.0.2.198:5060", Since: at("2026-02-21 10:11:12"), Rule: ByClosed}},
		{"cisco-phone-dnd.xml", phone, Heard{State: "dnd", Show: "dnd", Rule: ByActivity}},
		{"cisco-phone-dnd.xml", exchange, Heard{State: "dnd", Show: "dnd", Rule: ByActivity}},
		{"cisco-alerting.xml", exchange, Heard{State: "ringing", Rule: ByActivity}},
		{"cisco-cupc-available.xml", phone, Heard{State: "available", Priority: 76, Contact: "sip:brian@example.com", Rule: ByActivity}},
		{"ag-extended-away.xml", phone, Heard{State: "idle", Show: "away", Text: "gone for a walk", Priority: 127, Contact: "sip:31208005169@ag.example.com", Since: at("2026-11-25 07:15:00").Add(1000), Idle: at("2026-11-25 07:01:02").Add(123456000), Rule: ByExtension}},
		{"linphone-online.xml", phone, Heard{State: "available", Priority: 53, Contact: "sip:test@192.0.2.1", Since: at("2026-04-07 07:34:48")}},
		{"linphone-closed-online.xml", phone, Heard{State: "idle", Show: "away", Rule: ByExtension}},
		{"baresip-busy.xml", phone, Heard{State: "dnd", Show: "dnd", Contact: "sip:baresip@example.org", Rule: ByActivity}},
		{"sipnetic-talk.xml", phone, Heard{State: onCall, Show: "dnd", Activity: onPhone, Since: at("2026-03-16 08:06:06"), Rule: ByActivity}},
		{"eyebeam-draft.xml", phone, Heard{State: "idle", Show: "away", Rule: ByActivity}},
		{"cpim-draft.xml", phone, Heard{State: "available", Contact: "sip:2000@192.0.2.8"}},
		{"rfc8048-away.xml", phone, Heard{State: "idle", Show: "away", Text: "retired to the chamber", Lang: "en", Priority: 126, Contact: "sip:romeo@example.net", Rule: ByShow}},
		{"rfc4480-rich.xml", phone, Heard{State: "idle", Show: "away", Priority: 127, Contact: "mailto:someone@example.com", Text: "Far away", Until: at("2005-05-30 12:00:00"), Rule: ByActivity}},
		{"multi-tuple.xml", phone, Heard{State: "long_idle", Show: "xa", Text: "softphone", Priority: 89, Contact: "sip:alice@soft.example.net", Rule: ByShow}},
		{"polycom-inuse.xpidf", phone, Heard{State: onCall, Show: "dnd", Activity: onPhone, Priority: 102, Contact: "sip:192.0.2.86", Rule: ByActivity}},
		{"polycom-offline.xpidf", phone, Heard{State: "offline", Show: "unavailable", Priority: 102, Contact: "sip:192.0.2.86", Rule: ByClosed}},
		{"linphone-away.xpidf", phone, Heard{State: "break", Show: "away", Activity: "eating", Text: "At a meal", Priority: 102, Contact: "sip:lin@192.0.2.1", Rule: ByActivity}},
	}
	covered := map[string]bool{}
	for _, tt := range tests {
		covered[tt.file] = true
		if diff := cmp.Diff(tt.want, Read(corpus(t, tt.file), tt.trunk), cmpopts.IgnoreUnexported(Heard{})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.file, diff)
		}
	}
	files, _ := filepath.Glob("../pidf/testdata/*.x*")
	for _, f := range files {
		if !covered[filepath.Base(f)] {
			t.Errorf("%s: nobody says what it means", f)
		}
	}
}

func tuple(b pidf.Basic) pidf.Tuple { return pidf.Tuple{ID: "ID-1", Basic: b} }

// The order in which signs are looked at, and what outranks what.
func TestRead(t *testing.T) {
	type tp = pidf.Tuple
	person := func(a pidf.Activities) []pidf.Person { return []pidf.Person{{Activities: a}} }
	tests := []struct {
		name        string
		doc         pidf.Document
		trunk       Trunk
		state, show string
		rule        Rule
	}{
		{"nothing", pidf.Document{}, Trunk{}, "offline", "unavailable", ByClosed},
		{"a person and no tuple", pidf.Document{Persons: person(pidf.Busy)}, Trunk{}, "offline", "unavailable", ByClosed},
		{"a person who says open", pidf.Document{Persons: []pidf.Person{{Basic: pidf.Open}}}, Trunk{}, "available", "", ByBasic},
		{"open", pidf.Document{Tuples: []tp{tuple(pidf.Open)}}, Trunk{}, "available", "", ByBasic},
		{"show before activity", pidf.Document{Tuples: []tp{{Basic: pidf.Open, Show: "xa"}}, Persons: person(pidf.Busy)}, Trunk{}, "long_idle", "xa", ByShow},
		{"show and an activity that says more", pidf.Document{Tuples: []tp{{Basic: pidf.Open, Show: "dnd"}}, Persons: person(pidf.Meeting)}, Trunk{}, "meeting", "dnd", ByShow},
		{"a show that there is not", pidf.Document{Tuples: []tp{{Basic: pidf.Open, Show: "gone"}}}, Trunk{}, "available", "", ByBasic},
		{"chat", pidf.Document{Tuples: []tp{{Basic: pidf.Open, Show: "chat"}}}, Trunk{}, "available", "chat", ByShow},
		{"activity before extension", pidf.Document{Tuples: []tp{{Basic: pidf.Open, Extended: "away"}}, Persons: person(pidf.Meeting)}, Trunk{}, "meeting", "dnd", ByActivity},
		{"activities that mean no state", pidf.Document{Tuples: []tp{{Basic: pidf.Open, Extended: "busy"}}, Persons: person(pidf.Other | pidf.Unknown)}, Trunk{}, "dnd", "dnd", ByExtension},
		{"several activities: the strongest", pidf.Document{Tuples: []tp{tuple(pidf.Open)}, Persons: person(pidf.Away | pidf.OnThePhone | pidf.Busy)}, Trunk{}, "on_call", "dnd", ByActivity},
		{"closed with show", pidf.Document{Tuples: []tp{{Basic: pidf.Closed, Show: "dnd"}}}, Trunk{}, "offline", "unavailable", ByClosed},
		{"closed and busy from a phone", pidf.Document{Tuples: []tp{tuple(pidf.Closed)}, Persons: person(pidf.Busy)}, Trunk{}, "offline", "unavailable", ByClosed},
		{"closed and busy from an exchange", pidf.Document{Tuples: []tp{tuple(pidf.Closed)}, Persons: person(pidf.Busy)}, Trunk{Exchange: true}, "on_call", "dnd", ByActivity},
		{"closed and away from an exchange", pidf.Document{Tuples: []tp{tuple(pidf.Closed)}, Persons: person(pidf.Away)}, Trunk{Exchange: true}, "offline", "unavailable", ByClosed},
		{"gone for good", pidf.Document{Tuples: []tp{tuple(pidf.Open)}, Persons: person(pidf.PermanentAbsence | pidf.OnThePhone)}, Trunk{}, "offline", "unavailable", ByActivity},
		{"AG: offline though open", pidf.Document{Tuples: []tp{{Basic: pidf.Open, Extended: "offline"}}}, Trunk{}, "offline", "unavailable", ByExtension},
		{"Digium: unavailable is not offline", pidf.Document{Tuples: []tp{tuple(pidf.Open), {Digium: pidf.Digium{Type: "unavailable"}}}}, Trunk{}, "not_ready", "away", ByExtension},
		{"Digium: closed all the same", pidf.Document{Tuples: []tp{tuple(pidf.Closed), {Digium: pidf.Digium{Type: "available"}}}}, Trunk{}, "offline", "unavailable", ByClosed},
		{"Digium: dnd", pidf.Document{Tuples: []tp{tuple(pidf.Open), {Digium: pidf.Digium{Type: "dnd"}}}}, Trunk{}, "dnd", "dnd", ByExtension},
		{"Digium: not set", pidf.Document{Tuples: []tp{tuple(pidf.Open), {Digium: pidf.Digium{Type: "not_set"}}}}, Trunk{}, "available", "", ByBasic},
		{"notes are not read unless told to", pidf.Document{Tuples: []tp{tuple(pidf.Open)}, Notes: []pidf.Note{{Text: "On hold"}}}, Trunk{}, "available", "", ByBasic},
		{"a note", pidf.Document{Tuples: []tp{tuple(pidf.Open)}, Notes: []pidf.Note{{Text: "On Hold"}}}, Trunk{Notes: MachineNotes}, "on_hold", "dnd", ByNote},
		{"a note that begins so", pidf.Document{Tuples: []tp{tuple(pidf.Open)}, Notes: []pidf.Note{{Text: "Ring 1001"}}}, Trunk{Notes: MachineNotes}, "ringing", "", ByNote},
		{"a note that is a person's", pidf.Document{Tuples: []tp{tuple(pidf.Open)}, Notes: []pidf.Note{{Text: "Ringelnatz"}}}, Trunk{Notes: MachineNotes}, "available", "", ByBasic},
		{"no note opens what is closed", pidf.Document{Tuples: []tp{tuple(pidf.Closed)}, Notes: []pidf.Note{{Text: "Ready"}}}, Trunk{Notes: MachineNotes}, "offline", "unavailable", ByClosed},
	}
	for _, tt := range tests {
		h := Read(&tt.doc, tt.trunk)
		if h.State != tt.state || h.Show != tt.show || h.Rule != tt.rule {
			t.Errorf("%s: %q %q by %v, want %q %q by %v", tt.name, h.State, h.Show, h.Rule, tt.state, tt.show, tt.rule)
		}
	}
	gone := Read(&pidf.Document{Tuples: []tp{tuple(pidf.Open)}, Persons: person(pidf.PermanentAbsence)}, Trunk{})
	if !gone.Gone {
		t.Error("permanent-absence is for good")
	}
}

// A device that nobody touches makes the tuple idle that it stands behind.
func TestIdleDevice(t *testing.T) {
	since := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	d := pidf.Document{
		Tuples:  []pidf.Tuple{{ID: "a", Basic: pidf.Open, DeviceID: "urn:d:1"}},
		Devices: []pidf.Person{{DeviceID: "urn:d:2", Input: pidf.Input{State: pidf.Idle, Last: since.Add(time.Hour)}}, {DeviceID: "urn:d:1", Input: pidf.Input{State: pidf.Idle, Last: since}}},
	}
	if h := Read(&d, Trunk{}); h.Idle != since {
		t.Errorf("%+v", h)
	}
}

// Several tuples are several resources; one that vanishes is one less.
func TestResources(t *testing.T) {
	d := corpus(t, "multi-tuple.xml")
	d.Tuples[2].ID = "ID-soft"
	var got []string
	for _, r := range Resources(d, Trunk{}) {
		got = append(got, r.Name+" "+r.State+" "+r.Show+" "+r.Text)
	}
	want := []string{"desk offline unavailable desk is off", "mobile available  on the road", "soft long_idle xa softphone"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if all := Resources(corpus(t, "asterisk-pjsip-digium.xml"), Trunk{}); len(all) != 1 || all[0].Name != "200" {
		t.Errorf("a tuple that says nothing is no resource: %+v", all)
	}
}

func TestContribution(t *testing.T) {
	h := Heard{State: "meeting", Show: "dnd", Text: "until three", Priority: 5}
	got := h.Contribution("sip/alice", presence.Voice)
	want := presence.Contribution{
		Source: "sip/alice", Axis: presence.Engagement, State: "meeting", Channels: presence.Voice,
		Facets: presence.Facets{Text: "until three", Priority: 5},
	}
	if got != want {
		t.Errorf("%+v", got)
	}
	h = Heard{State: "offline", Show: "unavailable"}
	if c := h.Contribution("x", presence.Voice); c.Channels != 0 || c.Axis != presence.Reachability {
		t.Errorf("%+v", c)
	}
	for state, axis := range map[string]presence.Axis{
		"dnd": presence.Willingness, "custom:tv": presence.Willingness, "on_call": presence.Engagement, "idle": presence.Reachability,
	} {
		if h := (Heard{State: state}); h.Axis() != axis {
			t.Errorf("%s: %v", state, h.Axis())
		}
	}
}

// Every state that is read is one of the catalogue, and shows as what was read does.
func TestStatesAreInTheCatalogue(t *testing.T) {
	all, _ := presence.BuiltIn()
	show := map[string]string{}
	for i := range all {
		if all[i].Kind == presence.Person {
			show[all[i].ID] = all[i].Show.Element()
		}
	}
	check := func(what, state, want string) {
		t.Helper()
		id := state
		if strings.HasPrefix(id, "custom:") {
			id = "custom:*"
		}
		got, ok := show[id]
		if want == unavailable {
			want = show["offline"]
		}
		if !ok || got != want {
			t.Errorf("%s: state %q shows as %q (there is one: %v), want %q", what, state, got, ok, want)
		}
	}
	for _, m := range meanings {
		check(m.does.String(), m.state, m.show)
	}
	for note, state := range MachineNotes {
		check(note, state, shows[state])
	}
	for _, d := range []string{"dnd", "away", "xa", "unavailable", "available"} {
		var h Heard
		h.digium(pidf.Digium{Type: d})
		check("Digium "+d, h.State, h.Show)
	}
	for _, x := range []string{"available", "busy", "away", "extended-away", "offline"} {
		var h Heard
		h.extended(x)
		check("AG "+x, h.State, h.Show)
	}
	for _, s := range []string{"dnd", "away", "xa"} {
		var h Heard
		h.shows(s)
		check("show "+s, h.State, h.Show)
	}
}

func BenchmarkRead(b *testing.B) {
	d := corpus(b, "cisco-trunk-busy.xml")
	b.ReportAllocs()
	for b.Loop() {
		if Read(d, Trunk{Exchange: true}).State != "on_call" {
			b.Fatal("misread")
		}
	}
}
