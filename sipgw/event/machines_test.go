package event

import (
	"testing"
	"time"
)

var now = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

func at(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }

// near reports whether a time is s seconds from the beginning, give or take the
// tenth that is spread.
func near(t time.Time, s int) bool {
	d := t.Sub(at(s)).Abs()
	return d <= time.Duration(s)*time.Second/10+time.Millisecond
}

func active(t *testing.T) Notifier {
	t.Helper()
	n := Notifier{}
	if do := n.Subscribe(time.Hour, Allowed, now); do != (Action{Notify: true}) || n.Phase != Active {
		t.Fatalf("%+v %+v", do, n)
	}
	return n
}

func TestNotifierBegins(t *testing.T) {
	tests := []struct {
		name    string
		granted time.Duration
		may     Permission
		do      Action
		header  string
	}{
		{"allowed", time.Hour, Allowed, Action{Notify: true}, "active;expires=3600"},
		{"nobody has decided yet", time.Hour, Undecided, Action{Notify: true}, "pending;expires=3600"},
		{"refused", time.Hour, Refused, Action{Notify: true, Remove: true}, "terminated;reason=rejected"},
		{"asks once", 0, Allowed, Action{Notify: true, Remove: true}, "terminated;reason=timeout"},
	}
	for _, tt := range tests {
		n := Notifier{}
		do := n.Subscribe(tt.granted, tt.may, now)
		if got := string(n.State(now).Append(nil)); do != tt.do || got != tt.header {
			t.Errorf("%s: %+v %q", tt.name, do, got)
		}
	}
}

func TestNotifierDecides(t *testing.T) {
	n := Notifier{}
	n.Subscribe(time.Hour, Undecided, now)
	if do := n.Decide(Allowed); do != (Action{Notify: true}) || n.Phase != Active {
		t.Errorf("%+v %+v", do, n)
	}
	if do := n.Decide(Refused); do != (Action{Notify: true, Remove: true}) || string(n.State(now).Append(nil)) != "terminated;reason=rejected" {
		t.Errorf("%+v %+v", do, n)
	}
}

// What each answer to NOTIFY means (RFC 6665 §4.2.2).
func TestNotifierAnswered(t *testing.T) {
	remove := map[int]bool{404: true, 405: true, 410: true, 416: true, 489: true, 501: true, 604: true}
	for s := 480; s <= 485; s++ {
		remove[s] = true
	}
	for status := 200; status < 700; status++ {
		n := active(t)
		do := n.Answered(status, -1, now)
		switch {
		case do.Notify:
			t.Errorf("%d: would send at once", status)
		case status < 300:
			if do.Remove || n.Failures != 0 {
				t.Errorf("%d: %+v", status, n)
			}
		case do.Remove != remove[status]:
			t.Errorf("%d: removed %v", status, do.Remove)
		case !do.Remove && (n.Sends(now) || n.Phase != Active || !near(n.Retry, 10)):
			t.Errorf("%d: %+v, want it suspended", status, n)
		}
	}
	n := active(t)
	n.Answered(503, 300*time.Second, now)
	if n.Retry != at(300) {
		t.Errorf("Retry-After: %v", n.Retry.Sub(now))
	}
	n.Stop()
	if do := n.Answered(500, -1, now); !do.Remove {
		t.Error("the last NOTIFY is not repeated")
	}
}

// A lost NOTIFY suspends, and is tried until the subscription expires: our deviation
// from RFC 6665 §4.2.2.
func TestNotifierSilence(t *testing.T) {
	n := active(t)
	if do := n.Silent(now); do != (Action{}) || n.Sends(at(5)) {
		t.Fatalf("%+v %+v", do, n)
	}
	do, next := n.Tick(at(5))
	if do != (Action{}) || next != n.Retry {
		t.Errorf("%+v %v", do, next)
	}
	// Each try is silent again. They become fewer, and end with the subscription.
	tries, clock := 0, next
	for !do.Remove {
		if do, next = n.Tick(clock); do.Notify && !do.Remove {
			tries++
			if d, _ := n.Tick(clock); d.Notify {
				t.Fatal("sent twice")
			}
			n.Silent(clock)
			next = n.Retry
		}
		clock = earlier(next, n.Expires)
	}
	if tries < 8 || tries > 14 || n.Reason != Timeout {
		t.Errorf("%d tries, %+v", tries, n)
	}
}

