package event

import "time"

// Subscriber is a subscription from the side of who asks (RFC 6665 §4.1). It is a
// plain value, to be stored as it is. The zero value has not asked yet.
type Subscriber struct {
	Standing Standing
	Expires  time.Time // until when the notifier has promised to tell
	Next     time.Time // when to send SUBSCRIBE; zero is never
	Deadline time.Time // by when the first NOTIFY must be there; zero is no matter

	Believed time.Time // until when what was told last counts

	Asks     time.Duration // how long we ask it to last
	Failures int           // in a row
	Logins   int           // times that credentials were asked for, in a row
	Hurried  time.Time     // when it last had to begin anew
	Hurries  int           // how often that has happened in short order
	Seed     uint32        // spreads refreshes and retries
}

// Standing is how a subscription stands.
type Standing uint8

// A subscription waits for its time, is asked for, waits for somebody's consent, is
// in force, or is over for good.
const (
	Waiting Standing = iota
	Asking
	Consent
	InForce
	Over
)

// Step is what the subscriber is to do.
type Step struct {
	Subscribe bool // send SUBSCRIBE …
	Anew      bool // … in a new dialog
	Login     bool // send it again with credentials

	// Denied says that who is asked has refused for good, so the contact's
	// authorization is gone (RFC 8048 §5: 403, 489, 603).
	Denied bool

	// Granted says that consent was given just now.
	Granted bool

	// Forget says that what was told is no more true. After Over for another reason
	// than Invariant it always is.
	Forget bool
}

const (
	// timerN is how long the first NOTIFY may take: 64·T1 (RFC 6665 §4.1.2.4).
	timerN = 32 * time.Second

	// calm is how long a subscription must do without a new beginning before the
	// next one may be at once again; longer than any back-off.
	calm = 15 * time.Minute

	// shortest is the least time between refreshes.
	shortest = 32 * time.Second

	// maxLogins is how often credentials are tried, the second time with a fresh
	// nonce, before it counts as a failure. Phones that ask on and on have brought
	// servers down.
	maxLogins = 2

	// later is when to ask again for what is not there.
	later = time.Hour
)

// Tick takes the time. next is when to do so again, zero for never.
func (s *Subscriber) Tick(now time.Time) (do Step, next time.Time) {
	if s.Standing == Over {
		return Step{}, time.Time{}
	}
	if !s.Deadline.IsZero() && !now.Before(s.Deadline) {
		s.failed(-1, now) // accepted, and never told
		s.Standing = Waiting
	}
	if !s.Next.IsZero() && now.Before(s.Next) || s.Next.IsZero() && s.Standing != Waiting {
		return Step{}, soonest(s.Next, s.Deadline)
	}
	do = Step{Subscribe: true, Anew: s.Standing == Waiting || !now.Before(s.Expires)}
	if do.Anew {
		s.Standing = Asking
	}
	s.Next = now.Add(timerN + Backoff(s.Failures+1, s.Seed)) // should nobody tell the answer
	return do, soonest(s.Next, s.Deadline)
}

// Answered takes the final answer to SUBSCRIBE. expires is its Expires, minExpires
// its Min-Expires, retryAfter its Retry-After; negative where it has none.
func (s *Subscriber) Answered(status int, expires, minExpires, retryAfter time.Duration, now time.Time) Step {
	switch status {
	case 401, 407:
		if s.Logins++; s.Logins <= maxLogins {
			return Step{Login: true}
		}
	case 423:
		if minExpires > s.Asks && s.Failures < 3 {
			s.Asks = minExpires
			s.Failures++ // so that two who raise each other come to an end
			s.Next = now
			return Step{}
		}
	case 481: // the dialog is gone and the authorization is not
		s.Standing = Waiting
		s.doubt(now)
		s.hurry(now)
		return Step{}
	case 403, 489, 603:
		return s.over(Step{Denied: true, Forget: true})
	case 404, 410, 604:
		s.Standing, s.Next, s.Deadline = Waiting, now.Add(Spread(later, s.Seed)), time.Time{}
		s.Believed = time.Time{}
		return Step{Forget: true}
	}
	if status < 200 || status > 299 {
		s.failed(retryAfter, now)
		return Step{}
	}
	s.Failures, s.Logins = 0, 0
	if expires < 0 {
		expires = s.Asks
	}
	s.lasts(expires, now)
	switch s.Standing {
	case Asking, Waiting:
		s.Deadline = now.Add(timerN) // 200 means nothing yet: the NOTIFY counts
	case InForce:
		s.Believed = s.Expires
	}
	return Step{}
}

