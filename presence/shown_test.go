package presence

import (
	"strings"
	"testing"
	"time"
)

// levelTests are a state and what each level sees of it, in English: show and text,
// from Basic to Full.
var levelTests = []struct {
	name string
	kind Kind
	cs   []Contribution
	crit bool
	want [4]string
}{
	{"a call", Person, []Contribution{
		said("client/desk", "available", by(Chat), text("back at desk 15h")),
		said("phone/2001", "on_call", since(122), expires(900), with("+49 30 1234")),
	}, false, [4]string{
		"dnd:", "dnd:On the phone", "dnd:On the phone since 14:02 — back at desk 15h",
		"dnd:On the phone with +49 30 1234 since 14:02 — back at desk 15h",
	}},
	{"a call at the desk phone", Person, []Contribution{desk, said("phone/2001", "on_call", on("Desk phone"), with("Bob"))}, false, [4]string{
		"dnd:", "dnd:On the phone", "dnd:On the phone (Desk phone) since 12:00", "dnd:On the phone with Bob (Desk phone) since 12:00",
	}},
	{"it rings", Person, []Contribution{said("client/desk", "idle", by(Chat)), said("phone/2001", "ringing", with("Bob"))}, false, [4]string{
		"away:", "away:", ":Ringing since 12:00", ":Ringing: Bob since 12:00",
	}},
	{"it rings and there is no client", Person, []Contribution{phone, said("phone/2001", "ringing")}, false, [4]string{
		"away:", "away:Desk phone only", ":Ringing since 12:00", ":Ringing since 12:00",
	}},
	{"appears offline", Person, []Contribution{said("client/desk", "available", by(Chat), text("here")), said("manual", "appear_offline", text("shh")), said("phone/2001", "on_call")}, false, [4]string{
		"gone:", "gone:", "gone:", "dnd:On the phone since 12:00 — here",
	}},
	{"a client on the road", Person, []Contribution{said("client/m", "available_mobile", by(Chat|Mobile))}, false, [4]string{
		":", ":", ":Mobile since 12:00", ":Mobile since 12:00",
	}},
	{"own words", Person, []Contribution{said("client/desk", "available", by(Chat), text("hi"))}, false, [4]string{":", ":", ":hi", ":hi"}},
	{"away for long", Person, []Contribution{said("client/desk", "long_idle", by(Chat))}, false, [4]string{"away:", "xa:", "xa:", "xa:"}},
	{"a meeting with an end", Person, []Contribution{desk, meeting}, false, [4]string{
		"dnd:", "dnd:In a meeting", "dnd:In a meeting until 13:00", "dnd:In a meeting until 13:00",
	}},
	{"a meeting and a call", Person, []Contribution{desk, onCall, meeting}, false, [4]string{
		"dnd:", "dnd:On the phone · in a meeting", "dnd:On the phone since 12:02 · in a meeting", "dnd:On the phone since 12:02 · in a meeting",
	}},
	{"do not disturb and a call", Person, []Contribution{said("client/desk", "dnd", by(Chat), text("deadline")), onCall}, false, [4]string{
		"dnd:", "dnd:Do not disturb · on the phone", "dnd:Do not disturb since 12:00 · on the phone — deadline",
		"dnd:Do not disturb since 12:00 · on the phone — deadline",
	}},
	{"a custom state is its words", Person, []Contribution{desk, said("manual", "custom:pier", text("At the pier"))}, false, [4]string{
		"away:", "away:", "away:At the pier", "away:At the pier",
	}},
	{"only a telephone", Person, []Contribution{said("phone/201", "phone_only", by(Voice))}, false, [4]string{
		"away:", "away:Desk phone only", "away:Desk phone only (ext. 201) since 12:00", "away:Desk phone only (ext. 201) since 12:00",
	}},
	{"only a telephone at a PBX", Person, []Contribution{said("pbx/hq/201", "phone_only", by(Voice))}, false, [4]string{
		"away:", "away:Desk phone only", "away:Desk phone only (ext. 201) since 12:00", "away:Desk phone only (ext. 201) since 12:00",
	}},
	{"gone", Person, []Contribution{said("phone/201", "offline", cause("registration expired"), text("w"))}, false, [4]string{
		"gone:", "gone:", "gone:registration expired — w", "gone:registration expired — w",
	}},
	{"nothing known", Person, nil, false, [4]string{"gone:", "gone:", "gone:", "gone:"}},
	{"an incident", Person, []Contribution{desk, said("bot", "incident", ref("I-7"))}, false, [4]string{
		"dnd:", "dnd:Handling incident", "dnd:Handling incident since 12:00", "dnd:Handling incident I-7 since 12:00",
	}},

	{"ready", Device, []Contribution{ready}, false, [4]string{":", ":Ready", ":Ready since 12:00", ":Ready since 12:00"}},
	{"lost", Device, []Contribution{said("registrar", "offline", cause("registration expired"))}, false, [4]string{
		"gone:", "gone:", "gone:registration expired", "gone:registration expired",
	}},
	{"a help point is lost", Device, []Contribution{said("registrar", "offline", since(122), cause("registration expired"))}, true, [4]string{
		"away:", "xa:OFFLINE – not registered since 14:02", "xa:OFFLINE – not registered since 14:02", "xa:OFFLINE – not registered since 14:02",
	}},
	{"a help point was never there", Device, nil, true, [4]string{
		"away:", "xa:OFFLINE – not registered", "xa:OFFLINE – not registered", "xa:OFFLINE – not registered",
	}},
	{"a help point is ready", Device, []Contribution{ready}, true, [4]string{":", ":Ready", ":Ready since 12:00", ":Ready since 12:00"}},
	{"an alarm", Device, []Contribution{ready, said("api/x", "alarm", text("door forced"))}, false, [4]string{
		"dnd:", "dnd:ALARM", "dnd:ALARM: door forced since 12:00", "dnd:ALARM: door forced since 12:00",
	}},
	{"a repair", Device, []Contribution{said("operator", "maintenance", until(240), text("new lock"))}, false, [4]string{
		"away:", "xa:Maintenance until 16:00", "xa:Maintenance until 16:00 — new lock", "xa:Maintenance until 16:00 — new lock",
	}},
	{"silent", Device, []Contribution{said("upstream", "idle", by(Voice), expires(3), lapse("unknown")), said("way", "", by(Voice))}, false, [4]string{
		"away:", "away:Status unknown (since 12:03)", "away:Status unknown (since 12:03)", "away:Status unknown (since 12:03)",
	}},
	{"faulty", Device, []Contribution{ready, said("qualify", "fault", cause("no answer"))}, false, [4]string{
		"away:", "xa:Fault", "xa:Fault: no answer since 12:00", "xa:Fault: no answer since 12:00",
	}},
	{"locked", Device, []Contribution{ready, said("paging", "locked", with("Platform 2"))}, false, [4]string{
		"away:", "xa:Locked", "xa:Locked since 12:00", "xa:Locked by Platform 2 since 12:00",
	}},
	{"paging", Device, []Contribution{ready, said("line/1", "paging", text("zone 2"))}, false, [4]string{
		"dnd:", "dnd:Paging", "dnd:Paging zone 2 since 12:00", "dnd:Paging zone 2 since 12:00",
	}},
	{"a team", Team, []Contribution{said("members", "short", by(Voice), text("1/4"))}, false, [4]string{
		"away:", "away:Few are ready", "away:Few are ready (1/4) since 12:00", "away:Few are ready (1/4) since 12:00",
	}},
}

