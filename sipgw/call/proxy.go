package call

import (
	"context"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"strconv"
	"strings"

	"rollcall/presence/device"
	"rollcall/sipgw/addr"
	"rollcall/sipgw/keep"
	"rollcall/sipgw/transport"
)

// Proxy carries calls. It is safe for use by many goroutines.
type Proxy struct {
	// Fixed.
	parts Parts
	cfg   Config
	seed  maphash.Seed

	calls  *table                       // safe
	keeper *keep.Keeper[uint64, Dialog] // safe
	saver  *saver                       // of Load, then of the keeper's goroutine
}

// New returns a proxy that knows of no calls. [Proxy.Load] reads those that are
// stored, [Proxy.Serve] has it take requests, [Proxy.Run] looks after calls that are
// up.
func New(parts Parts, cfg Config) *Proxy {
	p := &Proxy{parts: parts, cfg: cfg.withDefaults(), seed: maphash.MakeSeed()}
	p.saver = &saver{store: parts.Store, known: map[uint64]bool{}}
	p.keeper = keep.New(keep.Config[uint64, Dialog]{Save: p.saver.save, Log: parts.Log, What: "calls"})
	p.calls = newTable(p.cfg)
	p.calls.save = func(d *Dialog, urgent bool) {
		if d.isText() {
			p.keeper.Put(d.ID, d, keep.If(urgent))
		}
	}
	p.calls.erase = p.keeper.Drop
	p.calls.hear = p.hear
	return p
}

// hear tells the listeners.
func (p *Proxy) hear(n *notice) {
	e := n.ended
	if e == nil {
		p.parts.OnChange(n.device, n.calls)
		return
	}
	if e.Cause != "" {
		p.parts.Log.Info("a call was found to be over", "device", e.Device, "call_id", e.Call.CallID, "cause", e.Cause, "why", e.Why)
	}
	if p.parts.OnEnd != nil {
		p.parts.OnEnd(*e)
	}
}

// Serve has the proxy take all requests that belong to calls, and those that are for
// devices. It is to be called before the transport runs. Who takes one of these methods
// instead, or SUBSCRIBE, gives [Proxy.Handle] what [Proxy.Passes] is for.
func (p *Proxy) Serve() {
	for _, method := range [...]string{"INVITE", "BYE", "UPDATE", "PRACK", "INFO", "REFER", "MESSAGE"} {
		p.parts.Transport.Handle(method, p.Handle)
	}
	p.parts.Transport.Handle("OPTIONS", p.options)
	p.parts.Transport.Handle("NOTIFY", p.notify)
	p.parts.Transport.Handle("ACK", p.ack)
}

// notify passes on how a transfer goes (RFC 3515 §2.4.4). We have not subscribed to
// anything (RFC 6665 §4.1.3).
func (p *Proxy) notify(r *transport.Request) {
	if p.Passes(r) {
		p.Handle(r)
		return
	}
	r.Respond(481, "")
}

// Handle takes a request of any method but ACK, and passes it on.
func (p *Proxy) Handle(r *transport.Request) {
	if r.Initial() {
		p.initial(r)
	} else {
		p.within(r)
	}
}

// options answers what is for us, and passes on the rest.
func (p *Proxy) options(r *transport.Request) {
	tr := p.parts.Transport
	if r.Initial() && tr.Ours(r.URI()) && r.URI().User == "" {
		if r.Accept() {
			tr.AnswerOptions(r)
		}
		return
	}
	p.Handle(r)
}

// Passes says whether a request is in a dialog that goes through here: one that we
// have put ourselves into the route of, or one that is a call.
func (p *Proxy) Passes(r *transport.Request) bool {
	if r.Initial() {
		return false
	}
	if routes := r.Values("Route"); len(routes) > 0 {
		a, err := transport.ParseAddress(routes[0])
		if err == nil && a.URI.User != "" && p.parts.Transport.Ours(a.URI) {
			return true
		}
	}
	p.calls.mu.Lock()
	defer p.calls.mu.Unlock()
	d, _ := p.calls.find(r.CallID(), r.From().Tag(), r.To().Tag())
	return d != nil
}

// passable answers what may not be passed on whoever sends it (RFC 3261 §16.3).
func (p *Proxy) passable(r *transport.Request) bool {
	switch {
	case r.MaxForwards() == 0:
		r.Respond(483, "")
	case len(r.Body()) > p.cfg.MaxBody:
		r.Respond(413, "")
	case tooLong(r.CallID(), r.Header("From"), r.Header("To"), r.Header("Contact"), r.Header("Replaces"), r.Header("Referred-By"),
		r.Header("P-Asserted-Identity")):
		r.Respond(400, "Header Too Long")
	case r.Has("Proxy-Require"):
		missing := r.Values("Proxy-Require")
		r.Respond(420, "", transport.Field{Name: "Unsupported", Value: strings.Join(missing, ", ")})
	default:
		return true
	}
	return false
}

// initial passes on a request outside of any dialog.
func (p *Proxy) initial(r *transport.Request) {
	if !p.passable(r) {
		return
	}
	r.PopRoute(p.parts.Transport) // who is not in a dialog has no say where it goes
	mark := p.mark(r)
	breadth, ok := maxBreadth(r)
	switch {
	case beenHere(r, mark):
		r.Respond(482, "")
		return
	case !ok:
		r.Respond(440, "Max-Breadth Exceeded")
		return
	}
	caller, peer, fields, ok := p.caller(r)
	if !ok {
		return
	}
	if len(r.Routes()) > 0 {
		r.Respond(403, "No Way Through Here", fields...)
		return
	}
	c := &Call{Method: r.Method(), Caller: caller, Peer: peer, From: identity(r.From().URI), To: r.URI(), Devices: p.called(r.URI())}
	targets, err := p.targets(r, c)
	if status, reason := p.refused(c, targets, err); status != 0 {
		r.Respond(status, reason, fields...)
		return
	}
	f := newFork(p, r, c, targets, min(breadth, p.cfg.MaxForks), mark)
	f.breadth, f.fields = breadth, fields
	if r.Method() == "INVITE" && !f.beginCall() {
		return
	}
	f.start()
}

