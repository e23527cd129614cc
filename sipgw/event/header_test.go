package event

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseEvent(t *testing.T) {
	tests := []struct {
		in   string
		want Event
	}{
		{"presence", Event{Package: "presence"}},
		{" presence ; id=4711", Event{Package: "presence", ID: "4711"}},
		{"presence.winfo", Event{Package: "presence.winfo"}},
		{"dialog;sla", Event{Package: "dialog", Params: []Param{{"sla", ""}}}},
		{"dialog;ma;id=1", Event{Package: "dialog", ID: "1", Params: []Param{{"ma", ""}}}},
		{`dialog; call-id="a\"b;c"; from-tag=7;`, Event{Package: "dialog", Params: []Param{{"call-id", `a"b;c`}, {"from-tag", "7"}}}},
		{"message-summary;;", Event{Package: "message-summary"}},
		{"presence;Max-Rate=0.05", Event{Package: "presence", Params: []Param{{"max-rate", "0.05"}}}},
	}
	for _, tt := range tests {
		got, err := ParseEvent(tt.in)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", tt.in, err, diff)
		}
	}
	for _, bad := range []string{
		"", ";id=1", "pre sence", "presence;=1", "presence;a b=1", `presence;id="1`, `presence;id=1"2`, "presence;id=a\r\nX",
		".", "a.", ".a", "a..b", `presence;id="\`, `presence;id="a\"`, "presence;id=\"a\rb\"", "presence;id=\"\\\n\"",
		"presence" + strings.Repeat(";a=1", maxParams+1), strings.Repeat("a", maxHeader+1),
	} {
		if e, err := ParseEvent(bad); !errors.Is(err, ErrHeader) {
			t.Errorf("%q: %+v %v", bad, e, err)
		}
	}
}