func with(s string) func(*Contribution)  { return func(c *Contribution) { c.Facets.Counterpart = s } }
func on(s string) func(*Contribution)    { return func(c *Contribution) { c.Facets.Device = s } }
func cause(s string) func(*Contribution) { return func(c *Contribution) { c.Facets.Cause = s } }
func ref(s string) func(*Contribution)   { return func(c *Contribution) { c.Facets.Ref = s } }

// inShort writes a picture as the tests do.
func inShort(s Shown) string {
	if s.Unavailable {
		return "gone" + s.Show + ":" + s.Text
	}
	return s.Show + ":" + s.Text
}

func TestLevels(t *testing.T) {
	cat := DefaultCatalogue()
	for _, tt := range levelTests {
		t.Run(tt.name, func(t *testing.T) {
			e := Merge("a@x", tt.kind, tt.cs, cat, Terms{Critical: tt.crit}, at(5))
			if s := cat.Show(e, Hidden, "en", at(5)); s != (Shown{Unavailable: true, Closed: true}) {
				t.Errorf("a hidden one is seen: %+v", s)
			}
			for i, want := range tt.want {
				s := cat.Show(e, Basic+Level(i), "en", at(5))
				if got := inShort(s); got != want {
					t.Errorf("%s sees %q, want %q", Basic+Level(i), got, want)
				}
				if open := e.Channels != 0 && !s.Unavailable; s.Closed == open {
					t.Errorf("%s sees it closed: %v", Basic+Level(i), s.Closed)
				}
			}
		})
	}
}

