package hearsay

import (
	"time"

	"rollcall/presence"
	"rollcall/sipgw/line"
	"rollcall/sipgw/watcher"
)

// What the names of the sources begin with.
const (
	FromPBX    = presence.FromPBX + "/" // a PBX, by its name
	FromPhones = "dialog"               // what phones that register here say of their calls
)

// ready is the state of a device that is in order.
const ready = "idle"

// Source is the name of the source for what has been learned of a device.
func Source(l *watcher.Learned) string {
	if l.PBX == "" {
		return FromPhones
	}
	return FromPBX + l.PBX
}

// outcome is what is to be reported.
type outcome struct {
	device []presence.Contribution
	direct []presence.Contribution // of the owner, in states of people
}

// fold says what comes of what has been learned. ok is false as long as it is not
// known.
func fold(l *watcher.Learned, now time.Time) (out outcome, ok bool) {
	switch {
	case l.Gone:
		return out, true
	case !l.Settled():
		return out, false
	case l.PBX == "":
		out.call(l)
		return out, true
	case l.Lacks != "":
		out.unknown(l, now, now, l.Lacks)
		return out, true
	}
	reached := out.reach(l)
	since, lost := silentSince(l)
	switch {
	case lost:
		out.unknown(l, since, now, l.PBX+" is silent")
	case !reached:
		out.unknown(l, time.Time{}, now, l.PBX+" does not tell of it")
	}
	out.call(l)
	out.person(l)
	return out, true
}

func (o *outcome) add(c presence.Contribution) { o.device = append(o.device, c) }

// unknown says that nobody knows how a device is.
func (o *outcome) unknown(l *watcher.Learned, since, now time.Time, cause string) {
	o.add(presence.Contribution{
		Source: Source(l), Axis: presence.Reachability, State: presence.Unknown,
		Since: since, Expires: now.Add(presence.LongestOfAll), Facets: presence.Facets{Cause: cause},
	})
}

// silentSince reports whether a package that had an answer, or should have, has none
// that counts.
func silentSince(l *watcher.Learned) (since time.Time, lost bool) {
	for _, w := range l.Words {
		if w.Standing == watcher.Lost && (!lost || w.Until.Before(since)) {
			since, lost = w.Until, true
		}
	}
	return since, lost
}

// reach says whether a device can be reached, and whether that is known: its
// registration says so, or its presence, or that the PBX tells of its calls if neither
// is to be had.
func (o *outcome) reach(l *watcher.Learned) (known bool) {
	c := presence.Contribution{Source: Source(l), Axis: presence.Reachability, State: ready, Channels: presence.Voice, Lapse: presence.Unknown}
	reg, paper, calls := l.Words[watcher.Reg], l.Words[watcher.Presence], l.Words[watcher.Dialog]
	switch {
	case reg.Standing == watcher.Told:
		c.Expires = reg.Until
		if !l.Registered {
			c.State, c.Channels, c.Facets.Cause = presence.Offline, 0, l.Cause
		}
	case paper.Standing == watcher.Told:
		c.Expires = paper.Until
		if l.Heard.State == presence.Offline {
			c.State, c.Channels = presence.Offline, 0
		}
	case calls.Standing == watcher.Told && silent(reg) && silent(paper):
		c.Expires = calls.Until
	default:
		return false
	}
	o.add(c)
	return true
}

// silent says that nothing is to be had by a package.
func silent(w watcher.Word) bool {
	return w.Standing == watcher.Unasked || w.Standing == watcher.Refused || w.Standing == watcher.Absent
}

// call says what a device is engaged in: its calls do, or else its presence.
func (o *outcome) call(l *watcher.Learned) {
	var c presence.Contribution
	ok := false
	switch calls, paper := l.Words[watcher.Dialog], l.Words[watcher.Presence]; {
	case calls.Standing == watcher.Told:
		c, ok = line.Of(l.Calls, line.People).Contribution(Source(l))
		c.Expires = calls.Until
	case paper.Standing == watcher.Told && l.Heard.InCall():
		c, ok = l.Heard.Contribution(Source(l), 0), true
		c.Expires = paper.Until
	}
	if !ok {
		return
	}
	if l.PBX != "" {
		c.Channels, c.Lapse = presence.Voice, presence.Unknown
	}
	o.add(c)
}

// person says what whoever uses the device has set at it, as its presence tells.
func (o *outcome) person(l *watcher.Learned) {
	w := l.Words[watcher.Presence]
	if w.Standing != watcher.Told || !l.Heard.Personal() {
		return
	}
	c := l.Heard.Contribution(Source(l), 0)
	c.Expires = w.Until
	o.direct = append(o.direct, c)
}
