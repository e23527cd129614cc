package transport

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// A Leg is how a request is passed on (RFC 3261 §16.6).
type Leg struct {
	URI    string   // the new Request-URI; "" is the one that came
	Routes []string // go before what is left of the Route that came: a binding's Path

	// Flow is where to; without one the first Route or the URI says.
	Flow Flow

	// RecordRoute are the values that keep us in the dialog, the topmost first,
	// see [Transport.RecordRoute].
	RecordRoute []string

	Add    []Field  // headers to add
	Remove []string // headers to leave out

	// Mark is put into the branch, for finding loops: Values("Via") of a request
	// that comes back has it (§16.6, step 8). It has to be a token.
	Mark string
}

// PopRoute takes what is ours off the Route, and undoes what a strict router did
// to it (RFC 3261 §16.4). If the last that was taken off, or the Request-URI,
// names a flow, that is where the request goes. To be called before Forward, once.
func (r *Request) PopRoute(t *Transport) (Flow, bool) {
	routes := r.Values("Route")
	var flow Flow
	if t.Ours(r.uri) && r.uri.Params.Has("lr") && len(routes) > 0 {
		if f, ok := t.FlowOf(r.uri.User); ok {
			flow = f
		}
		last, err := ParseAddress(routes[len(routes)-1])
		if err == nil {
			r.uri, r.target = last.URI, last.URI.String()
			routes = routes[:len(routes)-1]
		}
	}
	for len(routes) > 0 {
		a, err := ParseAddress(routes[0])
		if err != nil || !t.Ours(a.URI) {
			break
		}
		routes = routes[1:]
		if f, ok := t.FlowOf(a.URI.User); ok {
			flow = f
		}
	}
	r.routes, r.popped = routes, true
	if len(routes) > 0 {
		flow = Flow{} // somebody else comes first
	}
	return flow, !flow.IsZero()
}

// Routes are what is left of the Route after [Request.PopRoute].
func (r *Request) Routes() []string {
	if r.popped {
		return r.routes
	}
	return r.Values("Route")
}

// RecordRoute is a value for Record-Route by which requests within a dialog come
// back to us and go on to the other end of a flow. A proxy adds one for each side:
// the flow to where the request goes above that of where it came from, so that
// each side meets its own first.
func (t *Transport) RecordRoute(f Flow) string {
	return string(append(f.link.about().appendURI([]byte("<"), t.Token(f), ";lr"), '>'))
}

// ContactFor is a URI at which whoever is at the other end of a flow reaches us.
func (t *Transport) ContactFor(f Flow, user string) string {
	return string(f.link.about().appendURI(nil, user, ""))
}

// Forward passes a request on as a proxy does: it gets our Via, a hop less, and
// what the leg says. got is called as by [Transport.Start], for an INVITE with
// every response above 100. A response is sent back by [Transport.Relay]. An ACK
// is forwarded by [Transport.Pass].
func (t *Transport) Forward(r *Request, leg Leg, got func(*Response, error)) *Call {
	call := &Call{}
	target, routes, next := r.onward(leg)
	switch {
	case r.hops == 0:
		got(nil, ErrTooManyHops)
		return call
	case !isClean(target):
		got(nil, errOutgoing)
		return call
	}
	t.towards(leg.Flow, next, func(f Flow, err error) {
		if err != nil {
			got(nil, err)
			return
		}
		branch := newBranch() + leg.mark()
		call.start(&clientTx{
			t: t, key: clientKey{branch, r.method}, flow: f, got: got, all: true,
			wire: r.appendForward(make([]byte, 0, 1024+len(r.body)), f.link.about(), branch, target, routes, leg),
		})
	})
	return call
}

// Pass forwards a request that is not answered, an ACK, without remembering it.
func (t *Transport) Pass(r *Request, leg Leg) {
	target, routes, next := r.onward(leg)
	if r.hops == 0 || !isClean(target) {
		return
	}
	t.towards(leg.Flow, next, func(f Flow, err error) {
		if err == nil {
			f.link.send(r.appendForward(nil, f.link.about(), newBranch()+leg.mark(), target, routes, leg), f.remote)
		}
	})
}

// ErrTooManyHops is the error of a request that may not go further.
var ErrTooManyHops = errors.New("the request may not take another hop")

func (l *Leg) mark() string {
	if l.Mark == "" || !isToken(l.Mark) {
		return ""
	}
	return "." + l.Mark
}

// onward says what Request-URI and Route a request goes on with, and which address
// is next (RFC 3261 §16.6, steps 2, 6 and 7).
func (r *Request) onward(leg Leg) (target string, routes []string, next string) {
	target = r.target
	if leg.URI != "" {
		target = leg.URI
	}
	routes = slices.Concat(leg.Routes, r.Routes())
	if len(routes) == 0 {
		return target, nil, target
	}
	first, err := ParseAddress(routes[0])
	if err == nil && first.URI.IsSIP() && !first.URI.Params.Has("lr") { // a strict router
		routes = append(routes[1:], "<"+target+">")
		return first.URI.String(), routes, first.URI.String()
	}
	return target, routes, routes[0]
}

// appendForward writes the request as it goes on.
func (r *Request) appendForward(b []byte, w *wire, branch, target string, routes []string, leg Leg) []byte {
	b = append(append(append(append(b, r.method...), ' '), target...), " SIP/2.0\r\n"...)
	b = w.appendVia(b, branch)
	b = r.appendVias(b)
	for _, v := range leg.RecordRoute {
		b = appendField(b, "Record-Route", v)
	}
	for _, v := range routes {
		if isClean(v) {
			b = appendField(b, "Route", v)
		}
	}
	b = strconv.AppendInt(append(b, "Max-Forwards: "...), int64(r.hops-1), 10)
	b = append(b, crlf...)
	for _, f := range r.fields {
		switch {
		case sameName(f.Name, "Via"), sameName(f.Name, "Route"), sameName(f.Name, "Max-Forwards"), sameName(f.Name, "Content-Length"):
		case slices.ContainsFunc(leg.Remove, func(n string) bool { return sameName(n, f.Name) }):
		default:
			b = appendField(b, f.Name, f.Value)
		}
	}
	return appendBody(appendFields(b, leg.Add), "", r.body)
}

// Relay sends a response that came to a forwarded request back to where the
// request came from, without our Via (RFC 3261 §16.7) and headers that are to be left
// out.
func (t *Transport) Relay(r *Request, res *Response, remove ...string) {
	if r.tx == nil {
		return
	}
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	b := appendStatus((*buf)[:0], res.status, reasonFor(res.status, res.reason))
	first := true
	for _, f := range res.fields {
		switch {
		case sameName(f.Name, "Via") && first:
			first = false
			if _, rest := cutOutside(f.Value, ','); strings.TrimSpace(rest) != "" {
				b = appendField(b, "Via", strings.TrimSpace(rest))
			}
		case sameName(f.Name, "Content-Length"):
		case slices.ContainsFunc(remove, func(n string) bool { return sameName(n, f.Name) }):
		default:
			b = appendField(b, f.Name, f.Value)
		}
	}
	*buf = appendBody(b, "", res.body)
	if r.tx.invite != nil {
		r.tx.answerInvite(res.status, *buf)
	} else {
		r.tx.answer(res.status, *buf)
	}
}