// TestNothingIsSeenTooEarly looks for details in what levels see that may not.
func TestNothingIsSeenTooEarly(t *testing.T) {
	cat := DefaultCatalogue()
	first := map[string]Level{"TEXT": Detail, "DEVICE": Detail, "CAUSE": Detail, "SOURCE": Detail, "OTHER": Full, "REF": Full}
	for _, kind := range []Kind{Person, Device, Team} {
		for _, s := range cat.States(kind) {
			c := said("phone/SOURCE", s.ID, by(Chat), text("TEXT"), on("DEVICE"), cause("CAUSE"), with("OTHER"), ref("REF"))
			e := Merge("a@x", kind, []Contribution{c}, cat, Terms{}, at(5))
			for l := Basic; l < NumLevels; l++ {
				shown := cat.Show(e, l, "en", at(5))
				all := shown.Text + string(shown.AppendState(nil))
				for word, from := range first {
					if l < from && strings.Contains(all, word) {
						t.Errorf("%s %s: %s sees %q", kind, s.ID, l, all)
					}
				}
				if l == Basic && shown.Text+shown.RPID+shown.Activity+shown.State != "" {
					t.Errorf("%s %s: words for the lowest level: %+v", kind, s.ID, shown)
				}
				if l < Detail && (shown.State != "" || !shown.Since.IsZero() || shown.Channels != 0 || shown.Source != "") {
					t.Errorf("%s %s: details at %s: %+v", kind, s.ID, l, shown)
				}
			}
		}
	}
}

// TestAppearingOfflineIsBeingOffline: those who are hidden from cannot tell.
func TestAppearingOfflineIsBeingOffline(t *testing.T) {
	cat := DefaultCatalogue()
	hides := Merge("a@x", Person, []Contribution{said("client/desk", "available", by(Chat), text("t"), stale), said("manual", "appear_offline"), onCall}, cat, Terms{}, at(5))
	gone := Merge("a@x", Person, nil, cat, Terms{}, at(5))
	for l := Hidden; l < Full; l++ {
		a, b := cat.Show(hides, l, "en", at(5)), cat.Show(gone, l, "en", at(5))
		a.Engaged = b.Engaged // which is not sent
		if a != b || string(a.AppendState(nil)) != string(b.AppendState(nil)) {
			t.Errorf("%s sees %+v of who hides, and %+v of who is gone", l, a, b)
		}
	}
	if s := cat.Show(hides, Status, "en", at(5)); !s.Engaged {
		t.Error("it is not written over the client")
	}
}

