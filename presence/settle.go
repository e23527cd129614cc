package presence

import "time"

// lostAtMost is how long watchers of a critical device may wait to hear that it is
// lost.
const lostAtMost = time.Second

// delay is how long a subject must be in a state before those who know the former
// one (nil: none) hear of it.
func (s Settle) delay(from, to *Effective, cat *Catalogue) time.Duration {
	wait := s.Usual
	switch on, off := engagement(from, to); {
	case on:
		wait = 0
	case off:
		wait = s.Released
	case from != nil && from.Channels != 0 && cat.slow(to):
		wait = s.Idle
	}
	if to.Critical && to.Channels == 0 {
		wait = min(wait, lostAtMost)
	}
	return wait
}

// slow reports whether a state is one of people that comes and goes by itself: that
// nobody touches their clients, or only one that is carried.
func (c *Catalogue) slow(e *Effective) bool {
	if e.Kind != Person && e.Kind != Role {
		return false
	}
	s, ok := c.Lookup(e.Kind, e.State)
	return ok && (s.Has(TraitIdle) || s.ID == "available_mobile")
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
