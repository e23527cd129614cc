package manual

import (
	"strings"
	"testing"
	"time"

	"rollcall/presence"
)

func TestSpan(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"20m": 20 * time.Minute, "90": 90 * time.Minute, "1h30m": 90 * time.Minute, "45min": 45 * time.Minute, "2H": 2 * time.Hour,
		"2d": 48 * time.Hour, "1hour": time.Hour, "30s": 30 * time.Second, "1h30": 0, "366d": 366 * 24 * time.Hour, "367d": 0,
		"": 0, "m": 0, "0": 0, "0m": 0, "-5": 0, "5x": 0, "1.5h": 0, "9999999h": 0, "999999d": 0, "20m lunch": 0, "٣m": 0,
	} {
		d, ok := Span(s)
		if d != want && ok || ok != (want > 0) {
			t.Errorf("%q is %v, %v; want %v", s, d, ok, want)
		}
	}
	for d, want := range map[time.Duration]string{
		20 * time.Minute: "20m", 90 * time.Minute: "1h30m", 12 * time.Hour: "12h", 24 * time.Hour: "24h", 30 * 24 * time.Hour: "30d", 2 * time.Minute: "2m", 120 * time.Millisecond: "120ms",
	} {
		if got := Brief(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	zone := time.FixedZone("here", 2*3600)
	now := time.Date(2026, 3, 31, 14, 30, 0, 0, zone)
	for s, want := range map[string]string{
		"15:00": "2026-03-31T15:00:00+02:00", "14:30": "2026-04-01T14:30:00+02:00", "9:05": "2026-04-01T09:05:00+02:00",
		"2026-04-02T08:00": "2026-04-02T08:00:00+02:00", "2026-04-02T08:00:00Z": "2026-04-02T08:00:00Z",
		"": "", "15": "", "25:00": "", "15:60": "", "tomorrow": "",
	} {
		got, ok := Clock(s, now, zone)
		if want == "" {
			if ok {
				t.Errorf("%q is %v", s, got)
			}
		} else if !ok || got.Format(time.RFC3339) != want {
			t.Errorf("%q is %v, want %s", s, got, want)
		}
	}
}

func TestPhrase(t *testing.T) {
	s := New(Options{Engine: presence.NewEngine(presence.Options{})})
	now := time.Date(2026, 3, 31, 14, 30, 0, 0, time.UTC)
	at := func(hour int) time.Time { return time.Date(2026, 3, 31, hour, 0, 0, 0, time.UTC) }
	for phrase, want := range map[string]Order{
		"break":                        {State: "break"},
		"break 20m lunch at Joe's":     {State: "break", For: 20 * time.Minute, Text: "lunch at Joe's"},
		"Be right back for 5m":         {State: "Be right back", For: 5 * time.Minute},
		"do not disturb until 15:00":   {State: "do not disturb", Until: at(15)},
		"lunch 16:00 pizza":            {State: "lunch", Until: at(16), Text: "pizza"},
		"meeting until we are through": {State: "meeting", Text: "until we are through"},
		"meeting for ever":             {State: "meeting", Text: "for ever"},
		"meeting for":                  {State: "meeting", Text: "for"},
		"off duty":                     {State: "off duty"},
		"custom:site_visit 2h roof":    {State: "custom:site_visit", For: 2 * time.Hour, Text: "roof"},
		"nonsense 20m":                 {State: "nonsense", For: 20 * time.Minute},
		"":                             {},
	} {
		want.By = presence.ByManual
		if got := s.Phrase(presence.Person, presence.ByManual, phrase, now); got != want {
			t.Errorf("%q is %+v, want %+v", phrase, got, want)
		}
		if known := s.Known(presence.Person, presence.ByManual, phrase); known != (want.State != "" && want.State != "nonsense") {
			t.Errorf("%q is known: %v", phrase, known)
		}
	}
}

// Whatever people write, no word is lost or made up, and nothing is longer than can be
// meant.
func FuzzPhrase(f *testing.F) {
	for _, s := range []string{"break 20m lunch", "do not disturb until 15:00", "custom:x for 3d a", "1h 1h 1h", "Ü 9:99", "break 2026-01-01T00:00 x"} {
		f.Add(s)
	}
	s := New(Options{Engine: presence.NewEngine(presence.Options{})})
	now := time.Date(2026, 3, 31, 14, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, phrase string) {
		o := s.Phrase(presence.Person, presence.ByManual, phrase, now)
		all := " " + strings.Join(strings.Fields(phrase), " ")
		if !strings.HasPrefix(all, " "+o.State) && o.State != "" || !strings.HasSuffix(all, o.Text) {
			t.Errorf("%q became %+v", phrase, o)
		}
		if o.For < 0 || o.For > mostMinutes*time.Minute {
			t.Errorf("%q lasts %v", phrase, o.For)
		}
	})
}
