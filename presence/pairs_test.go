package presence

import (
	"slices"
	"testing"
)

// rows are the states of the table that the catalogue is made from: what outranks
// what is decided here once more, by hand.
var rows = map[Kind][]struct {
	states []string
	rank   int8
	show   string
}{
	Person: {
		{[]string{"emergency"}, 95, "dnd"}, {[]string{"off_duty"}, 90, "xa"}, {[]string{"appear_offline"}, 88, "unavailable"},
		{[]string{"dnd"}, 85, "dnd"}, {[]string{"presenting"}, 80, "dnd"}, {[]string{"on_call", "conference", "busy"}, 75, "dnd"},
		{[]string{"on_hold"}, 74, "dnd"}, {[]string{"incident", "dispatching"}, 70, "dnd"}, {[]string{"meeting"}, 65, "dnd"},
		{[]string{"acw"}, 60, "dnd"}, {[]string{"not_ready", "break", "lunch", "brb"}, 55, "away"}, {[]string{"custom:*"}, 52, "away"},
		{[]string{"ringing", "dialing"}, 45, "none"}, {[]string{"monitoring", "ready", "active"}, 40, "none"},
		{[]string{"available"}, 30, "none"}, {[]string{"available_mobile"}, 25, "none"}, {[]string{"idle"}, 20, "away"},
		{[]string{"long_idle"}, 15, "xa"}, {[]string{"phone_only"}, 10, "away"}, {[]string{"offline"}, 0, "unavailable"},
	},
	Device: {
		{[]string{"emergency"}, 95, "dnd"}, {[]string{"alarm"}, 92, "dnd"}, {[]string{"maintenance"}, 90, "xa"}, {[]string{"locked"}, 85, "xa"},
		{[]string{"offline"}, 82, "unavailable"}, {[]string{"fault"}, 80, "xa"}, {[]string{"paging"}, 72, "dnd"},
		{[]string{"on_call", "conference"}, 70, "dnd"}, {[]string{"on_hold"}, 69, "dnd"}, {[]string{"ringing", "dialing"}, 66, "dnd"},
		{[]string{"degraded"}, 40, "away"}, {[]string{"unknown"}, 35, "away"}, {[]string{"idle"}, 30, "none"},
	},
	Team: {
		{[]string{"busy"}, 75, "dnd"}, {[]string{"short"}, 40, "away"}, {[]string{"ready"}, 30, "none"}, {[]string{"offline"}, 0, "unavailable"},
	},
}

func TestCatalogueIsTheTable(t *testing.T) {
	for kind, table := range rows {
		n := 0
		for _, row := range table {
			for _, id := range row.states {
				n++
				s, ok := DefaultCatalogue().Lookup(kind, id)
				if !ok || s.Rank != row.rank || s.Show.String() != row.show {
					t.Errorf("%s %s: %+v, want rank %d and show %s", kind, id, s, row.rank, row.show)
				}
			}
		}
		if got := len(DefaultCatalogue().States(kind)); got != n {
			t.Errorf("%s: %d states in the catalogue, %d in the table", kind, got, n)
		}
	}
}

// TestPairs has each state meet each other one, the one newer, older and as old, with
// and without a way to reach the subject: the higher rank wins; of equals the newer
// does, and then the first by name; unless nothing can be reached.
func TestPairs(t *testing.T) {
	for kind, table := range rows {
		var ids []string
		for _, row := range table {
			ids = append(ids, row.states...)
		}
		for _, a := range ids {
			for _, b := range ids {
				for older := range 3 {
					for _, open := range []Channel{0, Voice} {
						meet(t, kind, a, b, older, open)
					}
				}
			}
		}
	}
}

func meet(t *testing.T, kind Kind, a, b string, older int, open Channel) {
	t.Helper()
	cat := DefaultCatalogue()
	cs := []Contribution{said("a", a, since(older)), said("b", b, since(1)), said("way", "", by(open))}
	e := Merge("a@x", kind, cs, cat, Terms{}, at(5))

	rank := func(id string) int8 {
		for _, row := range rows[kind] {
			if slices.Contains(row.states, id) {
				return row.rank
			}
		}
		return -1
	}
	want := a
	if rank(b) > rank(a) || rank(a) == rank(b) && older < 1 {
		want = b
	}
	if open == 0 {
		// Only these stand where nothing can be reached, the first of them that is said.
		stand := []string{"emergency", "alarm", "maintenance", "locked"}
		switch {
		case slices.Contains(stand, want):
		case slices.Contains(stand, a):
			want = a
		case slices.Contains(stand, b):
			want = b
		case kind == Device && a != "offline" && b != "offline" && (a == "unknown" || b == "unknown"):
			want = "unknown" // nobody says that it is off
		default:
			want = "offline"
		}
	}
	if e.State != want {
		t.Errorf("%s: %s and %s (%d older, by %s) come to %s, want %s", kind, a, b, 1-older, open, e.State, want)
	}
	if state, _ := cat.Lookup(kind, e.State); state.Show.Open() && e.Channels == 0 {
		t.Errorf("%s: %s and %s are shown as %s though nothing can be reached", kind, a, b, e.State)
	}
}
