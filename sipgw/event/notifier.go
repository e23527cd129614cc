package event

import (
	"slices"
	"time"
)

// Notifier is a subscription from the side of who is asked (RFC 6665 §4.2.2). It is
// a plain value, to be stored as it is. The zero value is none yet.
type Notifier struct {
	Phase   Phase
	Reason  Reason    // why it has ended
	Expires time.Time // when it ends

	// Failures counts NOTIFYs in a row without an answer that helps. While there are
	// any the subscription is suspended: nothing is sent before Retry.
	Failures int
	Retry    time.Time

	Seed uint32 // spreads retries, see [Backoff]
}

// Permission is whether a watcher may watch.
type Permission uint8

// Nobody may have decided yet. Who is politely refused is Allowed, and shown nothing.
const (
	Undecided Permission = iota
	Allowed
	Refused
)

// Action is what is to be done after something has happened to a subscription.
type Action struct {
	Notify bool // send NOTIFY with the state as it is now
	Remove bool // forget the subscription, after that NOTIFY if there is one
}

// Subscribe begins a subscription or refreshes it. A NOTIFY always follows at once.
// granted is what [Package.Grant] says; zero ends it.
func (n *Notifier) Subscribe(granted time.Duration, p Permission, now time.Time) Action {
	n.Failures, n.Retry = 0, time.Time{} // who refreshes is there again
	n.Expires = now.Add(granted)
	if granted <= 0 {
		return n.end(Timeout)
	}
	return n.Decide(p)
}

// Decide says whether the watcher may watch: at first, or when somebody has made up
// their mind.
func (n *Notifier) Decide(p Permission) Action {
	switch p {
	case Refused:
		return n.end(Rejected)
	case Allowed:
		n.Phase = Active
	default:
		n.Phase = Pending
	}
	return Action{Notify: n.Failures == 0}
}

// removes are the answers to NOTIFY that end a subscription (RFC 6665 §4.2.2), and
// those of RFC 5057 that say the same of the dialog. 480 to 485 are among them.
var removes = []int{404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604}

// Answered takes the final answer to a NOTIFY. retryAfter is negative if it says
// nothing. An answer that is neither good nor an end suspends the subscription, as
// silence does.
func (n *Notifier) Answered(status int, retryAfter time.Duration, now time.Time) Action {
	switch {
	case n.Phase == Terminated:
		return Action{Remove: true}
	case status >= 200 && status < 300:
		n.Failures, n.Retry = 0, time.Time{}
		return Action{}
	case slices.Contains(removes, status):
		n.Phase = Terminated
		return Action{Remove: true}
	}
	return n.suspend(retryAfter, now)
}

// Silent takes that a NOTIFY was never answered. RFC 6665 §4.2.2 says that the
// subscription SHOULD be removed. We deviate: one packet that is lost must not
// darken a lamp until the phone happens to subscribe again. It is tried again, less
// and less often, until the subscription expires.
func (n *Notifier) Silent(now time.Time) Action {
	if n.Phase == Terminated {
		return Action{Remove: true}
	}
	return n.suspend(-1, now)
}

func (n *Notifier) suspend(retryAfter time.Duration, now time.Time) Action {
	n.Failures++
	n.Retry = now.Add(max(retryAfter, Backoff(n.Failures, n.Seed)))
	return Action{}
}

// Registered takes that the watcher's phone has registered: it is there again.
func (n *Notifier) Registered(time.Time) Action {
	if n.Failures == 0 || n.Phase == Terminated {
		return Action{}
	}
	n.Retry = time.Time{}
	return Action{Notify: true}
}

// Stop ends the subscription because we stop or move it elsewhere: the watcher is to
// subscribe anew at once.
func (n *Notifier) Stop() Action { return n.end(Deactivated) }

// Gone ends the subscription because what it watches is no more.
func (n *Notifier) Gone() Action { return n.end(NoResource) }

func (n *Notifier) end(r Reason) Action {
	n.Phase, n.Reason = Terminated, r
	return Action{Notify: true, Remove: true}
}

// Tick takes the time. next is when to do so again.
func (n *Notifier) Tick(now time.Time) (do Action, next time.Time) {
	switch {
	case n.Phase == Terminated:
		return Action{Remove: true}, time.Time{}
	case !now.Before(n.Expires):
		return n.end(Timeout), time.Time{}
	case n.Failures > 0 && !now.Before(n.Retry):
		// The answer sets the next retry; should none be told, this one does.
		n.Retry = now.Add(Backoff(n.Failures+1, n.Seed))
		return Action{Notify: true}, earlier(n.Retry, n.Expires)
	case n.Failures > 0:
		return Action{}, earlier(n.Retry, n.Expires)
	}
	return Action{}, n.Expires
}

// Sends reports whether a change of the state is to be told now. A suspended
// subscription hears of it when it is tried again.
func (n *Notifier) Sends(now time.Time) bool {
	return n.Phase != Terminated && (n.Failures == 0 || !now.Before(n.Retry))
}

// State returns the Subscription-State of the next NOTIFY.
func (n *Notifier) State(now time.Time) State {
	s := State{Phase: n.Phase, Reason: n.Reason, Expires: -1, RetryAfter: -1}
	if n.Phase != Terminated {
		s.Expires = max(n.Expires.Sub(now), 0)
	}
	return s
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