func TestNotifierIsThereAgain(t *testing.T) {
	n := active(t)
	if do := n.Registered(now); do != (Action{}) {
		t.Errorf("nothing was lost: %+v", do)
	}
	n.Silent(now)
	n.Silent(at(10))
	if do := n.Registered(at(12)); !do.Notify || !n.Sends(at(12)) {
		t.Errorf("its phone registers: %+v %+v", do, n)
	}
	n.Answered(200, -1, at(12))
	if n.Failures != 0 || !n.Retry.IsZero() {
		t.Errorf("%+v", n)
	}
	n.Silent(at(20))
	if do := n.Subscribe(time.Hour, Allowed, at(22)); !do.Notify || n.Failures != 0 || n.Expires != at(3622) {
		t.Errorf("it refreshes: %+v %+v", do, n)
	}
}

func TestNotifierEnds(t *testing.T) {
	n := active(t)
	if do, next := n.Tick(at(3599)); do != (Action{}) || next != at(3600) {
		t.Errorf("%+v %v", do, next)
	}
	do, next := n.Tick(at(3600))
	if do != (Action{true, true}) || !next.IsZero() || string(n.State(at(3600)).Append(nil)) != "terminated;reason=timeout" {
		t.Errorf("%+v %+v", do, n)
	}
	if n.Sends(at(3601)) {
		t.Error("sends after its end")
	}
	if do, _ := n.Tick(at(3601)); do != (Action{Remove: true}) {
		t.Errorf("%+v", do)
	}
	n = active(t)
	if do := n.Stop(); do != (Action{true, true}) || n.Reason != Deactivated {
		t.Errorf("%+v %+v", do, n)
	}
	n = active(t)
	if do := n.Gone(); do != (Action{true, true}) || n.Reason != NoResource {
		t.Errorf("%+v %+v", do, n)
	}
	if do := n.Silent(at(1)); do != (Action{Remove: true}) {
		t.Errorf("%+v", do)
	}
	if do := n.Registered(at(1)); do != (Action{}) {
		t.Errorf("%+v", do)
	}
	if got := n.State(at(99999)); got.Expires >= 0 {
		t.Errorf("%+v", got)
	}
}

// inForce is a subscription that was accepted and told.
func inForce(t *testing.T) Subscriber {
	t.Helper()
	s := Subscriber{Asks: time.Hour}
	if do, next := s.Tick(now); do != (Step{Subscribe: true, Anew: true}) || !next.After(now) {
		t.Fatalf("%+v %v", do, next)
	}
	s.Answered(200, time.Hour, -1, -1, now)
	if s.Standing != Asking || s.Trusted(now) || s.Deadline != at(32) {
		t.Fatalf("200 says nothing yet: %+v", s)
	}
	if do := s.Notified(State{Active, NoReason, time.Hour, -1}, now); do != (Step{Granted: true}) || s.Standing != InForce {
		t.Fatalf("%+v %+v", do, s)
	}
	return s
}

