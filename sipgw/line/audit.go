package line

import (
	"time"

	"rollcall/sipgw/dialoginfo"
)

// How long calls are believed without a sign of life.
const (
	// LongestCall ends every call, since by then it is a ghost more often than not.
	LongestCall = 12 * time.Hour

	// LongestRing ends a call that was never answered. Proxies end it after three
	// minutes without an answer (RFC 3261 §16.6, timer C).
	LongestRing = 10 * time.Minute

	// ProbeEvery is how often a call without a session timer is asked for.
	ProbeEvery = 120 * time.Second

	// ProbesMissed without an answer end a call.
	ProbesMissed = 2

	// Grace is for requests under way: 64·T1.
	Grace = 32 * time.Second
)

// Signs are what is known of a call's life beside what its dialog says.
type Signs struct {
	// Session is the session interval (RFC 4028) that both ends have agreed on, zero
	// if none, and Refreshed when the last refresh went through.
	Session   time.Duration
	Refreshed time.Time

	// Source is until when whoever tells of the call is believed: the subscription
	// or publication that it comes from. Zero for a call that goes through us.
	Source time.Time

	// Rebooted is when the phone was last seen to have started anew.
	Rebooted time.Time

	// Probed is when the call was last asked for with OPTIONS in its dialog, Missed
	// how often in a row no answer came; Denied is that the phone does not know it
	// (481).
	Probed time.Time
	Missed int
	Denied bool
}

// Verdict is what to do about a call.
type Verdict struct {
	End   bool
	Cause string // why it is ended, for the journal
	Probe bool   // ask for it now: send OPTIONS in its dialog

	// Next is when to look again; zero if it ends.
	Next time.Time
}

// Audit decides whether a call is still to be believed.
func Audit(l *dialoginfo.Live, s Signs, now time.Time) Verdict {
	if cause := ended(l, s, now); cause != "" {
		return Verdict{End: true, Cause: cause}
	}
	v := Verdict{Next: l.Began.Add(LongestCall)}
	v.sooner(s.Source)
	switch {
	case l.State != dialoginfo.Confirmed:
		v.sooner(l.Began.Add(LongestRing))
	case s.Session > 0:
		v.sooner(s.Refreshed.Add(s.Session + Grace))
	case s.Source.IsZero():
		next := later(l.Heard, s.Probed).Add(ProbeEvery)
		if v.Probe = !now.Before(next); v.Probe {
			next = now.Add(ProbeEvery)
		}
		v.sooner(next)
	}
	return v
}

func ended(l *dialoginfo.Live, s Signs, now time.Time) string {
	past := func(t time.Time) bool { return !now.Before(t) }
	switch {
	case s.Rebooted.After(l.Began):
		return "the phone has started anew"
	case s.Denied:
		return "the phone does not know the call"
	case !s.Source.IsZero() && past(s.Source):
		return "its source has fallen silent"
	case l.State != dialoginfo.Confirmed && past(l.Began.Add(LongestRing)):
		return "never answered"
	case l.State == dialoginfo.Confirmed && s.Session > 0 && past(s.Refreshed.Add(s.Session+Grace)):
		return "session timer"
	case s.Missed >= ProbesMissed:
		return "no answer from the phone"
	case past(l.Began.Add(LongestCall)):
		return "longer than any call"
	}
	return ""
}

func (v *Verdict) sooner(t time.Time) {
	if !t.IsZero() && t.Before(v.Next) {
		v.Next = t
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Registration is what a REGISTER shows of the phone that has sent it.
type Registration struct {
	Instance string // +sip.instance, "" if it has none
	Host     string // of the contact
	Port     int    // of the contact
	Stream   bool   // over TCP, TLS or WebSocket
	CallID   string
	CSeq     uint32
}

// Rebooted says why a registration shows that the phone has started anew since the
// one before, or "". It has lost its calls then, whatever was last heard of them.
//
// A phone keeps Call-ID and counts CSeq up for as long as it runs (RFC 3261
// §10.2.4). The port counts for UDP only: over a stream it is another one with each
// connection.
func Rebooted(before, after Registration) string {
	same := before.Instance != "" && before.Instance == after.Instance ||
		before.Instance == after.Instance && before.Host == after.Host
	switch {
	case !same:
		return ""
	case before.CallID != after.CallID:
		return "it registers with a new Call-ID"
	case after.CSeq < before.CSeq:
		return "it counts from the beginning"
	case before.Port != after.Port && !before.Stream && !after.Stream:
		return "it registers from another port"
	}
	return ""
}
