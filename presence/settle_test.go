package presence

import (
	"testing"
	"testing/synctest"
	"time"
)

// step is something that happens, and when watchers hear of it: after so long, or
// never.
type step struct {
	do   func(*stage)
	wait time.Duration
	want string
}

const never = -1

func TestSettle(t *testing.T) {
	desk := func(state string, open Channel) func(*stage) {
		return func(s *stage) { s.report(ada, "client/desk", says(Willingness, state, open)) }
	}
	phone := func(states ...string) func(*stage) {
		var cs []Contribution
		for _, state := range states {
			cs = append(cs, Contribution{Axis: Engagement, State: state})
		}
		return func(s *stage) {
			for i := range cs {
				cs[i].Expires = time.Now().Add(time.Hour)
			}
			s.report(ada, "phone/2001", cs...)
		}
	}
	gone := func(s *stage) { s.report(ada, "client/desk") }
	manual := func(state string) func(*stage) {
		return func(s *stage) { s.report(ada, "manual", says(Willingness, state, 0)) }
	}
	dated := func(s *stage) {
		c := says(Willingness, Available, Chat)
		c.Since = noon
		s.report(ada, "client/desk", c)
	}
	const usual, released, idle = 150 * time.Millisecond, 250 * time.Millisecond, 5 * time.Second
	for _, c := range []struct {
		what  string
		steps []step
	}{
		{"coming and going", []step{{desk(Available, Chat), usual, Available}, {gone, usual, Offline}}},
		{"a call begins at once and ends later", []step{
			{desk(Available, Chat), usual, Available}, {phone("on_call"), 0, "on_call"}, {phone(), released, Available},
		}},
		{"from ringing to talking", []step{
			{desk(Available, Chat), usual, Available}, {phone("ringing"), 0, "ringing"}, {phone("on_call"), 0, "on_call"},
		}},
		{"a call beside what outranks it is told at once", []step{
			{desk(Available, Chat), usual, Available}, {manual("dnd"), usual, "dnd"}, {phone("on_call"), 0, "dnd"}, {phone(), released, "dnd"},
		}},
		{"leaving the client alone, and coming back", []step{
			{desk(Available, Chat), usual, Available}, {desk(Idle, Chat), idle, Idle}, {desk(Available, Chat), usual, Available},
		}},
		{"arriving idle", []step{{desk(Idle, Chat), usual, Idle}}},
		{"only what is carried is left", []step{
			{desk(Available, Chat), usual, Available}, {desk("available_mobile", Chat|Mobile), idle, "available_mobile"},
		}},
		{"the end of a call by somebody who is idle", []step{
			{desk(Idle, Chat), usual, Idle}, {phone("on_call"), 0, "on_call"}, {phone(), released, Idle},
		}},
		{"what is put back in time is never told", []step{
			{dated, usual, Available},
			{func(s *stage) { desk(Idle, Chat)(s); s.after(idle - time.Millisecond); dated(s) }, never, Available},
		}},
		{"a later change does not put it off", []step{
			{desk(Available, Chat), usual, Available},
			{func(s *stage) { gone(s); s.after(100 * time.Millisecond); manual("dnd")(s) }, 50 * time.Millisecond, Offline},
		}},
		{"what is quick overtakes what is slow", []step{
			{desk(Available, Chat), usual, Available},
			{func(s *stage) { desk(Idle, Chat)(s); s.after(time.Second); manual("dnd")(s) }, usual, "dnd"},
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			play(t, Options{Config: patience}, func(s *stage) {
				for i, step := range c.steps {
					s.settles(i, step)
				}
			})
		})
	}
}

// settles plays a step.
func (s *stage) settles(i int, step step) {
	s.Helper()
	// Sources that have not dated what they say date it anew; a minute in between
	// keeps the steps apart.
	s.after(time.Minute)
	s.changed()
	step.do(s)
	if step.wait == never {
		s.after(time.Minute)
		s.changed()
		s.shows(ada, step.want)
		return
	}
	if step.wait > 0 {
		s.after(step.wait - time.Nanosecond)
		s.changed()
		s.after(time.Nanosecond)
	}
	s.changed(ada)
	s.shows(ada, step.want)
	if s.Failed() {
		s.Fatalf("at step %d", i)
	}
}

// The legs of a call that is passed on look like one call.
func TestTransfer(t *testing.T) {
	play(t, Options{Config: patience}, func(s *stage) {
		call := says(Engagement, "on_call", Voice)
		call.Since, call.Facets.Ref = time.Now(), "1"
		s.report(ada, "phone/2001", call)
		s.changed(ada)
		s.after(time.Minute)
		s.report(ada, "phone/2001", says(Reachability, "", Voice))
		s.after(200 * time.Millisecond)
		call.Since, call.Facets.Ref = time.Now(), "2"
		s.report(ada, "phone/2001", call)
		s.changed()
		s.shows(ada, "on_call")
		s.after(50 * time.Millisecond)
		s.changed(ada) // it is another call
		s.shows(ada, "on_call")
		s.after(time.Minute)
		s.changed()
	})
}

// That a critical device is lost is told within a second, whatever is configured.
func TestCriticalIsLost(t *testing.T) {
	patient := EngineConfig{Settle: Settle{Usual: time.Minute, Released: time.Minute, Idle: time.Minute}}
	for _, critical := range []bool{false, true} {
		o := Options{Config: patient, Terms: func(Subject, Kind) Terms { return Terms{Critical: critical} }}
		play(t, o, func(s *stage) {
			s.report(door, "registrar", says(Reachability, "idle", Voice))
			s.after(time.Minute)
			s.changed(door)
			s.report(door, "registrar")
			s.after(time.Second)
			if critical {
				s.changed(door)
				s.shows(door, Offline)
				return
			}
			s.changed()
			s.after(59 * time.Second)
			s.changed(door)
		})
	}
}

// An alarm is told at once, as is a rule.
func TestPressing(t *testing.T) {
	for _, c := range []Contribution{
		{Axis: Health, State: "alarm"}, {Axis: Policy, State: "maintenance"}, {Axis: Engagement, State: "emergency"},
	} {
		play(t, Options{Config: patience}, func(s *stage) {
			s.report(door, "registrar", says(Reachability, "idle", Voice))
			s.after(time.Minute)
			s.changed(door)
			c.Expires = time.Now().Add(time.Minute)
			s.report(door, "operator", c)
			s.changed(door)
			s.shows(door, c.State)
			synctest.Wait()
		})
	}
}
