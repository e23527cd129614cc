package watcher

import (
	"slices"
	"strings"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
	"rollcall/sipgw/mwi"
	"rollcall/sipgw/pidf"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/rich"
	"rollcall/sipgw/transport"
)

// Notified takes a NOTIFY: it is the handler of that method. What belongs to no
// subscription is answered 481, which ends it at who has sent it (RFC 6665 §4.1.3).
func (w *Watcher) Notified(r *transport.Request) {
	e, err := event.ParseEvent(r.Header("Event"))
	if err != nil {
		r.Respond(400, "Bad Event")
		return
	}
	if r.Initial() && e.Package == "message-summary" {
		w.waiting(r)
		return
	}
	n := note{event: e, from: r.From().Tag(), to: r.To().Tag(), now: time.Now()}
	if n.state, err = event.ParseState(r.Header("Subscription-State")); err != nil {
		r.Respond(400, "Bad Subscription-State")
		return
	}
	n.read(r)
	w.mu.Lock()
	status := w.notified(r, &n)
	w.mu.Unlock()
	switch status {
	case 500:
		r.Respond(500, "CSeq Out Of Order")
	case 415:
		r.Respond(415, "", transport.Field{Name: "Accept", Value: n.accept})
	case 400:
		r.Respond(400, "Bad Body")
	default:
		r.Respond(status, "")
	}
	w.poke()
}

// note is a NOTIFY, taken apart.
type note struct {
	event    event.Event
	from, to string // tags
	state    event.State
	now      time.Time

	// What it says: at most one of them, and none if it has no body.
	dialogs *dialoginfo.Document
	paper   *pidf.Document
	reg     *reginfo.Document
	wrong   int // the status for a body that is no use
	accept  string
}

// read reads the body, before anything is locked.
func (n *note) read(r *transport.Request) {
	body := r.Body()
	p := slices.Index(packageNames[:], n.event.Package)
	if len(body) == 0 || p < 0 {
		return
	}
	n.accept = accepts[p]
	kind, err := r.ContentType(), error(nil)
	switch {
	case Package(p) == Dialog && kind == dialoginfo.ContentType:
		n.dialogs, err = dialoginfo.Parse(body)
	case Package(p) == Presence && (kind == pidf.ContentType || kind == pidf.ContentTypeX):
		n.paper, err = pidf.ParseAs(kind, body)
	case Package(p) == Reg && kind == reginfo.ContentType:
		n.reg, err = reginfo.Parse(body)
	default:
		n.wrong = 415
	}
	if err != nil {
		n.wrong = 400
	}
}

// notified takes it, and returns the status of the answer.
func (w *Watcher) notified(r *transport.Request, n *note) int {
	first := w.calls[r.CallID()]
	if first == nil || first.gone || first.local != n.to || n.from == "" || n.event.Package != first.pkg.String() || n.event.Shared() {
		return 481
	}
	g := w.branch(first, n)
	switch {
	case g == nil:
		return 481
	case g.seen > 0 && r.CSeq() <= g.seen:
		w.overtaken(g, n.now)
		return 500 // RFC 3261 §12.2.2
	}
	g.seen, g.behind = r.CSeq(), 0
	w.met(g.of.at, r.Flow())
	if g.remote == "" || g.m.Standing == event.Asking {
		g.establish(r, n)
	} else if c, _, err := r.Contacts(); err == nil && len(c) == 1 {
		g.target = c[0].URI.String()
	}
	do := g.m.Notified(n.state, n.now)
	g.denied = do.Denied
	if n.state.Phase == event.Terminated && !g.fork {
		delete(w.calls, g.callID)
	}
	if do.Forget {
		g.forget()
		g.absent = 0
		if n.state.Reason == event.NoResource {
			g.absent++
		}
	}
	if n.state.Phase != event.Pending && (n.state.Phase != event.Terminated || n.state.Reason == event.Invariant) && n.wrong == 0 {
		w.apply(g, n)
	}
	if !g.of.at.spoke {
		w.alive(g.of.at, n.now)
	}
	w.touch(g.of)
	if !g.flying && !g.held && !g.paced {
		w.settle(g, next(g), n.now)
	}
	if n.wrong != 0 {
		return n.wrong
	}
	return 200
}

