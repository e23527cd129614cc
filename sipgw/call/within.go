package call

import (
	"strconv"
	"sync/atomic"
	"time"

	"rollcall/sipgw/transport"
)

// within passes on a request inside a dialog (RFC 3261 §16.12): by the flow that our
// part of its route names.
func (p *Proxy) within(r *transport.Request) {
	if !p.passable(r) {
		return
	}
	tr, now := p.parts.Transport, time.Now()
	flow, routed := r.PopRoute(tr)
	d, sender := p.calls.heardFrom(now, r)
	if d == nil && !routed {
		r.Respond(481, "")
		return
	}
	leg := transport.Leg{Flow: p.onward(r, flow, d, sender), Remove: p.removedWithin(d, sender), Add: p.credentials(r)}
	m := &member{p: p, r: r, dialog: d, sender: sender}
	switch r.Method() {
	case "BYE":
		// RFC 3261 §15.1.1: for who sends it the call is over whatever comes back.
		if d != nil {
			p.calls.bye(now, d, sender)
			m.dialog = nil
		}
	case "INVITE":
		r.Respond(100, "")
		call := tr.Forward(r, leg, m.got)
		r.OnCancel(call.Cancel)
		return
	}
	tr.Forward(r, leg, m.got)
}

// ack passes on the ACK of a 2xx. Nobody answers it.
func (p *Proxy) ack(r *transport.Request) {
	if len(r.Body()) > p.cfg.MaxBody {
		return
	}
	now := time.Now()
	flow, routed := r.PopRoute(p.parts.Transport)
	d, sender := p.calls.heardFrom(now, r)
	if d == nil && !routed {
		return
	}
	if d != nil {
		if sdp := sdpOf(&r.Message); sdp != nil { // the offer was in the 2xx
			var c change
			c.say(0, sdp)
			p.calls.update(now, d, sender, c)
		}
	}
	p.parts.Transport.Pass(r, transport.Leg{Flow: p.onward(r, flow, d, sender), Remove: p.removedWithin(d, sender)})
}

// onward is the flow that a request in a dialog goes on by; the zero one is by its
// route or its URI. A flow that leads back to where the request comes from is not
// meant: that of the other end is closed. The other end may have made a new one.
func (p *Proxy) onward(r *transport.Request, flow transport.Flow, d *dialog, sender int) transport.Flow {
	if len(r.Routes()) > 0 {
		return transport.Flow{}
	}
	back := flow == r.Flow() && !leadsTo(r.URI(), flow)
	if flow.Open() && !back {
		return flow
	}
	if d == nil {
		return transport.Flow{}
	}
	p.calls.mu.Lock()
	e := d.ends[1-sender]
	p.calls.mu.Unlock()
	flow, _ = p.flowTo(&e)
	return flow
}

// leadsTo says whether a URI is where a flow goes.
func leadsTo(u transport.URI, f transport.Flow) bool {
	to := f.Remote()
	host := to.Addr().String()
	if to.Addr().Is6() {
		host = "[" + host + "]"
	}
	return u.Host == host && (u.Port == to.Port() || u.Port == 0)
}

// A member is a request of a dialog on its way.
type member struct {
	p      *Proxy
	r      *transport.Request
	dialog *dialog // nil if it is not known, or over
	sender int
	agreed atomic.Bool // a 2xx has been heard
}

// got takes what comes back.
func (m *member) got(res *transport.Response, err error) {
	tr := m.p.parts.Transport
	if err != nil {
		status := 480
		if s := transport.Status(err); s != 503 {
			status = s
		}
		if status != 408 || m.r.Method() == "INVITE" { // RFC 4320 §4.1
			m.r.Respond(status, "")
		}
		m.over(status)
		return
	}
	if m.dialog != nil && !res.Provisional() {
		m.heard(res)
	}
	var remove []string
	if m.dialog == nil || m.p.calls.atDevice(m.dialog, 1-m.sender) {
		remove = claimed
	}
	tr.Relay(m.r, res, remove...)
}

// removedWithin are the headers of a request in a dialog that are not passed on: a PBX
// is believed who somebody is, and nobody else.
func (p *Proxy) removedWithin(d *dialog, sender int) []string {
	if d != nil && !p.calls.atDevice(d, sender) {
		return removedPart
	}
	return removedMost
}

// heard takes up a final response.
func (m *member) heard(res *transport.Response) {
	if !res.OK() {
		if !m.over(res.Status()) {
			m.p.calls.answeredWithin(time.Now(), m.dialog, 1-m.sender)
		}
		return
	}
	if m.agreed.Swap(true) {
		return // it was sent again, and may be old by now
	}
	now := time.Now()
	m.p.calls.answeredWithin(now, m.dialog, 1-m.sender)
	if method := m.r.Method(); method != "INVITE" && method != "UPDATE" {
		return
	}
	c := change{renewed: true, session: session(&res.Message)}
	c.contact = [2]string{contactOf(&m.r.Message), contactOf(&res.Message)}
	c.say(0, sdpOf(&m.r.Message))
	c.say(1, sdpOf(&res.Message))
	m.p.calls.update(now, m.dialog, m.sender, c)
}

// over ends the dialog if the answer says that the other end does not know it, or
// there is none (RFC 3261 §12.2.1.2, RFC 5057 §5.1), and reports whether it did.
func (m *member) over(status int) bool {
	if m.dialog == nil || status != 408 && status != 481 {
		return false
	}
	switch m.r.Method() {
	case "INVITE", "UPDATE", "INFO":
	default:
		return false // another use of the dialog, or no matter for it
	}
	how := ending{event: eventError, code: status}
	if status == 408 {
		how.event = eventTimeout
	}
	m.p.calls.fail(time.Now(), m.dialog, how)
	return true
}

// say takes up a session description of the one who asked (0) or the other (1).
func (c *change) say(who int, sdp []byte) {
	if playing, known := plays(sdp); known {
		c.held[who], c.known[who] = !playing, true
	}
}

func breadthField(n int) transport.Field {
	return transport.Field{Name: "Max-Breadth", Value: strconv.Itoa(max(n, 1))}
}
