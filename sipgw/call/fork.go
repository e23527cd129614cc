package call

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"time"

	"rollcall/sipgw/transport"
)

// A fork is a request that goes to one place or several.
type fork struct {
	// Fixed once it is started.
	p       *Proxy
	r       *transport.Request
	call    *Call
	targets []Target // sorted; a branch has the number of its target
	breadth int
	mark    string
	fields  []transport.Field // for what we answer ourselves
	attempt *attempt          // of an INVITE

	mu       sync.Mutex // guards the fields below
	out      *fanout
	branches []branch
	group    *time.Timer // until the next group is tried
	most     *time.Timer // until all are given up
}

// A branch is the request on its way to one target.
type branch struct {
	ring      *ring // of an INVITE
	sent      *transport.Call
	cancelled bool
}

// newFork sorts the targets into groups of those that are alike, the most preferred
// first (RFC 3261 §16.6), up to so many.
func newFork(p *Proxy, r *transport.Request, c *Call, targets []Target, most int, mark string) *fork {
	slices.SortStableFunc(targets, func(a, b Target) int { return cmp.Compare(b.Q, a.Q) })
	targets = targets[:min(len(targets), most)]
	var groups []int
	for i := range targets {
		if i == 0 || targets[i].Q != targets[i-1].Q {
			groups = append(groups, 0)
		}
		groups[len(groups)-1]++
	}
	return &fork{
		p: p, r: r, call: c, targets: targets, mark: mark,
		out: newFanout(r.Method() == "INVITE", groups), branches: make([]branch, len(targets)),
	}
}

// beginCall takes up that there is a call. If there are too many the request has been
// answered, and it returns false.
func (f *fork) beginCall() bool {
	r, a := f.r, &attempt{callID: f.r.CallID(), giveUp: f.cancel}
	to := r.To()
	a.caller = f.caller()
	a.replaces, _ = replaced(&r.Message)
	if by, err := transport.ParseAddress(r.Header("Referred-By")); err == nil {
		a.referred = identity(by.URI)
	}
	called := end{identity: identity(to.URI), display: to.Display}
	if called.display == "" && len(f.call.Devices) == 1 {
		called.display = f.call.Devices[0].Name
	}
	switch ok, all := f.p.calls.begin(time.Now(), a, called); {
	case !ok && (all || a.caller.peer != ""):
		r.Respond(503, "Too Many Calls", append(f.fields, retryAfter())...)
		return false
	case !ok:
		r.Respond(403, "Too Many Calls", f.fields...)
		return false
	}
	f.attempt = a
	return true
}

// start sends the request to the first group.
func (f *fork) start() {
	f.mu.Lock()
	s := f.out.start()
	if f.attempt != nil {
		f.most = time.AfterFunc(longest, f.expire)
	}
	f.mu.Unlock()
	if f.attempt != nil {
		f.r.Respond(100, "")
		f.r.OnCancel(f.cancel)
	}
	f.do(s)
}

// pass does what the fanout has decided about a response of a branch.
func (f *fork) pass(s step, res *transport.Response, i int) {
	if s.relay {
		var remove []string
		if f.targets[i].Binding != nil || private(&res.Message) {
			remove = claimed
		}
		f.p.parts.Transport.Relay(f.r, res, remove...)
	}
	f.do(s)
}

// do does what the fanout has decided.
func (f *fork) do(s step) {
	for _, i := range s.cancel {
		f.cancelBranch(i)
	}
	if s.begin > 0 {
		f.begin(s)
	}
	if s.final.status != 0 {
		f.finish(s.final)
	}
}

// begin sends the request to the next group.
func (f *fork) begin(s step) {
	f.mu.Lock()
	if f.group != nil {
		f.group.Stop()
	}
	if f.attempt != nil && f.out.more() {
		f.group = time.AfterFunc(f.p.cfg.RingFor, f.overdue)
	}
	f.mu.Unlock()
	for i := s.first; i < s.first+s.begin; i++ {
		f.launch(i, s.begin)
	}
}