// branch finds the subscription of a NOTIFY among those that have come of one request;
// nil if there is none and none is to be.
func (w *Watcher) branch(first *leg, n *note) *leg {
	if first.remote == n.from || first.remote == "" {
		return first
	}
	for _, f := range first.of.forks {
		if f.callID == first.callID && f.remote == n.from {
			return f
		}
	}
	if n.state.Phase == event.Terminated || len(first.of.forks) >= maxForks || n.now.Sub(first.begun) > forkFor {
		return nil
	}
	f := first.clone(strings.Clone(n.from))
	first.of.forks = append(first.of.forks, f)
	return f
}

// forkFor is how long after a request others may take it up: 64·T1 (RFC 6665 §4.1.2.4).
const forkFor = 32 * time.Second

// establish takes the dialog from a NOTIFY (RFC 6665 §4.4.1), and not from the answer to
// SUBSCRIBE. What is kept of it is copied: it is a part of all that has come.
func (g *leg) establish(r *transport.Request, n *note) {
	g.remote = strings.Clone(n.from)
	g.routes = r.Values("Record-Route")
	for i := range g.routes {
		g.routes[i] = strings.Clone(g.routes[i])
	}
	if c, _, err := r.Contacts(); err == nil && len(c) == 1 {
		g.target = c[0].URI.String()
	}
}

// overtaken takes note of a NOTIFY that is older than one that has come. If there are
// several in a row whoever sends them has begun to count anew: then we begin anew, as if
// the subscription had been ended.
func (w *Watcher) overtaken(g *leg, now time.Time) {
	if g.behind++; g.behind < 3 || g.flying || g.fork {
		return
	}
	g.behind = 0
	g.m.Notified(event.State{Phase: event.Terminated, Reason: event.Deactivated}, now)
	w.settle(g, next(g), now)
}

// apply takes in what is told.
func (w *Watcher) apply(g *leg, n *note) {
	refresh, full := false, true
	switch {
	case n.dialogs != nil:
		full = !n.dialogs.Partial
		refresh = g.dialogs.Apply(n.dialogs, n.now).Refresh
	case n.reg != nil:
		full = !n.reg.Partial
		refresh = g.reg.Apply(n.reg).Refresh
	case n.paper != nil:
		h := rich.Read(n.paper, g.of.at.trunk)
		g.heard = &h
	default:
		g.nothing() // RFC 6665 §4.2.1.2
		return
	}
	g.told = g.told || full
	if full {
		g.gaps, g.blank, g.anew = 0, false, false
	}
	if refresh && g.m.Standing == event.InForce {
		g.m.Next = n.now // the answer is followed by all there is (RFC 6665 §4.2.1.4)
		if g.gaps > 0 {
			g.m.Next = n.now.Add(event.Backoff(g.gaps, g.m.Seed))
		}
		g.gaps++
	}
}

// Waiting is what a PBX has told unasked: how many messages wait for a device (RFC
// 3842).
type Waiting struct {
	PBX     string
	Device  *device.Device
	Summary *mwi.Summary
}

// waiting takes a NOTIFY about messages that belongs to no subscription. Many PBXs send
// them so; nobody else may.
func (w *Watcher) waiting(r *transport.Request) {
	w.mu.Lock()
	places := w.whose(r.Flow())
	w.mu.Unlock()
	if len(places) == 0 {
		r.Respond(481, "")
		return
	}
	if kind := r.ContentType(); kind != mwi.ContentType {
		r.Respond(415, "", transport.Field{Name: "Accept", Value: mwi.ContentType})
		return
	}
	s, err := mwi.Parse(r.Body())
	if err != nil {
		r.Respond(400, "Bad Body")
		return
	}
	// Whose they are stands in the body where the request goes to an account of ours.
	account, _ := transport.ParseURI(s.Account)
	for _, user := range []string{r.URI().User, account.User} {
		for _, p := range places {
			d := w.named(p, user)
			if d == nil {
				continue
			}
			r.Respond(200, "")
			if w.parts.Waiting != nil {
				w.parts.Waiting(Waiting{p.cfg.Name, d, s})
			}
			return
		}
	}
	r.Respond(404, "")
}

// named returns the device that a PBX calls by a name; nil if there is none. One that
// registers here may have its mailbox there all the same.
func (w *Watcher) named(p *place, name string) *device.Device {
	name, ok := p.cfg.user(transport.Unescape(name))
	if !ok {
		return nil
	}
	all := w.parts.Devices()
	found := all.ByUser(name)
	if number, err := device.ParseNumber(name); found == nil && err == nil {
		if list := all.ByNumber(number); len(list) == 1 {
			found = list[0]
		}
	}
	if found == nil || found.Here() {
		return found
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.place(found.Upstream) != p {
		return nil
	}
	return found
}
