package transport

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// receive takes one whole message as it came.
func (t *Transport) receive(data []byte, from Flow) {
	g, ok := look(data)
	if !ok {
		t.nobody.note(from.remote, "no SIP")
		return
	}
	if g.response {
		if !t.expected(data) {
			return // too late, or nothing of ours
		}
	} else if !t.gate.pass(t.limits.Load(), from.remote, classOf(g.method), time.Now()) {
		t.overLimit(data, from)
		return
	}
	if lines(data) > t.limits.Load().Headers {
		t.reject(data, from, 400, "Too Many Headers")
		return
	}
	req, res, err := parse(data)
	switch {
	case err != nil:
		t.unreadable(data, from, g.response, err)
	case res != nil:
		res.flow = from
		if tx := t.client.find(clientKey{res.via.Branch(), res.method}); tx != nil {
			tx.receive(res)
		}
	default:
		req.flow = from
		t.request(req)
	}
}

// unreadable answers what could not be read, if it was meant as a request.
func (t *Transport) unreadable(data []byte, from Flow, response bool, err error) {
	bad := Malformed("Bad Syntax")
	errors.As(err, &bad)
	t.nobody.note(from.remote, string(bad))
	switch {
	case response:
	case errors.Is(err, errVersion):
		t.reject(data, from, 505, "")
	case errors.Is(err, errScheme):
		t.reject(data, from, 416, "")
	default:
		t.reject(data, from, 400, string(bad))
	}
}

// reject answers a request that could not be parsed, without remembering it.
func (t *Transport) reject(data []byte, from Flow, status int, reason string, fields ...Field) {
	r, ok := salvage(data)
	if !ok {
		return
	}
	r.flow = from
	r.stateless(t, &Reply{Status: status, Reason: reason, Fields: fields})
}

// stateless answers without a transaction.
func (r *Request) stateless(t *Transport, p *Reply) {
	if r.method == "ACK" {
		return
	}
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	*buf = r.appendReply((*buf)[:0], p, t.software)
	r.flow.link.send(*buf, r.returnTo())
}

// overLimit drops a request, and says so now and then, so that what is honest
// slows down.
func (t *Transport) overLimit(data []byte, from Flow) {
	if t.gate.mayTell(from.remote, time.Now()) {
		t.reject(data, from, 503, "Too Many Requests", retryAfter())
	}
}

// retryAfter has those who come back come at different times.
func retryAfter() Field { return Field{"Retry-After", strconv.Itoa(10 + rand.IntN(20))} }

// request takes a request that could be read.
func (t *Transport) request(r *Request) {
	if v := r.check(); v.status != 0 {
		if v.status == 400 {
			t.nobody.note(r.flow.remote, v.reason)
		}
		r.stateless(t, &Reply{Status: v.status, Reason: v.reason, Fields: v.fields})
		return
	}
	switch r.method {
	case "ACK":
		t.ack(r)
		return
	case "CANCEL":
		t.cancelled(r)
		return
	}
	tx, isNew := t.server.begin(t, r, r.key(r.method))
	switch {
	case tx == nil:
		r.stateless(t, &Reply{Status: 503, Fields: []Field{retryAfter()}})
		return
	case !isNew:
		tx.again()
		return
	}
	t.hand(r)
	if tx.invite != nil {
		tx.trying()
	}
}

// hand gives a request to whom it is for.
func (t *Transport) hand(r *Request) {
	if h := t.handlers[r.method]; h != nil {
		h(r)
		return
	}
	if r.method == "OPTIONS" && r.Accept() {
		t.AnswerOptions(r)
		return
	}
	if r.method != "OPTIONS" {
		r.Respond(405, "", Field{"Allow", t.allow})
	}
}

// AnswerOptions says what we can do (RFC 3261 §11.2). A handler of OPTIONS that
// passes some on calls it for those that are for us.
func (t *Transport) AnswerOptions(r *Request, fields ...Field) {
	r.Respond(200, "", append([]Field{{"Allow", t.allow}}, fields...)...)
}

// Allow is the list of methods that are understood, for an Allow header.
func (t *Transport) Allow() string { return t.allow }

// ack takes an ACK: for a refusal it ends here.
func (t *Transport) ack(r *Request) {
	if tx := t.server.find(r.key("INVITE")); tx != nil && tx.acknowledged() {
		return
	}
	if h := t.handlers["ACK"]; h != nil {
		h(r)
	}
}

// cancelled takes a CANCEL (RFC 3261 §9.2): it is answered here, hop by hop.
func (t *Transport) cancelled(r *Request) {
	tx, isNew := t.server.begin(t, r, r.key("CANCEL"))
	switch {
	case tx == nil:
		r.stateless(t, &Reply{Status: 503, Fields: []Field{retryAfter()}})
		return
	case !isNew:
		tx.again()
		return
	}
	if invite := t.server.find(r.key("INVITE")); invite != nil {
		r.Respond(200, "")
		invite.cancel()
		return
	}
	if h := t.handlers["CANCEL"]; h != nil {
		h(r)
		return
	}
	r.Respond(481, "")
}

// ours reports whether a host and port are those that we are reached at. Port 0
// is the usual one.
func (t *Transport) ours(host string, port uint16) bool {
	host = strings.ToLower(host)
	named := host == strings.ToLower(t.cfg.Advertise) && host != ""
	for _, h := range t.hosts {
		named = named || h == host
	}
	for _, w := range t.wires() {
		if (named || w.host == host) && (port == w.port || port == 0 && w.port == w.kind.port()) {
			return true
		}
	}
	return named && port == 0
}

// Ours reports whether a URI's host is us.
func (t *Transport) Ours(u URI) bool { return u.IsSIP() && t.ours(u.Host, u.Port) }
