package presence

import (
	"testing"
	"time"
)

// A device that comes and goes too often is taken for lost for a minute.
func TestFlapping(t *testing.T) {
	store := newShelf()
	play(t, Options{Config: patience, Store: store, Journal: store}, func(s *stage) {
		come := func() { s.report(door, "registrar", says(Reachability, "idle", Voice)) }
		come() // what is new does not count
		s.after(time.Second)
		for range 2 { // away, back, away, back: four changes are well
			s.report(door, "registrar")
			s.after(5 * time.Second)
			come()
			s.after(5 * time.Second)
			s.shows(door, "idle")
		}
		s.report(door, "registrar") // five are not
		s.after(time.Second)
		s.shows(door, Offline)
		if e := s.State(door); e.Winner.Source != Flapping || e.Winner.Facets.Cause != "flapping" || !has(e, "degraded", "flapping") {
			t.Errorf("%+v", e)
		}
		since := s.State(door).Since
		s.changed(door)
		for range 3 { // whatever it does now
			come()
			s.report(door, "registrar")
		}
		come()
		s.after(58 * time.Second)
		s.shows(door, Offline)
		s.changed()

		// It has not held still for a minute, so it is held for another one.
		s.after(60 * time.Second)
		s.shows(door, Offline)
		if e := s.State(door); !e.Since.Equal(since) || e.Channels != 0 {
			t.Errorf("since %v, channels %v", e.Since, e.Channels)
		}
		s.changed()
		s.after(2 * time.Second)
		s.shows(door, "idle")
		s.changed(door)
		got, err := s.Entries(s.Context(), Query{Subject: door})
		if err != nil || len(got) != 7 || got[1].Cause != "flapping" || got[0].To != "idle" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func has(e *Effective, state, text string) bool {
	for _, c := range e.All {
		if c.State == state && c.Facets.Text == text {
			return true
		}
	}
	return false
}

// People are not damped, nor are devices that come and go slowly, nor where there is
// no limit.
func TestNotFlapping(t *testing.T) {
	flap := func(s *stage, subject Subject, every time.Duration) {
		for range 20 {
			s.report(subject, "registrar", says(Reachability, "", Voice))
			s.after(every)
			s.report(subject, "registrar")
			s.after(every)
		}
		s.report(subject, "registrar", says(Reachability, "", Voice))
		s.after(time.Second)
	}
	play(t, Options{Config: patience}, func(s *stage) {
		flap(s, ada, time.Second)
		s.shows(ada, PhoneOnly)
		flap(s, door, 16*time.Second)
		if e := s.State(door); e.Channels != Voice {
			t.Errorf("%s, %v", e.State, e.Channels)
		}
	})
	boundless := patience
	boundless.Flaps = FlapLimit{}
	play(t, Options{Config: boundless}, func(s *stage) {
		flap(s, door, time.Second)
		if e := s.State(door); e.Channels != Voice {
			t.Errorf("%s, %v", e.State, e.Channels)
		}
	})
}

// An emergency shows on a device that flaps, too.
func TestFlappingEmergency(t *testing.T) {
	play(t, Options{Config: patience}, func(s *stage) {
		for range 4 {
			s.report(door, "registrar", says(Reachability, "idle", Voice))
			s.report(door, "registrar")
			s.after(time.Second)
		}
		s.shows(door, Offline)
		s.report(door, "line", says(Engagement, "emergency", 0))
		s.shows(door, "emergency")
	})
}