// What waits in mailboxes is for those who see all.
func TestMessages(t *testing.T) {
	fr := map[string]Words{"fr": {Since: "depuis {time}", Until: "jusqu'à {time}"}}
	catalogue, faults := NewCatalogue(Config{Zone: "UTC", Words: fr})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	box := func(source string, n uint16) Contribution {
		return Contribution{Source: source, Axis: Health, Expires: at(600), Facets: Facets{Messages: n, Ref: "Messages-Waiting: yes"}}
	}
	cs := []Contribution{desk, onCall, box("mailbox/2001", 2), box("mailbox/2002", 1)}
	e := Merge("a@x", Person, cs, catalogue, Terms{}, at(5))
	for _, tt := range []struct {
		level Level
		lang  string
		want  string
	}{
		{Full, "en", " · new messages: 3"}, {Full, "de", " · neue Nachrichten: 3"}, {Full, "fr", " · new messages: 3"}, {Detail, "en", ""}, {Status, "en", ""},
	} {
		got := catalogue.Show(e, tt.level, tt.lang, at(5)).Text
		if tt.want == "" && strings.Contains(got, "messages") || !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s sees %q, want %q in the end", tt.level, got, tt.want)
		}
	}
	gone := Merge("a@x", Person, cs[2:], catalogue, Terms{}, at(5))
	if s := catalogue.Show(gone, Full, "en", at(5)); !s.Unavailable || s.Text != "" {
		t.Errorf("who is not there is seen as %+v", s)
	}
	x := Explain("a@x", Person, cs, catalogue, Terms{}, "en", at(5))
	lines := strings.Join(x.Lines(catalogue), "\n")
	if x.State != "on_call" || x.Says[len(x.Says)-1].Messages == 0 || strings.Count(lines, "tells of messages") != 2 || !strings.Contains(lines, ", new messages: 2: ") {
		t.Errorf("explained as\n%s", lines)
	}
}