func TestSubscriberRefreshes(t *testing.T) {
	s := inForce(t)
	if !near(s.Next, 2880) || s.Expires != at(3600) || !s.Deadline.IsZero() {
		t.Fatalf("%+v", s)
	}
	// NOTIFYs count the time down; that moves nothing.
	refresh := s.Next
	s.Notified(State{Active, NoReason, 1799 * time.Second, -1}, at(1800))
	if s.Next != refresh || s.Expires != at(3600) {
		t.Errorf("moved: %+v", s)
	}
	if do, next := s.Tick(at(1800)); do != (Step{}) || next != refresh {
		t.Errorf("%+v %v", do, next)
	}
	do, _ := s.Tick(refresh)
	if do != (Step{Subscribe: true}) {
		t.Errorf("refresh: %+v", do)
	}
	s.Answered(200, time.Hour, -1, -1, refresh)
	if s.Expires != refresh.Add(time.Hour) || s.Standing != InForce || !s.Deadline.IsZero() || !s.Trusted(at(5000)) {
		t.Errorf("%+v", s)
	}
	// One that is cut short is refreshed sooner, and one is never made longer.
	s = inForce(t)
	s.Notified(State{Active, NoReason, 100 * time.Second, -1}, at(10))
	if s.Expires != at(110) || !near(s.Next, 90) {
		t.Errorf("cut: %+v", s)
	}
	s.Notified(State{Active, NoReason, time.Hour, -1}, at(20))
	if s.Expires != at(110) {
		t.Errorf("made longer: %+v", s)
	}
}

func TestSubscriberRefreshFails(t *testing.T) {
	s := inForce(t)
	s.Tick(s.Next)
	s.Silent(at(2900))
	if !s.Trusted(at(2900)) {
		t.Error("one failure: it still counts")
	}
	if !near(s.Next, 2910) {
		t.Errorf("%v", s.Next.Sub(now))
	}
	s.Tick(s.Next)
	s.Answered(503, -1, -1, 60*time.Second, at(2915))
	if s.Trusted(at(2915)) {
		t.Error("two failures: unknown")
	}
	if s.Next != at(2975) {
		t.Errorf("Retry-After: %v", s.Next.Sub(now))
	}
	if do, _ := s.Tick(at(3700)); do != (Step{Subscribe: true, Anew: true}) {
		t.Errorf("it has run out: a new one: %+v", do)
	}
	s = inForce(t)
	if s.Trusted(at(3600)) {
		t.Error("it has run out")
	}
}

func TestSubscriberAnswered(t *testing.T) {
	tests := []struct {
		name   string
		status int
		min    time.Duration
		want   Step
		stands Standing
		next   int // seconds, -1 never
	}{
		{"404", 404, -1, Step{Forget: true}, Waiting, 3600},
		{"410", 410, -1, Step{Forget: true}, Waiting, 3600},
		{"604", 604, -1, Step{Forget: true}, Waiting, 3600},
		{"403", 403, -1, Step{Denied: true, Forget: true}, Over, -1},
		{"489", 489, -1, Step{Denied: true, Forget: true}, Over, -1},
		{"603", 603, -1, Step{Denied: true, Forget: true}, Over, -1},
		{"423 with more", 423, 2 * time.Hour, Step{}, InForce, 0},
		{"423 with less", 423, time.Minute, Step{}, InForce, 10},
		{"481: the dialog is gone, the authorization is not", 481, -1, Step{}, Waiting, 0},
		{"401", 401, -1, Step{Login: true}, InForce, 3600},
		{"407", 407, -1, Step{Login: true}, InForce, 3600},
		{"408", 408, -1, Step{}, InForce, 10},
		{"480", 480, -1, Step{}, InForce, 10},
		{"500", 500, -1, Step{}, InForce, 10},
		{"302", 302, -1, Step{}, InForce, 10},
	}
	for _, tt := range tests {
		s := inForce(t)
		if tt.next == 3600 && tt.want.Login {
			s.Next = at(3600)
		}
		got := s.Answered(tt.status, -1, tt.min, -1, now)
		if got != tt.want || s.Standing != tt.stands || tt.next < 0 != s.Next.IsZero() || tt.next >= 0 && !near(s.Next, tt.next) {
			t.Errorf("%s: %+v %+v", tt.name, got, s)
		}
	}
	s := inForce(t)
	s.Answered(423, -1, 2*time.Hour, -1, now)
	if s.Asks != 2*time.Hour {
		t.Errorf("Min-Expires: %v", s.Asks)
	}
}

