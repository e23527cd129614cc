package call

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"rollcall/sipgw/addr"
	"rollcall/sipgw/deadline"
	"rollcall/sipgw/line"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// Run finds calls that are over without anybody having said so, and stores those that
// are not. It returns when all that it started has ended, after ctx has; the
// transport has to run as long.
func (p *Proxy) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { p.keeper.Run(ctx) })
	for ctx.Err() == nil {
		asks, next := p.calls.look(time.Now())
		for _, q := range asks {
			p.ask(q)
		}
		deadline.Wait(ctx, next, p.calls.wake)
	}
	work.Wait()
}

// A question is whether one end of a dialog still knows it.
type question struct {
	dialog, number uint64
	side           int
	end            end // as it was then
	device         bool
	other          string // the From or To of the other end
	callID         string
	cseq           uint32 // of the other end's last request
}

// look looks at the dialogs that are due, and returns whom to ask for theirs, and
// when the next is due.
func (t *table) look(now time.Time) (asks []question, next time.Time) {
	t.mu.Lock()
	defer t.tell()
	for {
		id, at, some := t.due.Pop(now.UnixNano())
		if !some {
			break
		}
		d := t.byID[id]
		if d == nil || d.due != at {
			continue
		}
		d.due = 0
		asks = t.lookAt(d, now, asks)
	}
	if at, some := t.due.Next(); some {
		next = time.Unix(0, at)
	}
	return asks, next
}

// lookAt looks at one dialog.
func (t *table) lookAt(d *dialog, now time.Time, asks []question) []question {
	next := d.began.Add(line.LongestCall)
	for i := range d.ends {
		e := &d.ends[i]
		v := line.Audit(d.live(i), d.signs(i), now)
		if v.End {
			t.finish(d, now, both(ending{event: eventTimeout, cause: CauseAudit, why: v.Cause}))
			return asks
		}
		if v.Next.Before(next) {
			next = v.Next
		}
		if e.asked != 0 || e.contact == "" || !(v.Probe || e.doubted && e.signs.Probed.IsZero()) {
			continue
		}
		if len(t.asked) >= mostAsked {
			next = now.Add(probeFor / 8)
			continue
		}
		t.lastAsk++
		t.asked[t.lastAsk] = true
		e.asked, e.signs.Probed = t.lastAsk, now
		asks = append(asks, question{
			dialog: d.id, number: e.asked, side: i, end: *e, device: e.device != "",
			other: d.ends[1-i].header, callID: d.key.callID, cseq: d.ends[1-i].cseq,
		})
	}
	t.schedule(d, next)
	return asks
}

// ask sends OPTIONS in a dialog to one end, as if from the other one. Its CSeq is that
// of the last request that this end has had: a higher one would put what comes next
// out of order (RFC 3261 §12.2.2).
func (p *Proxy) ask(q question) {
	flow, there := p.flowTo(&q.end)
	if flow.IsZero() && q.device && len(q.end.routes) == 0 {
		if there && q.end.doubted {
			p.calls.postpone(q) // its connection ended with us; it will make a new one
			return
		}
		p.calls.settle(time.Now(), q, 0)
		return
	}
	late := time.AfterFunc(probeFor, func() { p.calls.settle(time.Now(), q, 0) })
	p.parts.Transport.Start(transport.Outgoing{
		Method: "OPTIONS", URI: q.end.contact, From: q.other, To: q.end.header, CallID: q.callID, CSeq: q.cseq,
		Routes: q.end.routes, Contact: "auto", Flow: flow, Fields: []transport.Field{{Name: "Accept", Value: "application/sdp"}},
	}, func(res *transport.Response, err error) {
		late.Stop()
		switch {
		case err == nil:
			p.calls.settle(time.Now(), q, res.Status())
		case errors.Is(err, transport.ErrStopped):
			p.calls.postpone(q) // that says nothing about the call
		default:
			p.calls.settle(time.Now(), q, 0)
		}
	})
}

// postpone forgets a question that cannot be asked yet.
func (t *table) postpone(q question) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.asked, q.number)
	if d := t.byID[q.dialog]; d != nil {
		d.ends[q.side].asked = 0
	}
}

// settle takes up an answer to a question by its status; 0 is that there is none,
// which an answer that comes too late makes good. 408 and 481 say that the end does
// not know the dialog, all else that it is there (RFC 3261 §12.2.1.2).
func (t *table) settle(now time.Time, q question, status int) {
	t.mu.Lock()
	defer t.tell()
	open := t.asked[q.number]
	delete(t.asked, q.number)
	d := t.byID[q.dialog]
	if d == nil || status == 0 && !open {
		return
	}
	e := &d.ends[q.side]
	if open {
		e.asked = 0
	}
	switch status {
	case 408, 481:
		e.signs.Denied = true
	case 0:
		e.signs.Missed++
		if e.doubted {
			e.signs.Probed = time.Time{} // it is asked once more, and at once
		}
	default:
		e.alive(now)
	}
	t.schedule(d, now)
}

