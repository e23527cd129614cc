package iscomposing

import (
	"strings"
	"testing"
	"time"
)

// The examples of RFC 3994 §5, and what others write.
func TestParse(t *testing.T) {
	const ns = `xmlns="urn:ietf:params:xml:ns:im-iscomposing"`
	tests := []struct {
		body string
		want Status
	}{
		{`<?xml version="1.0" encoding="UTF-8"?><isComposing ` + ns + ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:ietf:params:xml:ns:im-composing iscomposing.xsd"><state>active</state><contenttype>text/plain</contenttype><refresh>90</refresh></isComposing>`, Status{true, 90 * time.Second}},
		{`<isComposing ` + ns + `><state>idle</state><lastactive>2003-01-27T10:43:00Z</lastactive><contenttype>audio</contenttype></isComposing>`, Status{}},
		{`<i:isComposing xmlns:i="urn:ietf:params:xml:ns:im-iscomposing"><i:state> active </i:state></i:isComposing>`, Status{Active: true}},
		{`<isComposing><state>thinking</state><refresh>5</refresh></isComposing>`, Status{Refresh: 5 * time.Second}},
		{`<isComposing ` + ns + `><state>active</state><refresh>99999999999999999999999</refresh></isComposing>`, Status{true, MaxRefresh}},
		{`<isComposing ` + ns + `><state>active</state><refresh>-7</refresh></isComposing>`, Status{Active: true}},
		{`<isComposing ` + ns + `><x:more xmlns:x="urn:x"><x:state>no</x:state></x:more><state>active</state></isComposing>`, Status{Active: true}},
	}
	for _, tt := range tests {
		if got, err := Parse([]byte(tt.body)); err != nil || got != tt.want {
			t.Errorf("%s: %+v %v, want %+v", tt.body, got, err, tt.want)
		}
	}
	for _, bad := range []string{
		"", "tea?", "<isComposing/>", "<isComposing><refresh>60</refresh></isComposing>", "<presence><state>active</state></presence>",
		"<isComposing><state>active</isComposing>", "<isComposing><state>active</state>", "<!DOCTYPE x><isComposing><state>active</state></isComposing>",
		"<isComposing><state>active</state></isComposing>" + strings.Repeat(" ", MaxBody),
	} {
		if got, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%.80q is %+v", bad, got)
		}
	}
}

func TestAppend(t *testing.T) {
	for s, want := range map[Status]string{
		{Active: true, Refresh: MinRefresh}: `<state>active</state><contenttype>text/plain</contenttype><refresh>60</refresh></isComposing>`,
		{}:                                  `<state>idle</state><contenttype>text/plain</contenttype></isComposing>`,
	} {
		if got := string(s.Append(nil)); !strings.Contains(got, want) {
			t.Errorf("%+v: %s", s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Status{Active: true, Refresh: MinRefresh}.Append(nil))
	f.Add([]byte(`<isComposing><state>idle</state></isComposing>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := Parse(body)
		if err != nil {
			return
		}
		if s.Refresh < 0 || s.Refresh > MaxRefresh {
			t.Errorf("%q: %v", body, s.Refresh)
		}
		if again, err := Parse(s.Append(nil)); err != nil || again != s {
			t.Errorf("%q: %+v, then %+v %v", body, s, again, err)
		}
	})
}

// at is a moment, n seconds after the first.
func at(n int) time.Time { return time.Unix(1_700_000_000+int64(n), 0) }

// RFC 3994, Figure 1.
func TestComposer(t *testing.T) {
	var c Composer
	wants := func(what string, s Status, ok bool, want string) {
		t.Helper()
		got := "nothing"
		if ok && s.Active {
			got = "active " + s.Refresh.String()
		} else if ok {
			got = "idle"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	tick := func(n int, want string) {
		t.Helper()
		s, ok := c.Tick(at(n))
		wants("tick", s, ok, want)
	}
	compose := func(n int, want string) {
		t.Helper()
		s, ok := c.Compose(at(n))
		wants("compose", s, ok, want)
	}
	stop := func(want string) {
		t.Helper()
		s, ok := c.Stop()
		wants("stop", s, ok, want)
	}
	if !c.Due().IsZero() {
		t.Error("an idle one has nothing to do")
	}
	tick(0, "nothing")
	stop("nothing")
	compose(0, "active 1m0s")
	if c.Due() != at(15) {
		t.Error("due", c.Due())
	}
	compose(10, "nothing")
	tick(24, "nothing")
	tick(25, "idle")
	tick(26, "nothing")
	compose(30, "active 1m0s")
	for n := 40; n < 90; n += 10 {
		compose(n, "nothing")
		tick(n, "nothing")
	}
	compose(89, "nothing")
	if c.Due() != at(90) {
		t.Error("due", c.Due())
	}
	tick(90, "active 1m0s") // the refresh
	tick(91, "nothing")
	c.Sent()
	tick(200, "nothing")
	compose(200, "active 1m0s")
	stop("idle")

	patient := Composer{Idle: 3 * time.Minute, Refresh: 90 * time.Second}
	if s, ok := patient.Compose(at(0)); !ok || s.Refresh != 90*time.Second || patient.Due() != at(90) {
		t.Error(s, ok, patient.Due())
	}
}

// RFC 3994, Figure 2.
func TestWatch(t *testing.T) {
	var w Watch
	if w.Heard(at(0), Status{}) || w.Tick(at(1000)) {
		t.Error("idle is no news")
	}
	if !w.Heard(at(0), Status{Active: true}) || w.Due() != at(120) {
		t.Error("active is, for two minutes")
	}
	if w.Tick(at(119)) || !w.Tick(at(120)) || w.Tick(at(121)) {
		t.Error("it ends once")
	}
	w.Heard(at(0), Status{Active: true, Refresh: 30 * time.Second})
	if w.Heard(at(20), Status{Active: true, Refresh: 90 * time.Second}) || w.Tick(at(100)) || !w.Tick(at(110)) {
		t.Error("a refresh is no news, and counts")
	}
	w.Heard(at(0), Status{Active: true})
	if !w.Heard(at(1), Status{}) {
		t.Error("idle is news then")
	}
	w.Heard(at(0), Status{Active: true})
	if w.Content(); w.Tick(at(500)) || w.Heard(at(501), Status{}) {
		t.Error("a message ends it")
	}
	if w.Heard(at(0), Status{Active: true, Refresh: time.Hour}); w.Due() != at(600) {
		t.Error("not for ever", w.Due())
	}
}
