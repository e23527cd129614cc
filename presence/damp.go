package presence

import "time"

// Flapping is the source of what the engine itself says about a device that comes
// and goes too often.
const Flapping = "engine/flapping"

// flaps remember when a device came and went.
type flaps struct {
	at    []time.Time // the latest, one more than are well
	since time.Time   // when it became too many
	until time.Time   // so long the device is taken for lost; zero: it is not
}

// note counts a change.
func (f *flaps) note(now time.Time, limit FlapLimit) {
	if len(f.at) > limit.Changes {
		copy(f.at, f.at[1:])
		f.at = f.at[:len(f.at)-1]
	}
	f.at = append(f.at, now)
	if f.until.IsZero() && f.many(now, limit) {
		f.since, f.until = micro(now), now.Add(limit.Hold)
	}
}

func (f *flaps) many(now time.Time, limit FlapLimit) bool {
	return len(f.at) > limit.Changes && now.Sub(f.at[0]) <= limit.Within
}

// held reports whether the device is to be taken for lost. When it would not be
// any more and still flaps, it is again.
func (f *flaps) held(now time.Time, limit FlapLimit) bool {
	if !f.until.IsZero() && !now.Before(f.until) {
		f.until = time.Time{}
		if f.many(now, limit) {
			f.until = now.Add(limit.Hold)
		}
	}
	return !f.until.IsZero()
}

// damp takes a device for lost that comes and goes too often: it works on what is
// about to be merged.
func (s *shard) damp(en *entry, w *why, now time.Time) {
	limit := s.e.opts.Config.Flaps
	up := reached(s.scratch, now)
	if up != en.up && en.merged != 0 && limit.Changes > 0 {
		if en.flaps == nil {
			en.flaps = new(flaps)
		}
		en.flaps.note(now, limit)
	}
	en.up = up
	if en.flaps == nil || !en.flaps.held(now, limit) {
		return
	}
	w.how = "flapping"
	en.next = afterAll(en.flaps.until)
	s.scratch = lost(s.scratch, en.flaps.since, en.flaps.until)
}

// reached reports whether there is a way to reach somebody.
func reached(cs []Contribution, now time.Time) bool {
	for i := range cs {
		if cs[i].Channels != 0 && cs[i].Expires.After(now) {
			return true
		}
	}
	return false
}

// lost puts, in place of what is said of how a device can be reached, that it
// cannot and why.
func lost(cs []Contribution, since, until time.Time) []Contribution {
	kept := cs[:0]
	for _, c := range cs {
		if c.Channels = 0; c.Axis != Reachability {
			kept = append(kept, c)
		}
	}
	why := Facets{Text: "flapping", Cause: "flapping"}
	return append(kept,
		Contribution{Source: Flapping, Axis: Reachability, State: Offline, Facets: why, Since: since, Expires: until},
		Contribution{Source: Flapping, Axis: Health, State: "degraded", Facets: why, Since: since, Expires: until})
}