// Observe takes up what has happened to a binding: give it to
// registrar.Registrar.OnChange. A device that has been restarted is in no call any
// more, whatever it was in.
func (p *Proxy) Observe(c registrar.Change) {
	user, domain, _ := strings.Cut(c.AOR, "@")
	picture := p.parts.Devices()
	d := picture.ByUser(user)
	if d == nil || domain != picture.Domain() {
		return
	}
	switch {
	case c.Reboot != "" && c.Old != nil:
		p.restarted(d.ID, func(l *leg) string {
			if l.binding != c.Old.ID {
				return ""
			}
			return c.Reboot
		})
		return
	case c.What == registrar.Registered:
		p.restarted(d.ID, func(l *leg) string { return l.restartedAs(c.Binding) })
	}
	p.calls.moved(time.Now(), d.ID, c)
}

// restarted ends the calls of a device of which sign says that they are over, and by
// what that is known.
func (p *Proxy) restarted(device string, sign func(*leg) string) {
	for _, giveUp := range p.calls.restarted(time.Now(), device, sign) {
		giveUp()
	}
}

// restartedAs says by what a binding shows that the phone of a leg, which had gone with
// its connection, has been restarted; or "".
func (l *leg) restartedAs(b *registrar.Binding) string {
	if l.lost == nil {
		return ""
	}
	return line.Rebooted(registration(l.lost), registration(b))
}

// registration is what a binding shows of the phone that has made it.
func registration(b *registrar.Binding) line.Registration {
	u, _ := addr.Parse(b.Contact) // the registrar has taken it
	return line.Registration{
		Instance: b.Instance, Host: u.Host, Port: int(u.Port), Stream: b.Flow.Transport.Stream(), CallID: b.CallID, CSeq: b.CSeq,
	}
}

// restarted ends all calls of a device of which sign says so, and returns how to give
// up those that it makes and nobody has answered.
func (t *table) restarted(now time.Time, device string, sign func(*leg) string) (giveUp []func()) {
	t.mu.Lock()
	defer t.tell()
	for _, l := range append([]*leg(nil), t.legs[device]...) {
		how := ending{event: eventError, cause: CauseReboot, why: sign(l)}
		switch {
		case how.why == "":
		case l.dialog != nil:
			t.finish(l.dialog, now, both(how))
		case l.ring != nil:
			t.endRing(l.ring, now, how)
		case l.attempt != nil:
			giveUp = append(giveUp, l.attempt.giveUp)
			t.remove(l, now, how)
			l.attempt.caller.leg = nil
		}
	}
	return giveUp
}

// moved has a device asked for the calls that are in doubt, now that it can be
// reached; or ends them if it has not come back. A phone whose connection was lost, and
// which has made another one, has its calls by that.
func (t *table) moved(now time.Time, device string, c registrar.Change) {
	t.mu.Lock()
	defer t.tell()
	gone := c.What.Gone()
	for _, l := range append([]*leg(nil), t.legs[device]...) {
		d := l.dialog
		if l.lost != nil && c.What == registrar.Registered && l.lost.CallID == c.Binding.CallID && l.lost.Instance == c.Binding.Instance {
			l.reconnected(c.Binding)
			if d != nil && !d.over {
				t.save(d.stored(), true)
			}
		}
		if l.binding == c.Binding.ID && (c.What == registrar.FlowClosed || c.What == registrar.Expired) {
			l.lost = c.Binding
		}
		if d == nil || d.over || l.binding != c.Binding.ID {
			continue
		}
		for i := range d.ends {
			e := &d.ends[i]
			switch {
			case e.leg != l || !e.doubted:
			case gone:
				t.finish(d, now, both(ending{event: eventTimeout, cause: CauseAudit, why: "it has not come back since the restart"}))
			case e.asked == 0:
				e.signs.Probed = time.Time{}
				t.schedule(d, now)
			}
		}
	}
}

// reconnected has a leg go on by another binding of its phone.
func (l *leg) reconnected(b *registrar.Binding) {
	l.lost, l.binding = nil, b.ID
	if l.dialog == nil {
		return
	}
	for i := range l.dialog.ends {
		if e := &l.dialog.ends[i]; e.leg == l {
			e.binding = b.ID
		}
	}
}

// flowTo finds the flow to one end: that of its last message, or if that is closed,
// that of its binding. there says whether there is the binding.
func (p *Proxy) flowTo(e *end) (f transport.Flow, there bool) {
	if e.flow.Open() {
		return e.flow, true
	}
	if e.aor == "" {
		return f, false
	}
	for _, b := range p.parts.Bindings(e.aor) {
		if b.ID == e.binding {
			f, _ := named(p.parts.Transport, b.Flow)
			return f, true
		}
	}
	return f, false
}
