package presence

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// fact is a contribution as it is kept: there is one for each chat client of
// everybody who is online, so it is small. It is never changed once it is taken in.
type fact struct {
	source, state  string
	since, expires moment
	more           *extra // nil: nothing

	axis     Axis
	channels Channel
	priority int8

	stale       bool
	unconfirmed bool // not heard since a restart
}

// extra is what few contributions have.
type extra struct {
	facets Facets // without the priority
	lapse  string
}

// moment is a time as databases keep it, in microseconds since the first of January of
// the year 1, so that the zero of one is that of the other.
type moment int64

// unixMoment is 1970.
const unixMoment = 62_135_596_800_000_000

func momentOf(t time.Time) moment { return moment(t.UnixMicro() + unixMoment) }

// afterAll is the first moment that is not before t.
func afterAll(t time.Time) moment { return momentOf(t.Add(time.Microsecond - 1)) }

func (m moment) time() time.Time { return time.UnixMicro(int64(m) - unixMoment).UTC() }

// micro is a time as databases keep it.
func micro(t time.Time) time.Time { return momentOf(t).time() }

// tidy makes a source's own copy of what it says, in the form in which it is
// compared and kept.
func tidy(source string, cs []Contribution) ([]fact, error) {
	if len(cs) > maxSaid {
		return nil, fmt.Errorf("%w: %d from %s", ErrTooMany, len(cs), source)
	}
	if len(cs) == 0 {
		return nil, nil
	}
	said := make([]fact, len(cs))
	for i := range cs {
		if cs[i].Expires.IsZero() {
			return nil, fmt.Errorf("%w: %s from %s", ErrEndless, cs[i].State, source)
		}
		said[i] = factOf(&cs[i])
		said[i].source, said[i].stale = source, false
	}
	return said, nil
}

func factOf(c *Contribution) fact {
	f := fact{
		source: c.Source, state: c.State, axis: c.Axis, channels: c.Channels, priority: c.Facets.Priority,
		since: momentOf(c.Since), expires: momentOf(c.Expires), stale: c.Stale,
	}
	facets := c.Facets
	if facets.Priority = 0; c.Lapse == "" && facets == (Facets{}) {
		return f
	}
	facets.Until, facets.Idle = micro(facets.Until), micro(facets.Idle)
	facets.Text, facets.Counterpart = brief(facets.Text), brief(facets.Counterpart)
	facets.Device, facets.Ref, facets.Cause = brief(facets.Device), brief(facets.Ref), brief(facets.Cause)
	f.more = &extra{facets, c.Lapse}
	return f
}

// brief cuts a text off, between two characters.
func brief(s string) string {
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + "…"
}

// contribution is what the fact was made of.
func (f *fact) contribution() Contribution {
	c := Contribution{
		Source: f.source, State: f.state, Axis: f.axis, Channels: f.channels,
		Since: f.since.time(), Expires: f.expires.time(), Stale: f.stale,
	}
	if f.more != nil {
		c.Facets, c.Lapse = f.more.facets, f.more.lapse
	}
	c.Facets.Priority = f.priority
	return c
}

// lapses reports whether it turns into something when it expires.
func (f *fact) lapses() bool { return f.more != nil && f.more.lapse != "" }

// ref is [Facets.Ref].
func (f *fact) ref() string {
	if f.more == nil {
		return ""
	}
	return f.more.facets.Ref
}

// alike reports whether two facts say the same, for however long.
func alike(a, b *fact) bool {
	if a.source != b.source || a.axis != b.axis || a.state != b.state || a.channels != b.channels ||
		a.stale != b.stale || a.since != b.since || a.priority != b.priority {
		return false
	}
	return a.more == b.more || a.more != nil && b.more != nil && *a.more == *b.more
}

// again reports whether a source says the same again, for however long.
func again(before, said []fact, now moment) bool {
	return len(said) > 0 && len(before) == len(said) && lasting(before, now) && lasting(said, now) &&
		slices.EqualFunc(before, said, func(a, b fact) bool { return alike(&a, &b) })
}

// lasting reports whether none of them has expired.
func lasting(fs []fact, now moment) bool {
	for i := range fs {
		if fs[i].expires <= now {
			return false
		}
	}
	return true
}

// date gives what a source has not dated the time since which it says so.
func date(said, before []fact, now moment) {
	for i := range said {
		f := &said[i]
		if f.since != 0 {
			continue
		}
		f.since = now
		for j := range before {
			if b := &before[j]; b.axis == f.axis && b.state == f.state && b.ref() == f.ref() {
				f.since = b.since
			}
		}
	}
}

// of returns where a source's facts are in a list, those of each being beside each
// other; its end if there are none.
func of(source string, said []fact) (lo, hi int) {
	for lo < len(said) && said[lo].source != source {
		lo++
	}
	for hi = lo; hi < len(said) && said[hi].source == source; hi++ {
	}
	return lo, hi
}

// sources counts who has said it all.
func sources(said []fact) (n int) {
	for i := range said {
		if i == 0 || said[i].source != said[i-1].source {
			n++
		}
	}
	return n
}