// launch sends the request to one target, one of so many at once.
func (f *fork) launch(i, among int) {
	t := &f.targets[i]
	tr := f.p.parts.Transport
	flow, known := f.flow(t)
	if !known {
		f.failed(i, answer{status: 480})
		return
	}
	if f.attempt != nil {
		g := f.p.calls.ring(time.Now(), f.attempt, f.end(t, flow))
		if g == nil {
			f.failed(i, answer{status: 486})
			return
		}
		f.mu.Lock()
		f.branches[i].ring = g
		cancelled := f.branches[i].cancelled
		f.mu.Unlock()
		if cancelled {
			f.p.calls.silence(time.Now(), g, ending{event: eventCancelled})
			f.failed(i, answer{status: 487})
			return
		}
	}
	sent := tr.Forward(f.r, f.leg(t, flow, among), func(res *transport.Response, err error) { f.got(i, res, err) })
	f.mu.Lock()
	f.branches[i].sent = sent
	cancelled := f.branches[i].cancelled
	f.mu.Unlock()
	if cancelled {
		sent.Cancel()
	}
}

// flow is how a target is reached. The zero flow is by its URI.
func (f *fork) flow(t *Target) (flow transport.Flow, known bool) {
	tr := f.p.parts.Transport
	if t.Binding != nil && len(t.Routes) == 0 {
		return named(tr, t.Binding.Flow)
	}
	next := t.URI
	if len(t.Routes) > 0 {
		next = t.Routes[0]
	}
	a, err := transport.ParseAddress(next)
	if err != nil {
		return flow, false
	}
	flow, _ = tr.FlowTo(a.URI) // a name is looked up when it is sent
	return flow, true
}

// leg is how the request goes to a target.
func (f *fork) leg(t *Target, flow transport.Flow, among int) transport.Leg {
	tr := f.p.parts.Transport
	leg := transport.Leg{URI: t.URI, Routes: t.Routes, Flow: flow, Mark: f.mark, Remove: removed, Add: f.p.credentials(f.r)}
	if f.call.Caller != nil || private(&f.r.Message) {
		leg.Remove = removedToo
	}
	if f.breadth != 0 {
		leg.Add = append(leg.Add, breadthField(f.breadth/among))
	}
	if m := f.r.Method(); m == "INVITE" || m == "REFER" { // that make dialogs
		if !flow.IsZero() {
			leg.RecordRoute = append(leg.RecordRoute, tr.RecordRoute(flow))
		}
		leg.RecordRoute = append(leg.RecordRoute, tr.RecordRoute(f.r.Flow()))
	}
	return leg
}

// end is a target as one end of a call.
func (f *fork) end(t *Target, flow transport.Flow) end {
	e := end{identity: identity(f.r.URI()), contact: t.URI, flow: flow}
	if t.Device != nil {
		e.display = t.Device.Name
	}
	if t.Device != nil && t.Binding != nil {
		e.device, e.aor, e.binding = t.Device.ID, t.Binding.AOR, t.Binding.ID
		e.identity = "sip:" + e.aor
	}
	return e
}

// got takes what comes back of one branch.
func (f *fork) got(i int, res *transport.Response, err error) {
	switch {
	case err != nil:
		status := transport.Status(err)
		if errors.Is(err, transport.ErrUnreachable) {
			status = 480
		}
		f.failed(i, answer{status: status})
	case res.Provisional():
		f.mu.Lock()
		s, g := f.out.provisional(i), f.branches[i].ring
		f.mu.Unlock()
		if g != nil {
			f.p.calls.provisional(time.Now(), f.attempt, g, res)
		}
		f.pass(s, res, i)
	case res.OK():
		f.succeeded(i, res)
	default:
		f.failed(i, answer{status: res.Status(), res: res})
	}
}

// failed takes a final answer that is no success.
func (f *fork) failed(i int, a answer) {
	f.mu.Lock()
	s, g := f.out.failure(i, a), f.branches[i].ring
	f.mu.Unlock()
	if g != nil {
		f.p.calls.silence(time.Now(), g, endOf(a.status))
	}
	f.do(s)
}