// targets are where a request goes. One that is to take the place of a call can be
// for just the device that has it, by its contact (RFC 3891 §4): that is not an
// address of ours, but known from the call.
func (p *Proxy) targets(r *transport.Request, c *Call) ([]Target, error) {
	if r.Method() == "INVITE" && len(c.Devices) == 0 {
		if t, ok := p.inCall(r); ok {
			c.Devices = []*device.Device{t.Device}
			return []Target{t}, nil
		}
	}
	return p.parts.Router.Route(context.Background(), c)
}

// inCall finds the device that has the call which an INVITE is to take the place of,
// if it is what the INVITE is for.
func (p *Proxy) inCall(r *transport.Request) (Target, bool) {
	with, ok := replaced(&r.Message)
	if !ok {
		return Target{}, false
	}
	p.calls.mu.Lock()
	var e end
	if d, i := p.calls.find(with.CallID, with.LocalTag, with.RemoteTag); d != nil {
		e = d.ends[i]
	}
	p.calls.mu.Unlock()
	at, err := transport.ParseURI(e.contact)
	if e.device == "" || err != nil || !at.Equal(r.URI()) {
		return Target{}, false
	}
	d := p.parts.Devices().ByID(e.device)
	for _, b := range p.parts.Bindings(e.aor) {
		if b.ID == e.binding && d != nil && !d.Disabled {
			return Target{URI: r.Target(), Routes: b.Path, Device: d, Binding: b, Q: b.Q}, true
		}
	}
	return Target{}, false
}

// refused is how a request is answered that goes nowhere; 0 if it does go.
func (p *Proxy) refused(c *Call, targets []Target, err error) (status int, reason string) {
	var refusal *Refusal
	switch {
	case err == nil && len(targets) > 0:
		return 0, ""
	case errors.As(err, &refusal):
		return refusal.Status, refusal.Reason
	case errors.Is(err, ErrNobody):
		// Who calls numbers at random is not to learn which of them there are.
		if c.Caller == nil || p.parts.MayKnow != nil && p.parts.MayKnow(c.Caller) {
			return 404, ""
		}
	case err != nil:
		p.parts.Log.Error("it could not be decided where a call goes", "err", err)
		return 500, ""
	}
	return 480, ""
}

// mark is what our Via says of a request besides its branch. What comes back with the
// same is in a loop (RFC 5393 §4.2): nothing that decides where it goes has changed.
func (p *Proxy) mark(r *transport.Request) string {
	var h maphash.Hash
	h.SetSeed(p.seed)
	for _, s := range [...]string{r.CallID(), r.From().Tag(), r.Method(), r.Target()} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	for _, s := range r.Routes() {
		h.WriteString(s)
	}
	return strconv.FormatUint(h.Sum64()^uint64(r.CSeq()), 36)
}

func beenHere(r *transport.Request, mark string) bool {
	for _, via := range r.Lines("Via") {
		if strings.Contains(via, "."+mark) {
			return true
		}
	}
	return false
}

// maxBreadth is to how many places at once a request may go (RFC 5393 §5.3); ok is
// false if it is none.
func maxBreadth(r *transport.Request) (n int, ok bool) {
	const usual = 60
	if !r.Has("Max-Breadth") {
		return usual, true
	}
	value, ok := r.Seconds("Max-Breadth")
	return int(min(value, usual)), ok && value > 0
}

// retryAfter has those who are sent away come back at different times.
func retryAfter() transport.Field {
	return transport.Field{Name: "Retry-After", Value: strconv.Itoa(5 + rand.IntN(10))}
}

// removed are the headers that we do not pass on: what is between us and who sends it
// (RFC 3261 §22.3), what we count ourselves, and who somebody says that they are
// without that we have found out, or without that it is to be known (RFC 3325 §5).
// Many phones show Remote-Party-ID, of before that RFC, rather than From.
var (
	removed     = []string{"Proxy-Authorization", "Max-Breadth", "P-Preferred-Identity"}
	removedToo  = append([]string{"P-Asserted-Identity", "Remote-Party-ID"}, removed...)
	claimed     = []string{"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"}
	removedPart = []string{"Proxy-Authorization"}
	removedMost = append([]string{"Proxy-Authorization"}, claimed...)
)

// credentials are those for others, which are passed on.
func (p *Proxy) credentials(r *transport.Request) (all []transport.Field) {
	if p.parts.Realm == "" {
		return nil
	}
	for _, value := range r.Lines("Proxy-Authorization") {
		if realm := realmOf(value); realm != "" && realm != p.parts.Realm {
			all = append(all, transport.Field{Name: "Proxy-Authorization", Value: value})
		}
	}
	return all
}

// toUs says whether a request has credentials for us.
func (p *Proxy) toUs(r *transport.Request) bool {
	for _, value := range r.Lines("Proxy-Authorization") {
		if p.parts.Realm == "" || realmOf(value) == p.parts.Realm {
			return true
		}
	}
	return false
}

// realmOf is what credentials are for; "" if they don't say.
func realmOf(credentials string) (realm string) {
	_, rest, _ := strings.Cut(credentials, " ")
	addr.Split(rest, func(param string) bool {
		name, value, _ := strings.Cut(param, "=")
		if !addr.Is(strings.TrimSpace(name), "realm") {
			return true
		}
		realm = strings.Trim(value, " \"")
		return false
	})
	return realm
}