// Whatever the other side does, we never ask on and on.
func TestSubscriberNeverStorms(t *testing.T) {
	behaviours := map[string]func(s *Subscriber, now time.Time){
		"423 with ever more":      func(s *Subscriber, now time.Time) { s.Answered(423, -1, s.Asks+time.Second, -1, now) },
		"481":                     func(s *Subscriber, now time.Time) { s.Answered(481, -1, -1, -1, now) },
		"500":                     func(s *Subscriber, now time.Time) { s.Answered(500, -1, -1, -1, now) },
		"a refresh of no time":    func(s *Subscriber, now time.Time) { s.Answered(500, 0, -1, 0, now) },
		"ends it at once":         func(s *Subscriber, now time.Time) { s.Notified(State{Terminated, Deactivated, -1, -1}, now) },
		"ends it, says timeout":   func(s *Subscriber, now time.Time) { s.Notified(State{Terminated, Timeout, -1, 0}, now) },
		"ends it, says nothing":   func(s *Subscriber, now time.Time) { s.Notified(State{Terminated, NoReason, -1, 0}, now) },
		"accepts and never tells": func(s *Subscriber, now time.Time) { s.Answered(200, time.Hour, -1, -1, now) },
		"wants credentials": func(s *Subscriber, now time.Time) {
			for s.Answered(401, -1, -1, -1, now).Login {
			}
		},
		"accepts, then ends it": func(s *Subscriber, now time.Time) {
			s.Answered(200, time.Hour, -1, -1, now)
			s.Notified(State{Active, NoReason, 3600 * time.Second, -1}, now)
			s.Notified(State{Terminated, Deactivated, -1, -1}, now)
		},
		"accepts for no time": func(s *Subscriber, now time.Time) {
			s.Answered(200, 0, -1, -1, now)
			s.Notified(State{Active, NoReason, 0, -1}, now)
		},
	}
	for name, answer := range behaviours {
		s := Subscriber{Asks: time.Hour, Seed: 7}
		sent, clock, end := 0, now, at(3600)
		for steps := 0; clock.Before(end); steps++ {
			if steps > 1000 {
				t.Errorf("%s: the clock does not move", name)
				break
			}
			do, next := s.Tick(clock)
			if do.Subscribe {
				sent++
				answer(&s, clock)
				next = soonest(s.Next, s.Deadline)
			}
			if next.IsZero() {
				break
			}
			if next.After(clock) {
				clock = next
			}
		}
		if sent > 130 {
			t.Errorf("%s: %d SUBSCRIBEs in an hour", name, sent)
		}
	}
}

// What each reason means for who watches (RFC 6665 §4.1.3).
func TestSubscriberTerminated(t *testing.T) {
	after := func(s int) time.Duration { return time.Duration(s) * time.Second }
	tests := []struct {
		name   string
		state  State
		want   Step
		stands Standing
		next   int
		counts bool // what was told still counts for the time that a new one takes
	}{
		{"deactivated", State{Terminated, Deactivated, -1, after(500)}, Step{}, Waiting, 0, true},
		{"probation", State{Terminated, Probation, -1, after(100)}, Step{}, Waiting, 100, true},
		{"probation, and not until when", State{Terminated, Probation, -1, -1}, Step{}, Waiting, 10, true},
		{"rejected", State{Terminated, Rejected, -1, after(1)}, Step{Denied: true, Forget: true}, Over, -1, false},
		{"timeout", State{Terminated, Timeout, -1, -1}, Step{}, Waiting, 0, true},
		{"giveup", State{Terminated, GiveUp, -1, after(200)}, Step{}, Waiting, 200, true},
		{"giveup, and not until when", State{Terminated, GiveUp, -1, -1}, Step{}, Waiting, 10, true},
		{"noresource", State{Terminated, NoResource, -1, -1}, Step{Forget: true}, Over, -1, false},
		{"invariant", State{Terminated, Invariant, -1, after(5)}, Step{}, Over, -1, true},
		{"nothing", State{Terminated, NoReason, -1, after(77)}, Step{}, Waiting, 77, true},
	}
	for _, tt := range tests {
		s := inForce(t)
		got := s.Notified(tt.state, now)
		if got != tt.want || s.Standing != tt.stands || tt.next < 0 != s.Next.IsZero() || tt.next >= 0 && !near(s.Next, tt.next) {
			t.Errorf("%s: %+v %+v", tt.name, got, s)
		}
		if s.Trusted(at(1)) != tt.counts {
			t.Errorf("%s: trusted %v", tt.name, s.Trusted(at(1)))
		}
		if s.Trusted(at(60)) != (tt.state.Reason == Invariant) {
			t.Errorf("%s: trusted a minute later %v", tt.name, s.Trusted(at(60)))
		}
		if s.Standing == Over {
			if do, next := s.Tick(at(9999)); do != (Step{}) || !next.IsZero() {
				t.Errorf("%s: goes on: %+v", tt.name, do)
			}
			if do := s.Notified(State{Active, NoReason, -1, -1}, at(9999)); do != (Step{}) {
				t.Errorf("%s: %+v", tt.name, do)
			}
		}
	}
}

