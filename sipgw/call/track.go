package call

import (
	"slices"
	"strings"
	"time"

	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/line"
	"rollcall/sipgw/transport"
)

// begin takes up a call that somebody makes. If there are too many it is not ok; all
// says whether altogether, or of the caller.
func (t *table) begin(now time.Time, a *attempt, called end) (ok, all bool) {
	t.mu.Lock()
	defer t.tell()
	if t.attempts+len(t.dialogs) >= t.cfg.MaxCalls {
		return false, true
	}
	if a.caller.device != "" && len(t.legs[a.caller.device]) >= t.cfg.MaxPerDevice || t.peers[a.caller.peer] >= t.cfg.MaxPerPeer {
		return false, false
	}
	t.attempts++
	t.count(&a.caller, 1)
	a.began, a.callID = now, strings.Clone(a.callID)
	for _, s := range []*string{&a.replaces.CallID, &a.replaces.LocalTag, &a.replaces.RemoteTag} {
		*s = strings.Clone(*s)
	}
	a.caller.clone()
	called.clone()
	if a.caller.device != "" {
		t.addCaller(a, &called, dialoginfo.Trying, now)
	}
	return true, false
}

// addCaller gives the caller of an attempt a leg.
func (t *table) addCaller(a *attempt, called *end, state dialoginfo.State, now time.Time) {
	a.caller.leg = &leg{device: a.caller.device, binding: a.caller.binding, attempt: a, live: dialoginfo.Live{
		Dialog: dialoginfo.Dialog{
			CallID: a.callID, LocalTag: a.caller.tag, RemoteTag: called.tag, Direction: dialoginfo.Initiator, State: state,
			Duration: -1, Local: a.caller.party(), Remote: called.party(),
		},
		Began: a.began, Since: now, Heard: now,
	}}
	t.add(a.caller.leg)
}

// ring takes up that a call goes to somebody. It is nil if that device has too many
// calls.
func (t *table) ring(now time.Time, a *attempt, to end) *ring {
	t.mu.Lock()
	defer t.tell()
	if to.device != "" && len(t.legs[to.device]) >= t.cfg.MaxPerDevice {
		return nil
	}
	to.clone()
	g := &ring{to: to}
	if to.device != "" {
		t.addCalled(a, g, dialoginfo.Trying, now)
	}
	return g
}

// addCalled gives somebody who is called a leg.
func (t *table) addCalled(a *attempt, g *ring, state dialoginfo.State, now time.Time) {
	g.to.leg = &leg{device: g.to.device, binding: g.to.binding, ring: g, live: dialoginfo.Live{
		Dialog: dialoginfo.Dialog{
			CallID: a.callID, LocalTag: g.to.tag, RemoteTag: a.caller.tag, Direction: dialoginfo.Recipient, State: state,
			Duration: -1, Replaces: a.replaces, Referred: a.referred, Local: g.to.party(), Remote: a.caller.party(),
		},
		Began: a.began, Since: now, Heard: now,
	}}
	t.add(g.to.leg)
}

// provisional takes up a 1xx (RFC 4235 §3.7.1: with a tag the dialog is early).
func (t *table) provisional(now time.Time, a *attempt, g *ring, res *transport.Response) {
	t.mu.Lock()
	defer t.tell()
	if a.over || g.over {
		return
	}
	state, tag := dialoginfo.Proceeding, res.To().Tag()
	if tag != "" {
		state = dialoginfo.Early
	}
	if l := a.caller.leg; l != nil && l.live.State < dialoginfo.Confirmed {
		if l.live.RemoteTag != tag && tag != "" {
			l.live.RemoteTag = strings.Clone(tag)
			t.changed(l.device)
		}
		t.set(l, now, max(l.live.State, state), res.Status())
	}
	if l := g.to.leg; l != nil {
		if l.live.LocalTag != tag && tag != "" {
			l.live.LocalTag = strings.Clone(tag)
			t.changed(l.device)
		}
		t.set(l, now, max(l.live.State, state), res.Status())
	}
}

