package presence

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// random makes contributions as sources might, and as they should not.
func random(r *rand.Rand, kind Kind) []Contribution {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	states := []string{"", "sleepy", "custom:x", "offline"}
	for _, s := range DefaultCatalogue().States(kind) {
		states = append(states, s.ID)
	}
	sources := []string{"client/desk", "client/phone", "manual", "calendar/1", "phone/2001", "registrar", "shift"}
	var out []Contribution
	for range r.IntN(8) {
		c := Contribution{
			Source: pick(sources), Axis: Axis(r.IntN(int(numAxes))), State: pick(states), Since: at(r.IntN(6)),
			Expires: at(r.IntN(12)), Stale: r.IntN(5) == 0,
		}
		if r.IntN(2) == 0 {
			c.Channels = Channel(r.IntN(16))
		}
		if r.IntN(4) == 0 {
			c.Lapse = pick(states)
		}
		if r.IntN(3) == 0 {
			c.Facets = Facets{Text: pick([]string{"", "a", "b"}), Counterpart: pick([]string{"", "x"}), Until: at(r.IntN(12))}
		}
		out = append(out, c)
	}
	return out
}

// TestProperties tries what has to hold of all contributions there may be.
func TestProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 26))
	for i := range 10_000 {
		kind := []Kind{Person, Device, Team, Role}[i%4]
		terms := Terms{Critical: r.IntN(2) == 0, Sharing: Sharing(r.IntN(3))}
		check(t, random(r, kind), kind, terms, r)
		if t.Failed() {
			t.Fatalf("in round %d", i)
		}
	}
}

func FuzzMerge(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, a, b uint64, kind, sharing uint8) {
		r := rand.New(rand.NewPCG(a, b))
		k := Kind(kind % 4)
		check(t, random(r, k), k, Terms{Sharing: Sharing(sharing % 3), Critical: r.IntN(2) == 0}, r)
	})
}

// check tries the properties of the merge on one list of contributions:
//
//   - Any order gives the same state.
//   - What has expired does not count: without it all is the same.
//   - The channels are those that live contributions vouch for, no more.
//   - No rank in the rest is above that of the state, unless nothing can be reached.
//     So taking a contribution away makes nobody more available than the rest says.
//   - The state is one that a contribution which counts says, or one of the few that
//     follow from there being none, which never invite.
//   - Nobody is available without a live contribution that says how to reach them.
func check(t *testing.T, cs []Contribution, kind Kind, terms Terms, r *rand.Rand) {
	t.Helper()
	cat, now := DefaultCatalogue(), at(5)
	merge := func(cs []Contribution) *Effective { return Merge("a@x", kind, cs, cat, terms, now) }
	e := merge(cs)

	mixed := slices.Clone(cs)
	r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	if other := merge(mixed); !reflect.DeepEqual(e, other) {
		t.Errorf("the order matters:\n%s", cmp.Diff(e, other))
	}
	live := slices.DeleteFunc(slices.Clone(cs), func(c Contribution) bool { return !c.Expires.After(now) && c.Lapse == "" })
	if other := merge(live); !reflect.DeepEqual(e, other) {
		t.Errorf("what has expired counts:\n%s", cmp.Diff(e, other))
	}
	invariants(t, cs, e, cat, now)
	for i := range cs {
		rest := slices.Delete(slices.Clone(cs), i, i+1)
		less := merge(rest)
		invariants(t, rest, less, cat, now)
		if less.Channels&^e.Channels != 0 {
			t.Errorf("without %+v there are more ways to reach them: %s, before %s", cs[i], less.Channels, e.Channels)
		}
	}
	if next := NextChange(cs, now); !next.IsZero() {
		still := Merge("a@x", kind, cs, cat, terms, next.Add(-1))
		if !Same(e, still) {
			t.Errorf("it has changed before %v", next)
		}
	} else if !Same(e, Merge("a@x", kind, cs, cat, terms, now.Add(9*time.Hour))) {
		t.Error("it changes, though time alone should change nothing")
	}
}

// invariants checks that a state is borne out by the contributions that it is of.
func invariants(t *testing.T, cs []Contribution, e *Effective, cat *Catalogue, now time.Time) {
	t.Helper()
	var open Channel
	for _, c := range cs {
		if c.Expires.After(now) {
			open |= c.Channels
		}
	}
	if e.Channels&^open != 0 {
		t.Errorf("by %s, and there is only %s", e.Channels, open)
	}
	state, known := cat.Lookup(e.Kind, e.State)
	if !known {
		t.Fatalf("%q is no state", e.State)
	}
	for _, c := range e.All {
		s := cat.known(e.Kind, c.State)
		if s == nil || s.Rank <= state.Rank {
			continue
		}
		if e.Channels != 0 || s.Has(TraitUnreachable) {
			t.Errorf("%s outranks %s (%s): %+v", c.State, e.State, e.Kind, e.All)
		}
	}
	borne := slices.ContainsFunc(e.All, func(c Contribution) bool {
		s := cat.known(e.Kind, c.State)
		return s != nil && (s.ID == e.State || c.State == e.State) && c.Source == e.Winner.Source
	})
	if !borne && (e.Winner.Source != "" || state.Show.Open()) {
		t.Errorf("nobody says %s", e.State)
	}
	for level := Hidden; level < NumLevels; level++ {
		s := cat.Show(e, level, English, now)
		if !s.Unavailable && (s.Show == "" || s.Show == "chat") && (e.Channels == 0 || open == 0) {
			t.Errorf("%s is available at level %s, and cannot be reached", e.State, level)
		}
		if s.Unavailable && !s.Closed {
			t.Errorf("%s is unavailable and open at level %s", e.State, level)
		}
	}
}