func TestLanguagesAndDates(t *testing.T) {
	berlin, faults := NewCatalogue(Config{Zone: "Europe/Berlin", Words: map[string]Words{"fr": {Since: "depuis {time}", Until: "jusqu'à {time}"}}, States: []State{edited(Person, "meeting", "label", map[string]any{"fr": "En réunion"})}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	call := []Contribution{desk, said("phone/2001", "on_call"), said("manual", "dnd", until(24*60))}
	tests := []struct {
		cs   []Contribution
		lang string
		now  time.Time
		want string
	}{
		{[]Contribution{desk, onCall}, "en", at(5), "On the phone since 13:02"},
		{[]Contribution{desk, onCall}, "de", at(5), "Am Telefon seit 13:02"},
		{[]Contribution{desk, onCall}, "fr", at(5), "On the phone depuis 13:02"},
		{[]Contribution{desk, meeting}, "fr", at(5), "En réunion jusqu'à 14:00"},
		{[]Contribution{desk, meeting}, "de", at(5), "In einer Besprechung bis 14:00"},
		{call, "de", at(5), "Bitte nicht stören bis 2026-11-24 13:00 · am Telefon"},
		{[]Contribution{desk, onCall}, "en", at(11*60 + 1), "On the phone since 2026-11-23 13:02"}, // past midnight in Berlin
	}
	for _, tt := range tests {
		e := Merge("a@x", Person, tt.cs, berlin, Terms{}, at(5))
		if got := berlin.Show(e, Detail, tt.lang, tt.now).Text; got != tt.want {
			t.Errorf("%s at %v: %q, want %q", tt.lang, tt.now, got, tt.want)
		}
	}
	for asked, want := range map[string]string{"": "en", "de": "de", "DE-at": "de", "fr-CA-x-y": "fr", "it": "en", "-": "en"} {
		if got := berlin.Language(asked); got != want {
			t.Errorf("for %q: %q, want %q", asked, got, want)
		}
	}
	if got := berlin.Language("it", "de-CH", "fr"); got != "de" {
		t.Errorf("the second choice: %q", got)
	}
	german, _ := NewCatalogue(Config{Language: "de"})
	if got := german.Language("it") + german.Language() + german.Language("en-US"); got != "dedeen" {
		t.Errorf("where German is usual: %q", got)
	}
	if got := strings.Join(berlin.Languages(), " "); got != "de en fr" {
		t.Errorf("languages %q", got)
	}
}

// edited is a built-in state with a part changed.
func edited(kind Kind, id, field string, v any) State {
	s, _ := Base(kind, id)
	if what, remedy := s.SetField(field, v); what != "" {
		panic(what + "; " + remedy)
	}
	return s
}

func TestAppendState(t *testing.T) {
	cat := DefaultCatalogue()
	c := said("phone/2001", "on_call", until(65), with("O'Hara <&>"), on(`"Desk"`), stale)
	e := Merge("a@x", Person, []Contribution{desk, c}, cat, Terms{}, at(5))
	for level, want := range map[Level]string{
		Hidden: "", Basic: "", Status: "",
		Detail: "<state xmlns='urn:rollcall:presence:0' id='on_call' since='2026-11-23T12:00:00Z' until='2026-11-23T13:05:00Z' src='phone' device='&#34;Desk&#34;' stale='true'/>",
		Full:   "<state xmlns='urn:rollcall:presence:0' id='on_call' since='2026-11-23T12:00:00Z' until='2026-11-23T13:05:00Z' src='phone' device='&#34;Desk&#34;' with='O&#39;Hara &lt;&amp;&gt;' stale='true'/>",
	} {
		s := cat.Show(e, level, "en", at(5))
		if got := string(s.AppendState(nil)); got != want {
			t.Errorf("%s: %s\nwant %s", level, got, want)
		}
	}
}

// TestShowClient is about what each client of a person looks like to others.
func TestShowClient(t *testing.T) {
	cat := DefaultCatalogue()
	cs := []Contribution{
		said("client/desk", "dnd", by(Chat), text("deadline")), said("client/phone", "available", by(Chat|Mobile), text("walk")),
		said("client/old", "idle", by(Chat)), onCall, said("phone/2001", "ringing", since(4)),
	}
	tests := []struct {
		cs      []Contribution
		client  string
		level   Level
		want    string
		engaged bool
	}{
		{cs, "client/desk", Status, "dnd:Do not disturb · on the phone", false},
		{cs, "client/desk", Detail, "dnd:Do not disturb since 12:00 · on the phone — deadline", false},
		{cs, "client/phone", Status, "dnd:On the phone", true},
		{cs, "client/phone", Detail, "dnd:On the phone since 12:02 — walk", true},
		{cs, "client/old", Basic, "dnd:", true},
		{cs, "client/old", Detail, "dnd:On the phone since 12:02", true},
		{cs[1:2], "client/phone", Status, ":", false},
		{cs[1:2], "client/phone", Detail, ":walk", false},
		{[]Contribution{cs[1], cs[4]}, "client/phone", Status, ":", false},
		{[]Contribution{cs[1], cs[4]}, "client/phone", Detail, ":Ringing since 12:04 — walk", true},
		// Masked by hand, it is available whatever it says itself.
		{[]Contribution{cs[2], said("manual", "available")}, "client/old", Status, ":", true},
		{[]Contribution{cs[0], said("manual", "available")}, "client/desk", Status, "dnd:Do not disturb", false},
	}
	for i, tt := range tests {
		e := Merge("a@x", Person, tt.cs, cat, Terms{}, at(5))
		s := cat.ShowClient(e, tt.client, tt.level, "en", at(5))
		if s.Aside != "" && !strings.Contains(s.Text, " · "+s.Aside) || s.Aside == "" && strings.Contains(s.Text, " · ") {
			t.Errorf("%d: %q beside %q", i, s.Aside, s.Text)
		}
		if got := inShort(s); got != tt.want || s.Engaged != tt.engaged {
			t.Errorf("%d: %s at %s: %q, engaged %v; want %q, %v", i, tt.client, tt.level, got, s.Engaged, tt.want, tt.engaged)
		}
	}
	if s := cat.Show(nil, Full, "en", at(5)); !s.Unavailable {
		t.Error("nothing known, and somebody is there")
	}
}

func TestRPIDAndActivity(t *testing.T) {
	cat := DefaultCatalogue()
	e := Merge("a@x", Person, []Contribution{desk, onCall}, cat, Terms{}, at(5))
	for l := Basic; l < NumLevels; l++ {
		s := cat.Show(e, l, "en", at(5))
		want := [2]string{"on-the-phone", "talking/on_the_phone"}
		if l < Status {
			want = [2]string{}
		}
		if got := [2]string{s.RPID, s.Activity}; got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
}

func BenchmarkShow(b *testing.B) {
	cat := DefaultCatalogue()
	e := Merge("a@x", Person, []Contribution{desk, phone, onCall}, cat, Terms{}, at(5))
	for _, l := range []Level{Basic, Status, Full} {
		b.Run(l.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cat.Show(e, l, "en", at(5))
			}
		})
	}
}