// silence ends the call for one of those who are called.
func (t *table) silence(now time.Time, g *ring, how ending) {
	t.mu.Lock()
	defer t.tell()
	t.endRing(g, now, how)
}

func (t *table) endRing(g *ring, now time.Time, how ending) {
	g.over = true
	t.remove(g.to.leg, now, how)
	g.to.leg = nil
}

// giveUp ends the call for the caller and all who are called, unless they have
// answered.
func (t *table) giveUp(now time.Time, a *attempt, rings []*ring, how ending) {
	t.mu.Lock()
	defer t.tell()
	for _, g := range rings {
		if g != nil {
			t.endRing(g, now, how)
		}
	}
	if a.over {
		return
	}
	a.over = true
	t.attempts--
	t.count(&a.caller, -1)
	t.remove(a.caller.leg, now, how)
	a.caller.leg = nil
}

// An answerer is what a 2xx tells of who has sent it, and of the call.
type answerer struct {
	tag, header, contact    string
	callerRoutes, ownRoutes []string
	callerHeld, held        bool
	session                 time.Duration
}

// confirm takes up that somebody has answered. It does nothing when that is known.
func (t *table) confirm(now time.Time, a *attempt, g *ring, by answerer) {
	t.mu.Lock()
	defer t.tell()
	if slices.Contains(a.answered, by.tag) {
		return // it was sent again; the call may be over by now
	}
	by.tag = strings.Clone(by.tag)
	a.answered = append(a.answered, by.tag)
	g.to.tag, g.to.header, g.to.contact, g.to.held, g.to.routes = by.tag, by.header, by.contact, by.held, by.ownRoutes
	g.to.clone()
	a.caller.held, a.caller.routes = by.callerHeld, by.callerRoutes
	a.caller.clone()
	k := key{a.callID, a.caller.tag, by.tag}
	d := t.dialogs[k]
	if d == nil {
		t.lastID++
		d = &dialog{id: t.lastID, key: k, began: a.began, answered: now, session: by.session, renewed: now, ends: [2]end{a.caller, g.to}}
		d.ends[0].leg, d.ends[1].leg = nil, nil
		d.ends[0].heard, d.ends[1].heard = now, now
		t.count(&d.ends[0], 1)
		t.dialogs[k], t.byID[d.id] = d, d
		t.schedule(d, t.nextLook(d, now))
	}
	t.join(d, a, g, now)
	t.show(d, now)
	t.replace(d, a.replaces, now)
	t.save(d.stored(), true)
}

// join makes the legs of a call that rang those of a dialog. One that has answered
// after the call was given up, or as the second one, gets a new leg. A call that came
// by here twice, from a device to a PBX and from there to another device, is one
// dialog of both.
func (t *table) join(d *dialog, a *attempt, g *ring, now time.Time) {
	if d.ends[0].device == "" {
		d.ends[0].device, d.ends[0].aor, d.ends[0].binding = a.caller.device, a.caller.aor, a.caller.binding
	}
	if d.ends[1].device == "" {
		d.ends[1].device, d.ends[1].aor, d.ends[1].binding = g.to.device, g.to.aor, g.to.binding
	}
	if d.ends[0].leg == nil && a.caller.device != "" {
		if a.caller.leg == nil {
			t.addCaller(a, &g.to, dialoginfo.Early, now)
		}
		d.ends[0].leg, a.caller.leg = a.caller.leg, nil
	}
	if d.ends[1].leg == nil && g.to.device != "" {
		if g.to.leg == nil {
			t.addCalled(a, g, dialoginfo.Early, now)
		}
		d.ends[1].leg, g.to.leg = g.to.leg, nil
	}
	g.over = true
	for i, e := range d.ends {
		if e.leg == nil {
			continue
		}
		e.leg.attempt, e.leg.ring, e.leg.dialog = nil, nil, d
		e.leg.live.LocalTag, e.leg.live.RemoteTag = d.ends[i].tag, d.ends[1-i].tag
		t.set(e.leg, now, dialoginfo.Confirmed, 200)
		t.changed(e.leg.device)
	}
}