func TestSubscriberConsent(t *testing.T) {
	s := Subscriber{Asks: time.Hour}
	s.Tick(now)
	// The NOTIFY may be here before the 200.
	if do := s.Notified(State{Pending, NoReason, 600 * time.Second, -1}, now); do != (Step{}) || s.Standing != Consent || s.Trusted(now) {
		t.Errorf("%+v %+v", do, s)
	}
	s.Answered(200, 600*time.Second, -1, -1, now)
	if s.Standing != Consent || !s.Deadline.IsZero() || s.Trusted(now) {
		t.Errorf("%+v", s)
	}
	if do := s.Notified(State{Active, NoReason, -1, -1}, at(5)); !do.Granted || !s.Trusted(at(5)) {
		t.Errorf("%+v", do)
	}
	if do := s.Notified(State{Active, NoReason, -1, -1}, at(6)); do.Granted {
		t.Errorf("granted again: %+v", do)
	}
	// A notifier of before RFC 6665 that says no time at all.
	s = Subscriber{Asks: time.Hour}
	s.Tick(now)
	s.Notified(State{Active, NoReason, -1, -1}, now)
	if s.Expires != at(3600) || !near(s.Next, 2880) {
		t.Errorf("%+v", s)
	}
}

func TestSubscriberNeverTold(t *testing.T) {
	s := Subscriber{Asks: time.Hour}
	s.Tick(now)
	s.Answered(200, time.Hour, -1, -1, now)
	do, next := s.Tick(at(31))
	if do.Subscribe || next != at(32) {
		t.Errorf("%+v %v", do, next)
	}
	do, next = s.Tick(at(32))
	if do.Subscribe || !near(next, 42) || s.Standing != Waiting {
		t.Errorf("%+v %v %+v", do, next.Sub(now), s)
	}
	if do, _ := s.Tick(next); do != (Step{Subscribe: true, Anew: true}) {
		t.Errorf("%+v", do)
	}
}

func TestSubscriberLogin(t *testing.T) {
	s := Subscriber{Asks: time.Hour}
	s.Tick(now)
	for range maxLogins {
		if do := s.Answered(401, -1, -1, -1, now); !do.Login {
			t.Fatal("credentials are not tried")
		}
	}
	if do := s.Answered(401, -1, -1, -1, now); do.Login || s.Failures != 1 || !near(s.Next, 10) {
		t.Errorf("%+v %+v", do, s)
	}
	s.Answered(200, time.Hour, -1, -1, at(10))
	if s.Logins != 0 {
		t.Errorf("%+v", s)
	}
}

func TestUnsubscribe(t *testing.T) {
	s := inForce(t)
	if do := s.Unsubscribe(); do != (Step{Subscribe: true, Forget: true}) || s.Standing != Over {
		t.Errorf("%+v %+v", do, s)
	}
	s = Subscriber{}
	if do := s.Unsubscribe(); do != (Step{Forget: true}) {
		t.Errorf("nobody was asked: %+v", do)
	}
}
