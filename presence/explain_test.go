package presence

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExplain holds explanations against testdata/explain.txt, which is to be read
// as people would.
func TestExplain(t *testing.T) {
	cat := DefaultCatalogue()
	cases := []struct {
		title string
		kind  Kind
		cs    []Contribution
		terms Terms
	}{
		{"Ada is in a call, and says she is away", Person, []Contribution{
			said("client/desk", "idle", by(Chat), text("lunch")), said("phone/2001", "on_call", since(2), expires(65), with("Bob")), phone,
			said("calendar/1", "meeting", since(-30), expires(30), until(30)), said("phone/2002", "on_call", expires(4)),
		}, Terms{}},
		{"she says by hand that she is available", Person, []Contribution{
			said("client/desk", "idle", by(Chat)), said("calendar/1", "meeting", since(-30), expires(30)), said("manual", "available", expires(240)),
		}, Terms{}},
		{"she shares no more than that she is busy, and has just logged out", Person, []Contribution{
			said("phone/2001", "on_call", since(2)), phone, said("phone/2002", "ringing"),
		}, Terms{Sharing: ShareBusyOnly}},
		{"nothing of hers is there", Person, []Contribution{said("manual", "dnd"), said("phone/2001", "offline", cause("registration expired"))}, Terms{}},
		{"the door was lost in the restart", Device, []Contribution{
			said("registrar", "idle", by(Voice), expires(3), lapse("offline"), stale), said("qualify", "sleepy", stale),
		}, Terms{Critical: true}},
		{"nobody has ever said anything", Device, nil, Terms{}},
	}
	var out strings.Builder
	for _, tt := range cases {
		x := Explain("a@x", tt.kind, tt.cs, cat, tt.terms, "en", at(5))
		out.WriteString("# " + tt.title + "\n" + strings.Join(x.Lines(cat), "\n") + "\n\n")
		if _, err := json.Marshal(x); err != nil {
			t.Error(err)
		}
		e := Merge("a@x", tt.kind, tt.cs, cat, tt.terms, at(5))
		if x.State != e.State || len(x.Says) != len(tt.cs) || len(x.Levels) != int(NumLevels) {
			t.Errorf("%s: %+v", tt.title, x)
		}
		wins := 0
		for _, s := range x.Says {
			if s.Wins {
				wins++
			}
		}
		if want := min(len(e.Winner.Source), 1); wins != want {
			t.Errorf("%s: %d contributions win, want %d", tt.title, wins, want)
		}
	}
	want, err := os.ReadFile("testdata/explain.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}