func TestEvent(t *testing.T) {
	parse := func(s string) Event {
		e, err := ParseEvent(s)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := parse("presence.winfo;id=9;x=y")
	if e.Base() != "presence" || e.Template() != "winfo" || string(e.Append(nil)) != "presence.winfo;id=9" {
		t.Errorf("%+v", e)
	}
	if v, ok := e.Param("x"); v != "y" || !ok {
		t.Error("param")
	}
	if _, ok := e.Param("id"); ok {
		t.Error("the id is no parameter")
	}
	if string(parse("dialog;sla").Append(nil)) != "dialog" {
		t.Error("append")
	}
	for in, want := range map[string]string{
		"presence": "presence", "dialog": "dialog", "reg": "reg", "message-summary": "message-summary", "dialog;call-id=1": "dialog",
		"dialog;sla": "", "dialog;ma": "", "presence.winfo": "presence.winfo", "Presence": "", "refer": "", "keep-alive": "",
	} {
		got := ""
		if p := Find(parse(in)); p != nil {
			got = p.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if !parse("dialog;id=1").Same(parse("dialog;id=1;x=2")) || parse("dialog").Same(parse("dialog;id=1")) {
		t.Error("same")
	}
	if AllowEvents() != "presence, dialog, reg, message-summary, presence.winfo" {
		t.Error(AllowEvents())
	}
}

func TestLists(t *testing.T) {
	if got := List("presence , dialog,,", "", "reg", "not a token, ok"); !cmp.Equal(got, []string{"presence", "dialog", "reg", "ok"}) {
		t.Error(got)
	}
	if got := List(strings.Repeat("a,", 500)); len(got) != maxList {
		t.Error(len(got))
	}
	if got := List(strings.Repeat("a", maxHeader+1)); got != nil {
		t.Error(got)
	}
	ours := []string{"application/pidf+xml", "application/xpidf+xml"}
	for in, want := range map[string]string{
		"":                         ours[0],
		" ":                        ours[0],
		"application/pidf+xml":     ours[0],
		"Application/PIDF+XML;q=1": ours[0],
		"application/xpidf+xml":    ours[1],
		"text/xml, application/xpidf+xml, application/pidf+xml;q=0.5": ours[0],
		"application/pidf+xml;q=0, application/xpidf+xml":             ours[1],
		"application/pidf+xml;q=0.0, */*;q=0.1":                       ours[0],
		"*/*":                                                         ours[0],
		"application/*":                                               ours[0],
		"text/plain":                                                  "",
		`multipart/related;type="a,b;c",text/html`:                    "",
	} {
		if got := Accepted(ours, in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := Accepted(ours, "text/plain", "application/xpidf+xml"); got != ours[1] {
		t.Error("two lines:", got)
	}
	if Accepted(ours) != ours[0] || Accepted(nil, "a/b") != "" {
		t.Error("no header")
	}
}

func TestParseState(t *testing.T) {
	const no = -1
	s := func(n int) time.Duration { return time.Duration(n) * time.Second }
	tests := []struct {
		in   string
		want State
		out  string
	}{
		{"active;expires=600", State{Active, NoReason, s(600), no}, "active;expires=600"},
		{"Pending ; Expires = 599", State{Pending, NoReason, s(599), no}, "pending;expires=599"},
		{"active", State{Active, NoReason, no, no}, "active"},
		{"terminated;reason=deactivated", State{Terminated, Deactivated, no, no}, "terminated;reason=deactivated"},
		{"terminated;reason=probation;retry-after=30", State{Terminated, Probation, no, s(30)}, "terminated;reason=probation;retry-after=30"},
		{"terminated;reason=rejected", State{Terminated, Rejected, no, no}, "terminated;reason=rejected"},
		{"terminated;reason=timeout", State{Terminated, Timeout, no, no}, "terminated;reason=timeout"},
		{"terminated;reason=giveup", State{Terminated, GiveUp, no, no}, "terminated;reason=giveup"},
		{"terminated;reason=noresource;expires=9", State{Terminated, NoResource, s(9), no}, "terminated;reason=noresource"},
		{"terminated;reason=invariant", State{Terminated, Invariant, no, no}, "terminated;reason=invariant"},
		{"terminated;reason=expired", State{Terminated, NoReason, no, no}, "terminated"},
		{"terminated", State{Terminated, NoReason, no, no}, "terminated"},
		{"halted;expires=1", State{Other, NoReason, s(1), no}, ";expires=1"},
		{"active;expires=99999999999999999999", State{Active, NoReason, longest, no}, "active;expires=34560000"},
		{"active;expires=-1", State{Active, NoReason, no, no}, "active"},
	}
	for _, tt := range tests {
		got, err := ParseState(tt.in)
		if err != nil || got != tt.want || string(got.Append(nil)) != tt.out {
			t.Errorf("%q: %+v %v %q", tt.in, got, err, got.Append(nil))
		}
	}
	for _, bad := range []string{"", ";expires=1", "a b", `active;expires="1`} {
		if _, err := ParseState(bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"0": 0, " 3600 ": time.Hour, "120;duration=60": 2 * time.Minute, "18 (in a meeting)": 18 * time.Second,
		"": -1, "x": -1, "-5": -1, "1.5": -1, "5x": -1, "4294967296": longest, "4294967295": longest,
	} {
		if got := Seconds(in); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestGrant(t *testing.T) {
	p := Find(Event{Package: "reg"})
	l := Limits{Min: time.Minute, Max: 2 * time.Hour}
	for _, tt := range []struct {
		asked, want time.Duration
		ok          bool
	}{
		{-1, 3761 * time.Second, true},
		{0, 0, true},
		{time.Minute - time.Second, 0, false},
		{time.Minute, time.Minute, true},
		{time.Hour, time.Hour, true},
		{24 * time.Hour, 2 * time.Hour, true},
	} {
		if got, ok := p.Grant(tt.asked, l); got != tt.want || ok != tt.ok {
			t.Errorf("%v: %v %v", tt.asked, got, ok)
		}
	}
	// What is an hour or longer is never too short, whatever the configuration.
	if got, ok := p.Grant(time.Hour, Limits{Min: 3 * time.Hour}); got != time.Hour || !ok {
		t.Error(got, ok)
	}
}

func TestPace(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"presence":                5 * time.Second,
		"dialog":                  time.Second,
		"reg":                     5 * time.Second,
		"message-summary":         time.Second,
		"dialog;max-rate=0.1":     10 * time.Second,
		"dialog;max-rate=10":      time.Second,
		"presence;max-rate=0.05":  20 * time.Second,
		"dialog;max-rate=0":       time.Second,
		"dialog;max-rate=-1":      time.Second,
		"dialog;max-rate=NaN":     time.Second,
		"dialog;max-rate=fast":    time.Second,
		"dialog;max-rate=1e-300":  time.Hour,
		"dialog;max-rate=0.00001": time.Hour,
	} {
		e, err := ParseEvent(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := Find(e).Pace(e); got != want {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
	if got := Due(now, 5*time.Second, false); got != now.Add(5*time.Second) {
		t.Error(got)
	}
	if got := Due(now, 5*time.Second, true); got != now.Add(time.Second) {
		t.Error("urgent", got)
	}
	if got := Due(now, 0, true); got != now {
		t.Error("urgent is never later", got)
	}
	if !Due(time.Time{}, time.Hour, false).IsZero() {
		t.Error("who was never told is told at once")
	}
}

func TestVersions(t *testing.T) {
	var v Versions
	for i, s := range []struct {
		version         uint32
		partial         bool
		ignore, refresh bool
	}{
		{5, true, false, true}, {6, true, false, false}, {6, true, false, false}, {5, false, true, false}, {8, false, false, false},
		{10, true, false, true}, {11, true, false, false}, {4294967295, false, false, false}, {0, true, true, false},
		{1, false, true, false}, {0, false, false, false}, {1, true, false, false},
	} {
		if ignore, refresh := v.Next(s.version, s.partial); ignore != s.ignore || refresh != s.refresh {
			t.Errorf("%d: version %d: %v %v", i, s.version, ignore, refresh)
		}
	}
	v = Versions{}
	if ignore, refresh := v.Next(0, false); ignore || refresh {
		t.Error("the first, a full one")
	}
}

func TestBackoff(t *testing.T) {
	for i, want := range []time.Duration{10, 10, 20, 40, 80, 160, 320, 600, 600, 600} {
		want *= time.Second
		for seed := range uint32(200) {
			got := Backoff(i, seed*7919)
			if got < want*9/10 || got > want*11/10 {
				t.Errorf("%d: %v, want about %v", i, got, want)
			}
		}
	}
	if Backoff(1<<30, 0) > 11*time.Minute {
		t.Error("overflow")
	}
	seen := map[time.Duration]bool{}
	for seed := range uint32(100) {
		seen[Backoff(3, seed)] = true
	}
	if len(seen) < 80 {
		t.Errorf("%d different of 100", len(seen))
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add(`dialog;call-id="a\"b;c";id=1`)
	f.Add("terminated;reason=probation;retry-after=30")
	f.Add("application/pidf+xml;q=0.5, */*;q=0")
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := ParseEvent(s); err == nil {
			if again, err := ParseEvent(e.Package); err != nil || again.Package != e.Package {
				t.Errorf("%q: %v", e.Package, err)
			}
			if strings.ContainsAny(e.ID+e.Package, "\r\n") {
				t.Errorf("a line break in %+v", e)
			}
			if p := Find(e); p != nil && p.Pace(e) < p.Every {
				t.Errorf("faster than allowed: %q", s)
			}
		}
		if st, err := ParseState(s); err == nil && st.Phase != Other {
			if again, err := ParseState(string(st.Append(nil))); err != nil || again.Phase != st.Phase || again.Reason != st.Reason && st.Phase == Terminated {
				t.Errorf("%q: %+v %v", s, again, err)
			}
		}
		List(s)
		Accepted([]string{"a/b"}, s)
		Seconds(s)
	})
}
