package presence

import "time"

// lostAtMost is how long watchers of a critical device may wait to hear that it is
// lost.
const lostAtMost = time.Second

// slow are the states of people that come and go by themselves.
func slow(state string) bool {
	return state == "idle" || state == "long_idle" || state == "available_mobile"
}

// delay is how long a subject must be in a state before those who know the former
// one (nil: none) hear of it.
func (s Settle) delay(from, to *Effective, critical bool) time.Duration {
	wait := s.Usual
	switch on, off := engagement(from, to); {
	case on:
		wait = 0
	case off:
		wait = s.Released
	case to.Kind == Person && slow(to.State):
		wait = s.Idle
	}
	if critical && to.Channels == 0 {
		wait = min(wait, lostAtMost)
	}
	return wait
}

// engagement compares what engages a subject: whether something has begun, and
// whether something has ended. Health and rules count when they win.
func engagement(from, to *Effective) (on, off bool) {
	return more(from, to), more(to, from)
}

// more reports whether b has something engaging that a has not.
func more(a, b *Effective) bool {
	if b == nil {
		return false
	}
	for i := range b.All {
		c := &b.All[i]
		if pressing(b, c) && !engagedIn(a, c) {
			return true
		}
	}
	return false
}

func pressing(e *Effective, c *Contribution) bool {
	if c.Axis == Health || c.Axis == Policy {
		return c.Source == e.Winner.Source && c.State == e.State
	}
	return c.Axis == Engagement
}

func engagedIn(e *Effective, c *Contribution) bool {
	if e == nil {
		return false
	}
	for i := range e.All {
		if o := &e.All[i]; o.Axis == c.Axis && o.State == c.State && o.Source == c.Source {
			return pressing(e, o)
		}
	}
	return false
}

// same reports whether nobody could tell two states of a subject apart. When
// contributions end is nobody's business: they are said again all the time.
func same(a, b *Effective) bool {
	if a.Kind != b.Kind || a.State != b.State || a.Engaged != b.Engaged || a.Channels != b.Channels ||
		a.Stale != b.Stale || a.Reason != b.Reason || !a.Since.Equal(b.Since) || !a.Until.Equal(b.Until) ||
		len(a.Secondary) != len(b.Secondary) || !alike(&a.Winner, &b.Winner) {
		return false
	}
	for i := range a.Secondary {
		if a.Secondary[i] != b.Secondary[i] {
			return false
		}
	}
	return allAlike(a.All, b.All)
}

func allAlike(a, b []Contribution) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !alike(&a[i], &b[i]) {
			return false
		}
	}
	return true
}

// alike reports whether two contributions say the same, until whenever. Their
// times have been through [moment].
func alike(a, b *Contribution) bool {
	return a.Axis == b.Axis && a.Channels == b.Channels && a.Stale == b.Stale && a.State == b.State &&
		a.Source == b.Source && a.Since == b.Since && a.Lapse == b.Lapse && a.Facets == b.Facets
}
