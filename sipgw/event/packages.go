package event

import (
	"strconv"
	"strings"
	"time"
)

// Package is what we know of an event package.
type Package struct {
	Name    string
	Every   time.Duration // at most one notification in that time
	Default time.Duration // of a subscription that asks for nothing
	Types   []string      // of its bodies, the one that everybody knows first
}

// Packages are those that are answered: RFC 3856, 4235, 3680, 3842, 3857.
var Packages = []Package{
	{"presence", 5 * time.Second, time.Hour, []string{"application/pidf+xml", "application/xpidf+xml"}},
	{"dialog", time.Second, time.Hour, []string{"application/dialog-info+xml"}},
	{"reg", 5 * time.Second, 3761 * time.Second, []string{"application/reginfo+xml"}},
	{"message-summary", time.Second, time.Hour, []string{"application/simple-message-summary"}},
	{"presence.winfo", 5 * time.Second, time.Hour, []string{"application/watcherinfo+xml"}},
}

// Find returns the package that an Event header asks for; nil is 489 (Bad Event).
func Find(e Event) *Package {
	if e.Shared() {
		return nil
	}
	for i := range Packages {
		if Packages[i].Name == e.Package {
			return &Packages[i]
		}
	}
	return nil
}

// AllowEvents is the header that goes with 489.
func AllowEvents() string {
	names := make([]string, 0, len(Packages))
	for i := range Packages {
		names = append(names, Packages[i].Name)
	}
	return strings.Join(names, ", ")
}

// Limits are how long subscriptions may be.
type Limits struct{ Min, Max time.Duration }

// Grant decides how long a subscription is to last. asked is what the request says,
// negative if nothing. Zero granted is an end, or a question that is asked once. ok
// is false for 423 (Interval Too Brief) with Min-Expires: only what is shorter than
// an hour may be too short (RFC 6665 §4.2.1.1), and nothing is made longer.
func (p *Package) Grant(asked time.Duration, l Limits) (granted time.Duration, ok bool) {
	switch {
	case asked == 0:
		return 0, true
	case asked < 0:
		asked = p.Default
	case asked < min(l.Min, time.Hour):
		return 0, false
	}
	if l.Max > 0 {
		asked = min(asked, l.Max)
	}
	return asked, true
}

// Pace returns the time between notifications for a subscription: what the package
// demands, or more if the subscriber asks for less with max-rate, which counts
// notifications a second (RFC 6446 §5).
func (p *Package) Pace(e Event) time.Duration {
	s, ok := e.Param("max-rate")
	if !ok {
		return p.Every
	}
	rate, err := strconv.ParseFloat(s, 64)
	if err != nil || !(rate > 0) {
		return p.Every
	}
	const slowest = time.Hour
	if rate < 1/slowest.Seconds() {
		return max(p.Every, slowest)
	}
	return max(p.Every, time.Duration(float64(time.Second)/rate))
}

// urgently is the most that a critical device's end is held back.
const urgently = time.Second

// Due returns when the latest state may be told to a watcher who was last told at
// last. What happens in between is never queued: it is the state then that is sent.
// The end of a critical device is urgent.
func Due(last time.Time, every time.Duration, urgent bool) time.Time {
	if last.IsZero() {
		return last
	}
	if urgent {
		every = min(every, urgently)
	}
	return last.Add(every)
}
