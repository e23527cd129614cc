package presence

import (
	"slices"
	"testing"
	"time"
)

// Whoever wants to hears of what has come to its end, once: not of what was replaced,
// withdrawn or turns into something else, and after a restart of what ended meanwhile.
func TestExpired(t *testing.T) {
	var heard []string
	o := Options{Expired: func(who Subject, k Kind, c *Contribution) {
		heard = append(heard, string(who)+" "+k.String()+" "+c.Source+" "+c.State)
	}}
	for20m := func(state string) Contribution {
		c := says(Willingness, state, 0)
		c.Expires = time.Now().Add(20 * time.Minute)
		return c
	}
	play(t, o, func(s *stage) {
		s.report(ada, "manual", for20m("dnd"))
		s.report(bob, "manual", for20m("break"))
		s.report(bob, "manual", says(Willingness, "lunch", 0))
		lapsing := for20m("idle")
		lapsing.Lapse = Unknown
		s.report(door, "registrar", lapsing)
		s.after(20 * time.Minute)
		if want := []string{"ada@x person manual dnd"}; !slices.Equal(heard, want) {
			t.Errorf("after 20m: %v, want %v", heard, want)
		}
		s.report(bob, "manual")
		s.after(2 * time.Hour)
		if len(heard) != 1 {
			t.Errorf("in the end: %v", heard)
		}
	})
}

func TestExpiredWhileAway(t *testing.T) {
	var heard []string
	withOptions := func(o *Options) {
		o.Expired = func(who Subject, _ Kind, c *Contribution) { heard = append(heard, string(who)+" "+c.State) }
	}
	restartedWith(t, withOptions, time.Hour, func(s *stage) {
		soon := says(Willingness, "break", 0)
		soon.Expires = time.Now().Add(time.Minute)
		s.report(ada, "manual", soon)
		late := says(Willingness, "dnd", 0)
		late.Expires = time.Now().Add(3 * time.Hour)
		s.report(bob, "manual", late)
	}, func(s *stage) {
		if want := []string{"ada@x break"}; !slices.Equal(heard, want) {
			t.Errorf("%v, want %v", heard, want)
		}
	})
}
