package presence

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestPicture makes pictures of random states, and the states of the pictures.
func TestPicture(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 4))
	sketched := map[int]int{} // how many pictures are not whole, by how many clients there are
	for range 20_000 {
		var said []fact
		for _, source := range []string{"client/a", "client/b", "phone/2001"}[:r.IntN(4)] {
			cs := random(r, Person)
			cs = cs[:min(len(cs), 1+r.IntN(2))]
			more, err := tidy(source, cs)
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, more...)
		}
		en := entry{subject: ada, said: said}
		want := Merge(ada, Person, en.flat(nil), DefaultCatalogue(), Terms{Sharing: Sharing(r.IntN(3))}, at(5))
		want.since(nil, nil, at(5))
		p := pictureOf(want, said)
		p.since = momentOf(want.Since)
		en.publish(p, 7)
		want.Version = 7
		if diff := cmp.Diff(want, en.state(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if p.state() != want.State {
			t.Fatalf("%s is %s", want.State, p.state())
		}
		if p.whole == nil {
			sketched[len(want.All)]++
		}
	}
	for n := range maxSketched + 1 {
		if sketched[n] < 100 {
			t.Errorf("%d pictures of %d clients are small", sketched[n], n)
		}
	}
}

// Whoever says the same for longer leaves nothing behind, and it is the same state.
func TestRenewed(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		for _, longer := range []time.Duration{time.Hour, 2 * time.Hour} {
			said := says(Willingness, Available, Chat)
			said.Since, said.Expires = noon, noon.AddDate(100, 0, 0).Add(longer)
			s.report(ada, "client/desk", said)
			e := s.State(ada)
			if !e.All[0].Expires.Equal(said.Expires) || e.Winner != e.All[0] || e.Version != 1 {
				t.Errorf("%+v", e)
			}
		}
	})
}

// A moment is a time as databases keep it.
func TestMoment(t *testing.T) {
	for _, tt := range []time.Time{
		{}, time.Unix(0, 0), time.Unix(0, 1), time.Unix(-1, 999_999_999), time.Date(1, 1, 1, 0, 0, 0, 1999, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", 3600)), noon,
	} {
		if got, want := micro(tt), tt.UTC().Truncate(time.Microsecond); got != want {
			t.Errorf("%v is %v, want %v", tt, got, want)
		}
		if up := afterAll(tt).time(); up.Before(tt) || up.Sub(tt) >= time.Microsecond {
			t.Errorf("%v is rounded up to %v", tt, up)
		}
	}
	if momentOf(time.Time{}) != 0 {
		t.Error("no time is a moment")
	}
}
