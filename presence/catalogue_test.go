package presence

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBuiltInStates holds the built-in states to what configured ones are held to.
func TestBuiltInStates(t *testing.T) {
	c := DefaultCatalogue()
	for _, kind := range []Kind{Person, Device, Team} {
		for _, s := range c.States(kind) {
			for _, f := range c.faultsOf(&s) {
				t.Error(f)
			}
			for _, t2 := range []Texts{s.Label, s.Aside, s.CriticalLabel} {
				if len(t2) > 0 && t2["de"] == "" {
					t.Errorf("%s %s: no German in %v", kind, s.ID, t2)
				}
			}
			if s.SetBy == 0 {
				t.Errorf("%s %s: nobody may set it", kind, s.ID)
			}
			if len(s.Edits()) > 0 {
				t.Errorf("%s %s: differs from itself: %v", kind, s.ID, s.Edits())
			}
		}
	}
	for kind, ids := range map[Kind][]string{
		Person: {Offline, Available, Idle, PhoneOnly, Busy}, Device: {Offline, Unknown}, Team: {Offline, teamReady, teamShort, teamBusy},
	} {
		for _, id := range ids {
			if s, ok := c.Lookup(kind, id); !ok || s.ID != id {
				t.Errorf("%s %s is not there", kind, id)
			}
		}
	}
}

// TestManualHasTheStates looks for each built-in state in the operators' manual.
func TestManualHasTheStates(t *testing.T) {
	manual, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []Kind{Person, Device, Team} {
		for _, s := range DefaultCatalogue().States(kind) {
			row := fmt.Sprintf("| `%s` | %s | %d | %s | %s |\n", s.ID, kind, s.Rank, s.Show, s.Label[English])
			if !strings.Contains(string(manual), row) {
				t.Errorf("docs/operating.md has no row %s", row)
			}
		}
	}
	for _, f := range FieldNames() {
		if !strings.Contains(string(manual), "`"+f+"`") {
			t.Errorf("docs/operating.md does not say what %s is", f)
		}
	}
}