// succeeded takes a 2xx. The call is known before anybody hears of it.
func (f *fork) succeeded(i int, res *transport.Response) {
	f.mu.Lock()
	s, g := f.out.success(i), f.branches[i].ring
	f.stopTimers()
	f.mu.Unlock()
	if g != nil {
		now := time.Now()
		if by := f.answerer(res); by.tag != "" && !tooLong(by.tag, by.header, by.contact) {
			f.p.calls.confirm(now, f.attempt, g, by)
		}
		f.p.calls.giveUp(now, f.attempt, nil, ending{})
	}
	f.pass(s, res, i)
}

// answerer reads who has answered.
func (f *fork) answerer(res *transport.Response) answerer {
	by := answerer{tag: res.To().Tag(), header: res.Header("To"), contact: contactOf(&res.Message), session: session(&res.Message)}
	by.callerRoutes, by.ownRoutes = f.routes(res)
	if playing, known := plays(sdpOf(&f.r.Message)); known {
		by.callerHeld = !playing
	}
	if playing, known := plays(sdpOf(&res.Message)); known {
		by.held = !playing
	}
	return by
}

// routes takes the route of the dialog apart: from us to the caller, and from us to
// who was called (RFC 3261 §12.1).
func (f *fork) routes(res *transport.Response) (caller, called []string) {
	all := res.Values("Record-Route")
	if len(all) <= 2 || len(all) > mostRoutes || tooLong(all...) {
		return nil, nil // there is nobody but us, or it cannot be kept
	}
	first, last := -1, -1
	for i, value := range all {
		if a, err := transport.ParseAddress(value); err == nil && f.p.parts.Transport.Ours(a.URI) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return nil, nil
	}
	called = slices.Clone(all[:first])
	slices.Reverse(called)
	return slices.Clone(all[last+1:]), called
}

// cancel is called when the caller gives up, and is told of at once: whether the
// others hear of it or not, for people the call is over.
func (f *fork) cancel() { f.giveUp((*fanout).cancel, ending{event: eventCancelled, code: 487}) }

// expire is called when nobody has answered for as long as anything rings.
func (f *fork) expire() { f.giveUp((*fanout).expire, ending{event: eventTimeout, code: 408}) }

func (f *fork) giveUp(decide func(*fanout) step, how ending) {
	f.mu.Lock()
	s := decide(f.out)
	done := f.out.over && s.final.status == 0
	rings := make([]*ring, 0, len(f.branches))
	for _, b := range f.branches {
		rings = append(rings, b.ring)
	}
	f.stopTimers()
	f.mu.Unlock()
	if !done {
		f.p.calls.giveUp(time.Now(), f.attempt, rings, how)
	}
	f.do(s)
}

// overdue is called when a group has been tried for long enough.
func (f *fork) overdue() {
	f.mu.Lock()
	s := f.out.overdue()
	f.mu.Unlock()
	f.do(s)
}

// stopTimers stops them; mu is held.
func (f *fork) stopTimers() {
	for _, t := range [...]*time.Timer{f.group, f.most} {
		if t != nil {
			t.Stop()
		}
	}
}

func (f *fork) cancelBranch(i int) {
	f.mu.Lock()
	b := &f.branches[i]
	b.cancelled = true
	sent, g := b.sent, b.ring
	f.mu.Unlock()
	if g != nil {
		f.p.calls.silence(time.Now(), g, ending{event: eventCancelled})
	}
	if sent != nil {
		sent.Cancel()
	}
}

// finish tells the caller that nobody has answered.
func (f *fork) finish(a answer) {
	f.mu.Lock()
	f.stopTimers()
	asks := f.out.asks
	f.mu.Unlock()
	if f.attempt != nil {
		f.p.calls.giveUp(time.Now(), f.attempt, nil, endOf(a.status))
	}
	switch {
	case a.res == nil:
		f.r.Respond(a.status, "", f.fields...)
	case (a.status == 401 || a.status == 407) && len(asks) > 1:
		f.challenge(a.res, asks)
	default:
		f.p.parts.Transport.Relay(f.r, a.res, claimed...)
	}
}

// challenge passes on a 401 or 407 with the challenges of all branches (RFC 3261
// §16.7 step 7).
func (f *fork) challenge(res *transport.Response, asks []transport.Field) {
	f.r.SetLocalTag(res.To().Tag())
	f.r.Reply(transport.Reply{Status: res.Status(), Reason: res.Reason(), Fields: asks})
}