// replace ends the dialog that another has taken the place of (RFC 3891 §3), if who
// has answered is in both: nobody else can have agreed to it.
func (t *table) replace(by *dialog, r dialoginfo.Replaces, now time.Time) {
	if r.CallID == "" {
		return
	}
	d, at := t.find(r.CallID, r.LocalTag, r.RemoteTag)
	if d == nil || d == by || d.ends[at].device != by.ends[1].device {
		return
	}
	t.finish(d, now, both(ending{event: eventReplaced}))
}

// A change is what a request within a dialog has brought about.
type change struct {
	held    [2]bool // of the one who asked, and of the other
	known   [2]bool // whether that was said
	contact [2]string
	renewed bool // the session was agreed on anew, for
	session time.Duration
}

// heardFrom takes up that one end of a dialog has sent something. It returns nil if
// the dialog is not known.
func (t *table) heardFrom(now time.Time, r *transport.Request) (d *dialog, sender int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, sender = t.find(r.CallID(), r.From().Tag(), r.To().Tag())
	if d == nil {
		return nil, 0
	}
	e := &d.ends[sender]
	e.alive(now)
	if r.Method() != "ACK" && r.CSeq() > e.cseq {
		e.cseq = r.CSeq()
		if r.Method() != "BYE" {
			t.save(d.stored(), false)
		}
	}
	return d, sender
}

// alive takes up a sign of life.
func (e *end) alive(now time.Time) {
	e.heard, e.signs.Missed, e.signs.Denied, e.doubted = now, 0, false, false
	if e.leg != nil {
		e.leg.live.Heard = now
	}
}

// answeredWithin takes up that the other end has answered.
func (t *table) answeredWithin(now time.Time, d *dialog, other int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.ends[other].alive(now)
}

// bye ends a dialog by one who hangs up.
func (t *table) bye(now time.Time, d *dialog, sender int) {
	t.mu.Lock()
	defer t.tell()
	how := both(ending{event: eventRemoteBye})
	how[sender].event = eventLocalBye
	t.finish(d, now, how)
}

// fail ends a dialog that one end does not know any more.
func (t *table) fail(now time.Time, d *dialog, how ending) {
	t.mu.Lock()
	defer t.tell()
	t.finish(d, now, both(how))
}

// update takes up what a request within a dialog has changed.
func (t *table) update(now time.Time, d *dialog, sender int, c change) {
	t.mu.Lock()
	defer t.tell()
	if d.over {
		return
	}
	held, session := [2]bool{d.ends[0].held, d.ends[1].held}, d.session
	for i, at := range [2]int{sender, 1 - sender} {
		e := &d.ends[at]
		if c.known[i] {
			e.held = c.held[i]
		}
		if c.contact[i] != "" && c.contact[i] != e.contact {
			e.contact = strings.Clone(c.contact[i])
		}
	}
	if c.renewed {
		d.session, d.renewed = c.session, now
		t.schedule(d, t.nextLook(d, now))
	}
	t.show(d, now)
	t.save(d.stored(), session != d.session || held != [2]bool{d.ends[0].held, d.ends[1].held})
}

// signs are those of one end for [line.Audit].
func (d *dialog) signs(i int) line.Signs {
	s := d.ends[i].signs
	s.Session, s.Refreshed = d.session, d.renewed
	return s
}

// live is what [line.Audit] wants to know of one end, whether it is a device or not.
func (d *dialog) live(i int) *dialoginfo.Live {
	return &dialoginfo.Live{
		Dialog: dialoginfo.Dialog{State: dialoginfo.Confirmed},
		Began:  d.began, Since: d.answered, Heard: d.ends[i].heard, Answered: d.answered,
	}
}

// nextLook is when a dialog has to be looked at next.
func (t *table) nextLook(d *dialog, now time.Time) time.Time {
	a := line.Audit(d.live(0), d.signs(0), now)
	b := line.Audit(d.live(1), d.signs(1), now)
	if a.End || b.End {
		return now
	}
	if b.Next.Before(a.Next) {
		return b.Next
	}
	return a.Next
}
