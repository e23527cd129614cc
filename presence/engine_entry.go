package presence

import (
	"slices"
	"time"
)

// entry is what a shard knows of a subject.
type entry struct {
	slot *slot
	kind Kind
	said []sayings

	// pending is the state that the contributions come to, if that is not shown
	// yet; at settles it will be.
	pending *Effective
	settles time.Time
	why     why

	next   time.Time // when the state may change by itself; zero is never
	merged time.Time // when it was made the last time
	flaps  flaps
	up     bool  // a device can be reached
	last   int64 // its last id in the journal

	full    bool // has had too many sources
	unsaved bool
	due     time.Time // when alarms has it called
	index   int       // in alarms; -1 if it is not there
}

// sayings are what one source says.
type sayings struct {
	source      string
	list        []Contribution // never changed, only replaced
	unconfirmed bool           // not heard since a restart
}

// why is what has changed a state: which source, and how.
type why struct{ source, how string }

// replace takes in what a source says, and returns what it said before. It fails if
// the source said nothing, and still does or there is no room.
func (en *entry) replace(r *report, now time.Time) (before sayings, ok bool) {
	i := en.find(r.source)
	if i >= 0 {
		before = en.said[i]
	}
	date(r.said, before.list, now)
	next := sayings{source: r.source, list: r.said}
	switch {
	case i >= 0 && len(r.said) > 0:
		en.said[i] = next
	case i >= 0:
		en.said = slices.Delete(en.said, i, i+1)
	case len(r.said) > 0 && len(en.said) < maxSources:
		en.said = append(en.said, next)
	default:
		return before, false
	}
	return before, true
}

// again reports whether a source says the same again, for however long.
func (s *sayings) again(said []Contribution, now time.Time) bool {
	return len(said) > 0 && lasting(s.list, now) && lasting(said, now) && allAlike(s.list, said)
}

// date gives what a source has not dated the time since which it says so.
func date(said, before []Contribution, now time.Time) {
	for i := range said {
		c := &said[i]
		if !c.Since.IsZero() {
			continue
		}
		c.Since = micro(now)
		for j := range before {
			if b := &before[j]; b.Axis == c.Axis && b.State == c.State && b.Facets.Ref == c.Facets.Ref {
				c.Since = b.Since
			}
		}
	}
}

// lasting reports whether none of them has expired.
func lasting(cs []Contribution, now time.Time) bool {
	for i := range cs {
		if !cs[i].Expires.After(now) {
			return false
		}
	}
	return true
}

func (en *entry) find(source string) int {
	for i := range en.said {
		if en.said[i].source == source {
			return i
		}
	}
	return -1
}

// flat appends all that is said.
func (en *entry) flat(to []Contribution) []Contribution {
	for i := range en.said {
		to = append(to, en.said[i].list...)
	}
	return to
}

// expire drops what has expired and turns into nothing, and returns what has ended
// since the last time.
func (en *entry) expire(now time.Time) why {
	w := why{"", "by the clock"}
	kept := en.said[:0]
	for _, said := range en.said {
		if !lasting(said.list, now) {
			if ended(said.list, en.merged, now) {
				w = why{said.source, "expired"}
			}
			said.list = left(said.list, now)
		}
		if len(said.list) > 0 {
			kept = append(kept, said)
		}
	}
	clear(en.said[len(kept):])
	en.said = kept
	return w
}

// ended reports whether one of them has expired after a time.
func ended(cs []Contribution, after, now time.Time) bool {
	for i := range cs {
		if cs[i].Expires.After(after) && !cs[i].Expires.After(now) {
			return true
		}
	}
	return false
}

// left is what of a source's contributions still says something.
func left(cs []Contribution, now time.Time) []Contribution {
	gone := func(c Contribution) bool { return !c.Expires.After(now) && c.Lapse == "" }
	if !slices.ContainsFunc(cs, gone) {
		return cs
	}
	return slices.DeleteFunc(slices.Clone(cs), gone)
}

// since dates a state that comes from nobody's word: from when it was first shown.
func (e *Effective) since(shown, pending *Effective, now time.Time) {
	if !e.Since.IsZero() {
		return
	}
	e.Since = micro(now)
	for _, before := range [...]*Effective{pending, shown} {
		if before != nil && before.State == e.State {
			e.Since = before.Since
		}
	}
}
