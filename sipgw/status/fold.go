package status

import (
	"slices"
	"strings"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/line"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/rich"
)

// The sources of what is said of a device, besides its publications.
const (
	FromRegistrar = "registrar"
	FromQualifier = "qualifier"
	FromCalls     = "calls"
)

// States of devices.
const (
	ready    = "idle"
	degraded = "degraded"
)

// lost says since when a device cannot be reached, and why.
type lost struct {
	since time.Time // zero is not known
	cause string
}

// Why devices cannot be reached, for people.
const (
	neverSeen   = "not registered"
	switchedOff = "disabled"
	silent      = "does not answer"
	noAnswer    = "no answer"
)

var causes = map[registrar.Event]string{
	registrar.Unregistered: "unregistered",
	registrar.Expired:      "registration expired",
	registrar.FlowClosed:   "connection lost",
	registrar.Deactivated:  "removed by an operator",
}

// longCall is how long a call is believed of which nobody says how long. Whoever has
// the call says before when it ends, and that it goes on (line.Audit).
const longCall = line.LongestCall

// facts are what is known of a device at a moment.
type facts struct {
	device   *device.Device
	bindings []*registrar.Binding
	failing  map[uint64]registrar.Report // by binding: those that are not well
	lost     lost
	papers   []paper
	calls    []dialoginfo.Live
}

// said is what one source says of a device.
type said struct {
	source string
	all    []presence.Contribution
}

// outcome is what is to be reported.
type outcome struct {
	device []said
	owner  []presence.Contribution // before it has gone through the catalogue
	direct []presence.Contribution // of the owner, in states of people
}

// fold puts together what the facts come to.
func fold(f *facts, now time.Time) (out outcome) {
	most := 3 + len(f.papers)
	out.device, out.owner = make([]said, 0, most), make([]presence.Contribution, 0, most)
	if f.device.Here() {
		reach, health := f.reach(now)
		out.add(FromRegistrar, reach)
		if health.State != "" {
			out.add(FromQualifier, health)
		}
	}
	for i := range f.papers {
		p := &f.papers[i]
		if c, ok := p.device(); ok {
			out.add(p.source, c)
		}
		if c, ok := p.person(); ok {
			out.direct = append(out.direct, c)
		}
	}
	if c, ok := line.Of(f.calls, line.People).Contribution(FromCalls); ok {
		c.Expires = now.Add(longCall)
		out.add(FromCalls, c)
	}
	return out
}

// add adds what one source says of a device; there is room for it.
func (o *outcome) add(source string, c presence.Contribution) {
	at := len(o.owner)
	o.owner = append(o.owner, c)
	o.device = append(o.device, said{source, o.owner[at : at+1 : at+1]})
}

// reach says whether a device can be reached, and whether it answers as it should;
// without a state it does, or it is not known.
func (f *facts) reach(now time.Time) (reach, health presence.Contribution) {
	reach = presence.Contribution{Source: FromRegistrar, Axis: presence.Reachability, State: ready}
	slow, heard := 0, time.Time{}
	for _, b := range f.bindings {
		r, failing := f.failing[b.ID]
		if failing && r.Heard.After(heard) {
			heard = r.Heard
		}
		if failing && r.Health == registrar.Unreachable {
			continue
		}
		if failing {
			slow++
		}
		reach.Channels |= channels(b)
		if reach.Since.IsZero() || b.Created.Before(reach.Since) {
			reach.Since = b.Created
		}
		if ends := b.Expires.Add(registrar.Grace); ends.After(reach.Expires) {
			reach.Expires = ends
		}
	}
	well := slices.ContainsFunc(f.bindings, func(b *registrar.Binding) bool { _, failing := f.failing[b.ID]; return !failing })
	switch {
	case reach.Channels == 0 && len(f.bindings) > 0:
		return unreachable(lost{heard, silent}, now), health
	case reach.Channels == 0 && f.device.Disabled:
		return unreachable(lost{f.lost.since, switchedOff}, now), health
	case reach.Channels == 0:
		return unreachable(f.lost, now), health
	case slow > 0 && !well:
		health = presence.Contribution{
			Source: FromQualifier, Axis: presence.Health, State: degraded, Expires: reach.Expires,
			Facets: presence.Facets{Cause: noAnswer},
		}
	}
	return reach, health
}

// unreachable says that a device cannot be reached.
func unreachable(l lost, now time.Time) presence.Contribution {
	return presence.Contribution{
		Source: FromRegistrar, Axis: presence.Reachability, State: presence.Offline,
		Since: l.since, Expires: now.Add(presence.LongestOfAll), Facets: presence.Facets{Cause: l.cause},
	}
}

// channels are the ways by which a device can be reached at a binding. It takes
// messages if it has said so (RFC 3840 §9).
func channels(b *registrar.Binding) presence.Channel {
	c := presence.Voice
	for part := range strings.SplitSeq(b.Params, ";") {
		name, value, _ := strings.Cut(part, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "methods") {
			continue
		}
		for m := range strings.SplitSeq(strings.Trim(strings.TrimSpace(value), `"`), ",") {
			if strings.EqualFold(strings.TrimSpace(m), "MESSAGE") {
				c |= presence.Text
			}
		}
	}
	return c
}

// paper is what a phone has published, read.
type paper struct {
	source  string
	expires time.Time
	calls   []dialoginfo.Live // of the package dialog
	heard   *rich.Heard       // of the package presence
}

// device is what it says of the device: what it is engaged in. Whether it can be
// reached the registrar knows.
func (p *paper) device() (c presence.Contribution, ok bool) {
	if p.heard == nil {
		c, ok = line.Of(p.calls, line.People).Contribution(p.source)
	} else if c = p.heard.Contribution(p.source, 0); p.heard.InCall() {
		ok = true
	}
	c.Expires = p.expires
	return c, ok
}

// person is what it says of whoever uses the device, beyond that: what they have set
// at it.
func (p *paper) person() (c presence.Contribution, ok bool) {
	if p.heard == nil || !p.heard.Personal() {
		return c, false
	}
	c = p.heard.Contribution(p.source, 0)
	c.Expires = p.expires
	return c, true
}