func TestLookup(t *testing.T) {
	own := edited(Person, "custom:site_visit", "show", "xa")
	c, faults := NewCatalogue(Config{States: []State{own, edited(Device, "idle", "rank", int64(31))}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	tests := []struct {
		kind Kind
		id   string
		want string
		show Show
		rank int8
	}{
		{Person, "meeting", "meeting", ShowDND, 65},
		{Role, "meeting", "meeting", ShowDND, 65},
		{Device, "meeting", "", 0, 0},
		{Person, "idle", "idle", ShowAway, 20},
		{Device, "idle", "idle", ShowNone, 31},
		{Person, "custom:site_visit", "custom:site_visit", ShowXA, 52},
		{Person, "custom:other", "custom:*", ShowAway, 52},
		{Device, "custom:other", "", 0, 0},
		{Person, "", "", 0, 0},
	}
	for _, tt := range tests {
		s, ok := c.Lookup(tt.kind, tt.id)
		if ok != (tt.want != "") || ok && (s.ID != tt.want || s.Show != tt.show || s.Rank != tt.rank) {
			t.Errorf("%s %q: %+v", tt.kind, tt.id, s)
		}
	}
	if s, _ := DefaultCatalogue().Lookup(Device, "idle"); s.Rank != 30 {
		t.Error("the built-in state was changed")
	}
}

// faultTests are configured states and what is wrong with them.
var faultTests = []struct {
	states []State
	want   []string
}{
	{[]State{edited(Person, "break", "label", map[string]any{"en": " LUNCH "})}, []string{
		`person.break.label: the same in "en" as that of lunch; give one of them another label`,
	}},
	{[]State{edited(Person, "break", "label", map[string]any{"en": "Desk phone only[: {text}]"})}, []string{
		`person.break.label: the same in "en" as that of phone_only; give one of them another label`,
	}},
	{[]State{edited(Person, "break", "label", map[string]any{"en": "Ready"}), edited(Person, "ready", "label", map[string]any{"en": "Set"})}, nil},
	{[]State{edited(Person, "break", "label", map[string]any{"en": "Paging"})}, nil}, // which a device does
	{[]State{edited(Person, "custom:a", "label", map[string]any{"de": "Hafen"})}, []string{
		`person.custom:a.label: no text in English, which other languages fall back to; write { en = "…" }`,
	}},
	{[]State{edited(Person, "offline", "rank", int64(3))}, []string{`person.offline.rank: offline is what is left when nothing else is; leave it at 0`}},
	{[]State{edited(Device, "offline", "show", "away")}, []string{`device.offline.show: offline is not to be reached; leave it "unavailable"`}},
	{[]State{edited(Device, "offline", "critical_show", "chat")}, []string{`device.offline.critical_show: what is lost would be shown as available; write "away", "xa" or "dnd"`}},
	{[]State{edited(Device, "idle", "traits", []any{"unreachable"})}, []string{`device.idle.show: it would be shown as available though nothing can be reached; write "away", "xa" or "dnd", or leave the trait "unreachable" out`}},
	{[]State{edited(Device, "idle", "onward", "ready_steady")}, []string{`device.idle.onward: people have no state "ready_steady"; write the name of one that they have`}},
	{[]State{edited(Person, "acw", "lasts", "3m")}, []string{`person.acw.lasts: more than longest; write at most "2m"`}},
	{[]State{edited(Person, "Häh", "show", "away")}, []string{`person.Häh: not the name of a state; write small letters, digits and _, such as "custom:site_visit"`}},
}

func TestFaults(t *testing.T) {
	for _, tt := range faultTests {
		_, faults := NewCatalogue(Config{States: tt.states})
		var got []string
		for _, f := range faults {
			got = append(got, f.String())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.states[0].ID, got, tt.want)
		}
	}
	if _, faults := NewCatalogue(Config{Zone: "Nowhere/At-all"}); len(faults) != 1 {
		t.Errorf("a time zone that there is not: %v", faults)
	}
}

func TestSetField(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	bad := []struct {
		field string
		value any
	}{
		{"rank", int64(-1)}, {"rank", int64(101)}, {"rank", "5"}, {"show", "busy"}, {"show", int64(1)}, {"colour", "red"},
		{"label", "Text"}, {"label", map[string]any{"en": int64(1)}}, {"label", map[string]any{"EN": "x"}}, {"label", map[string]any{"": "x"}},
		{"label", map[string]any{"en": long}}, {"label", map[string]any{"en": "a\nb"}}, {"label", map[string]any{"en": "\xff"}},
		{"label", map[string]any{"en": "[a"}}, {"label", map[string]any{"en": "a]"}}, {"label", map[string]any{"en": "[a[b]]"}},
		{"label", map[string]any{"en": "{what}"}}, {"label", map[string]any{"en": "{text"}}, {"label", map[string]any{"en": "}"}},
		{"rpid", "telephoning"}, {"rpid", int64(1)}, {"activity", "working/"}, {"activity", "/x"}, {"activity", "loitering"}, {"activity", "working/A"},
		{"set_by", "manual"}, {"set_by", []any{"nobody"}}, {"set_by", []any{int64(1)}}, {"traits", []any{"loud"}},
		{"lasts", int64(5)}, {"lasts", "soon"}, {"lasts", "-1h"}, {"longest", "721h"},
		{"seen", "from"}, {"seen", "from afar"}, {"seen", "below hidden"}, {"seen", int64(1)}, {"labelled", "below full"}, {"onward", "On Call"},
	}
	for _, tt := range bad {
		var s State
		if what, remedy := s.SetField(tt.field, tt.value); what == "" || remedy == "" {
			t.Errorf("%s = %v is taken, or without a remedy", tt.field, tt.value)
		}
	}
	good := []struct {
		field string
		value any
		ok    func(State) bool
	}{
		{"rank", int64(100), func(s State) bool { return s.Rank == 100 }},
		{"show", "unavailable", func(s State) bool { return s.Show == ShowUnavailable }},
		{"label", map[string]any{"pt-br": "[{since}] a[ {text}]"}, func(s State) bool { return s.Label["pt-br"] != "" }},
		{"rpid", "", func(s State) bool { return s.RPID == "" }},
		{"activity", "working/in_a_meeting", func(s State) bool { return s.Activity != "" }},
		{"set_by", []any{"manual", "api"}, func(s State) bool { return s.SetBy == ByManual|ByAPI }},
		{"traits", []any{"idle", "unreachable"}, func(s State) bool { return s.Traits == TraitIdle|TraitUnreachable }},
		{"lasts", "90m", func(s State) bool { return s.Lasts == 90*time.Minute }},
		{"seen", "from detail", func(s State) bool { return s.From == Detail && s.Below == 0 }},
		{"seen", "below full", func(s State) bool { return s.From == 0 && s.Below == Full }},
		{"seen", "by all", func(s State) bool { return s.From == 0 && s.Below == 0 }},
		{"labelled", "from full", func(s State) bool { return s.LabelFrom == Full }},
	}
	for _, tt := range good {
		s := State{ID: "training", RPID: "x", From: Full}
		if what, _ := s.SetField(tt.field, tt.value); what != "" || !tt.ok(s) {
			t.Errorf("%s = %v: %s, %+v", tt.field, tt.value, what, s)
		}
	}
}

func TestExpiry(t *testing.T) {
	s := State{Lasts: time.Hour, Longest: 3 * time.Hour}
	for asked, want := range map[time.Duration]time.Duration{0: time.Hour, time.Minute: time.Minute, 9 * time.Hour: 3 * time.Hour, -5: time.Hour} {
		if got, err := s.Expiry(noon, asked); err != nil || !got.Equal(noon.Add(want)) {
			t.Errorf("asked for %v: %v, %v; want %v", asked, got.Sub(noon), err, want)
		}
	}
	repair, _ := DefaultCatalogue().Lookup(Device, "maintenance")
	if _, err := repair.Expiry(noon, 0); !errors.Is(err, ErrNoExpiry) {
		t.Errorf("a repair without an end: %v", err)
	}
	if got, err := repair.Expiry(noon, 10_000*time.Hour); err != nil || !got.Equal(noon.Add(LongestOfAll)) {
		t.Errorf("a repair without measure: %v, %v", got, err)
	}
}

func TestWordsAndBack(t *testing.T) {
	for k := Person; k <= Role; k++ {
		if got, ok := ParseKind(k.String()); !ok || got != k {
			t.Errorf("kind %s", k)
		}
	}
	for l := Hidden; l < NumLevels; l++ {
		if got, ok := ParseLevel(l.String()); !ok || got != l {
			t.Errorf("level %s", l)
		}
	}
	for s := SharePhone; s <= ShareNothing; s++ {
		if got, ok := ParseSharing(s.String()); !ok || got != s {
			t.Errorf("sharing %s", s)
		}
	}
	for s := Everybody; s <= OfKind; s++ {
		if got, ok := ParseSelection(s.String()); !ok || got != s {
			t.Errorf("selection %s", s)
		}
	}
	for _, f := range []func(string) bool{
		func(s string) bool { _, ok := ParseKind(s); return ok }, func(s string) bool { _, ok := ParseLevel(s); return ok },
		func(s string) bool { _, ok := ParseSharing(s); return ok }, func(s string) bool { _, ok := ParseSelection(s); return ok },
	} {
		if f("") || f("nothing") {
			t.Error("a word that there is not was taken")
		}
	}
}

func FuzzLabel(f *testing.F) {
	for _, s := range []string{"On the phone[ with {counterpart}]", "[{cause}]", "a]b[", "{text", "[[]]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, label string) {
		if checkTemplate(label) != "" {
			return
		}
		if empty := fill(label, func(string) string { return "" }); strings.ContainsAny(empty, "[]{}") {
			t.Errorf("%q leaves %q", label, empty)
		}
		// Nothing that is filled in is looked at again.
		if full := fill(label, func(string) string { return "{x}[y" }); strings.Count(full, "{x}[y") != strings.Count(label, "{") {
			t.Errorf("%q gives %q", label, full)
		}
	})
}
