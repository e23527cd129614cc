package iscomposing

import "time"

// Times of RFC 3994 §3.2 and §3.3.
const (
	MinRefresh = 60 * time.Second  // the least between two that say the same
	Believed   = 120 * time.Second // how long one holds that does not say
	IdleAfter  = 15 * time.Second  // without a key pressed
)

// Composer is somebody who writes (RFC 3994 §3.2, Figure 1). The zero value is idle,
// and has the times of the RFC. What it returns is to be sent if ok.
type Composer struct {
	Idle    time.Duration // after how long without activity it has stopped; 0 is IdleAfter
	Refresh time.Duration // how often it says that it goes on; less than MinRefresh is that

	active  bool
	touched time.Time // when it was last active
	told    time.Time // when that was last said
}

// Compose says that it is being written.
func (c *Composer) Compose(now time.Time) (s Status, ok bool) {
	c.touched = now
	if c.active {
		return s, false
	}
	c.active = true
	return c.say(now), true
}

// Stop says that nobody writes any more, and nothing has been sent.
func (c *Composer) Stop() (s Status, ok bool) {
	was := c.active
	c.active = false
	return Status{}, was
}

// Sent says that the message has been sent: that it is not being written any more need
// not be said.
func (c *Composer) Sent() { c.active = false }

// Due is when Tick has something to do; zero is never.
func (c *Composer) Due() time.Time {
	if !c.active {
		return time.Time{}
	}
	return earlier(c.touched.Add(c.idle()), c.told.Add(c.refresh()))
}

// Tick says what is due.
func (c *Composer) Tick(now time.Time) (s Status, ok bool) {
	switch {
	case !c.active:
	case !now.Before(c.touched.Add(c.idle())):
		return c.Stop()
	case !now.Before(c.told.Add(c.refresh())):
		return c.say(now), true
	}
	return s, false
}

func (c *Composer) say(now time.Time) Status {
	c.told = now
	return Status{Active: true, Refresh: c.refresh()}
}

func (c *Composer) refresh() time.Duration { return max(c.Refresh, MinRefresh) }

func (c *Composer) idle() time.Duration {
	if c.Idle == 0 {
		return IdleAfter
	}
	return c.Idle
}

// Watch is what is believed of somebody who writes (RFC 3994 §3.3, Figure 2). The zero
// value is idle.
type Watch struct{ until time.Time }

// Heard takes a status, and reports whether that is news.
func (w *Watch) Heard(now time.Time, s Status) (news bool) {
	was := !w.until.IsZero()
	w.until = time.Time{}
	if s.Active {
		if s.Refresh == 0 {
			s.Refresh = Believed
		}
		w.until = now.Add(min(s.Refresh, MaxRefresh))
	}
	return was != s.Active
}

// Content takes note of a message, which ends the writing of it.
func (w *Watch) Content() { w.until = time.Time{} }

// Due is when it is believed no more; zero is never.
func (w *Watch) Due() time.Time { return w.until }

// Tick reports whether it is believed no more, once.
func (w *Watch) Tick(now time.Time) (idle bool) {
	if w.until.IsZero() || now.Before(w.until) {
		return false
	}
	w.until = time.Time{}
	return true
}

// earlier is the earlier of two times, of which none is zero.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