// Silent takes that SUBSCRIBE was never answered.
func (s *Subscriber) Silent(now time.Time) { s.failed(-1, now) }

// Notified takes the Subscription-State of a NOTIFY. It may come before the answer
// to SUBSCRIBE.
func (s *Subscriber) Notified(st State, now time.Time) Step {
	if s.Standing == Over {
		return Step{}
	}
	if st.Phase == Terminated {
		return s.terminated(st, now)
	}
	var step Step
	s.Deadline, s.Failures = time.Time{}, 0
	if st.Phase == Pending {
		s.Standing = Consent
	} else {
		step.Granted = s.Standing != InForce
		s.Standing = InForce
	}
	const rounding = 5 * time.Second
	switch end := now.Add(st.Expires); {
	case st.Expires < 0 && s.Expires.IsZero():
		s.lasts(s.Asks, now)
	case st.Expires < 0:
	case s.Expires.IsZero() || end.Before(s.Expires.Add(-rounding)):
		s.lasts(st.Expires, now) // it may be cut, never made longer (RFC 6665 §4.2.2)
	}
	if s.Standing == InForce {
		s.Believed = s.Expires
	}
	return step
}

// terminated decides what an end means (RFC 6665 §4.1.3).
func (s *Subscriber) terminated(st State, now time.Time) Step {
	s.Standing, s.Deadline, s.Expires = Waiting, time.Time{}, time.Time{}
	s.doubt(now)
	switch st.Reason {
	case Deactivated, Timeout:
		s.hurry(now)
		return Step{}
	case Rejected:
		return s.over(Step{Denied: true, Forget: true})
	case NoResource:
		return s.over(Step{Forget: true})
	case Invariant: // it stays as it is, for good
		s.over(Step{})
		s.Believed = now.Add(longest)
		return Step{}
	}
	s.Failures++ // probation, giveup, none and unknown ones
	s.Next = now.Add(max(st.RetryAfter, Backoff(s.Failures, s.Seed)))
	return Step{}
}

// Unsubscribe ends the subscription on our side: SUBSCRIBE with Expires 0.
func (s *Subscriber) Unsubscribe() Step {
	told := s.Standing != Waiting && s.Standing != Over
	return s.over(Step{Subscribe: told, Forget: true})
}

func (s *Subscriber) over(step Step) Step {
	s.Standing, s.Next, s.Deadline = Over, time.Time{}, time.Time{}
	s.Believed = time.Time{}
	return step
}

// hurry begins anew at once; but not if that was so a moment ago, or a notifier that
// ends each subscription would keep us busy.
func (s *Subscriber) hurry(now time.Time) {
	if s.Hurried.IsZero() || now.Sub(s.Hurried) > calm {
		s.Hurries = 0
	}
	s.Next = now
	if s.Hurries > 0 {
		s.Next = now.Add(Backoff(s.Hurries, s.Seed))
	}
	s.Hurries++
	s.Hurried, s.Deadline = now, time.Time{}
}

func (s *Subscriber) failed(retryAfter time.Duration, now time.Time) {
	s.Failures++
	s.Deadline = time.Time{}
	s.Next = now.Add(max(retryAfter, Backoff(s.Failures, s.Seed)))
}

// lasts sets the end, and the refresh at 80 % of the way to it.
func (s *Subscriber) lasts(d time.Duration, now time.Time) {
	s.Expires = now.Add(d)
	s.Next = now.Add(max(Spread(d*8/10, s.Seed), shortest))
}

// doubt leaves a new subscription the time that it takes before what was told by the
// last one counts no more.
func (s *Subscriber) doubt(now time.Time) {
	if end := now.Add(timerN); end.Before(s.Believed) {
		s.Believed = end
	}
}

// Trusted reports whether what was told last still counts: the subscription has not
// run out and no two refreshes have failed in a row. It is to be shown as unknown
// otherwise, never as available.
func (s *Subscriber) Trusted(now time.Time) bool {
	return s.Failures < 2 && now.Before(s.Believed)
}

func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
