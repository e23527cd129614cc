package presence

import (
	"slices"
	"sync/atomic"
	"time"
)

// entry is what a shard knows of a subject. There is one for everybody who has ever
// been online, so what few have is elsewhere.
type entry struct {
	// Fixed.
	hash    uint64
	subject Subject

	// Safe.
	shown atomic.Pointer[picture] // nil: nothing yet, or it is forgotten

	// Owned by the shard.
	said    []fact   // by source; never changed, only replaced: pictures point into it
	pending *pending // nil: what is said is shown
	flaps   *flaps   // nil: it has never come or gone
	next    moment   // when the state may change by itself; zero is never
	merged  moment   // when it was made the last time
	last    int64    // its last id in the journal
	due     time.Time
	index   int32 // in alarms; -1 if it is not there
	kind    Kind
	up      bool // a device can be reached
	full    bool // has had too many sources
	unsaved bool
}

// pending is the state that the contributions come to, if that is not shown yet; at
// settles it will be.
type pending struct {
	picture *picture
	settles time.Time
	why     why
}

// why is what has changed a state: which source, and how.
type why struct{ source, how string }

// state returns what is shown; nil is nothing.
func (en *entry) state() *Effective {
	p := en.shown.Load()
	switch {
	case p == nil:
		return nil
	case p.whole != nil:
		return p.whole
	}
	return p.effective(en.subject, new(Effective))
}

// publish shows a picture that nobody has seen before.
func (en *entry) publish(p *picture, version uint64) {
	if p.version = version; p.whole != nil {
		p.whole.Version = version
	}
	en.shown.Store(p)
}

// replace takes in what a source says, and returns what it said before. It fails if
// the source said nothing, and still does or there is no room.
func (en *entry) replace(r *report, now time.Time) (before []fact, ok bool) {
	lo, hi := of(r.source, en.said)
	before = en.said[lo:hi]
	date(r.said, before, momentOf(now))
	if lo == hi && (len(r.said) == 0 || sources(en.said) >= maxSources) {
		return before, false
	}
	if len(before) == len(en.said) {
		en.said = r.said
		return before, true
	}
	said := make([]fact, 0, len(en.said)-len(before)+len(r.said))
	said = append(append(said, en.said[:lo]...), r.said...)
	en.said = append(said, en.said[hi:]...)
	return before, true
}

// flat appends all that is said.
func (en *entry) flat(to []Contribution) []Contribution {
	for i := range en.said {
		to = append(to, en.said[i].contribution())
	}
	return to
}

// without drops some of what is said, and reports whether there was any.
func (en *entry) without(gone func(fact) bool) bool {
	if !slices.ContainsFunc(en.said, gone) {
		return false
	}
	en.said = slices.DeleteFunc(slices.Clone(en.said), gone)
	return true
}

// expire drops what has expired and turns into nothing, and returns what has ended
// since the last time.
func (en *entry) expire(now time.Time) why {
	w := why{"", "by the clock"}
	end := momentOf(now)
	for i := range en.said {
		if f := &en.said[i]; f.expires <= end && f.expires > en.merged {
			w = why{f.source, "expired"}
		}
	}
	en.without(func(f fact) bool { return f.expires <= end && !f.lapses() })
	return w
}

// renew has a picture that is not whole made of what is said now, if that is the same
// for longer, so that nothing else is held on to.
func (en *entry) renew() {
	p := en.shown.Load()
	if p == nil || p.whole != nil {
		return
	}
	fresh := *p
	for i, f := range p.says {
		if f == nil {
			continue
		}
		lo, hi := of(f.source, en.said)
		if hi != lo+1 || !alike(f, &en.said[lo]) {
			return
		}
		fresh.says[i] = &en.said[lo]
	}
	en.shown.Store(&fresh)
}

// since dates a state that comes from nobody's word: from when it was first shown.
func (e *Effective) since(shown *Effective, p *pending, now time.Time) {
	if !e.Since.IsZero() {
		return
	}
	e.Since = micro(now)
	if p != nil && p.picture.state() == e.State {
		e.Since = p.picture.since.time()
	}
	if shown != nil && shown.State == e.State {
		e.Since = shown.Since
	}
}
