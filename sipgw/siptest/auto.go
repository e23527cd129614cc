package siptest

import (
	"fmt"
	"slices"
	"strings"
)

// answered takes a response; mu is held.
func (p *Phone) answered(m *Message) {
	req := p.sent[param(m.Header("Via"), "branch")]
	if req == nil {
		p.leave(m)
		return
	}
	_, method := m.CSeq()
	if (m.Status == 401 || m.Status == 407) && p.challenged(req, m) {
		return
	}
	if d := p.find(m.Header("Call-ID")); d != nil && d.ours {
		p.learn(d, method, m)
	}
	if method == "INVITE" && m.Status >= 200 && !p.o.Manual {
		p.acknowledge(req, m)
	}
	switch {
	case req.question != nil && m.Status >= 200:
		req.question.settle(m)
	case m.Status != 100 || p.o.Manual:
		p.leave(m)
	}
}

// learn takes from a response what makes the dialog.
func (p *Phone) learn(d *dialog, method string, m *Message) {
	if method != "INVITE" && method != "SUBSCRIBE" && method != "REFER" {
		return
	}
	switch {
	case m.Status > 100 && m.Status < 300:
		d.remote = m.Header("To")
		if c := m.Header("Contact"); c != "" {
			d.target = inside(c)
		}
		d.routes = list(m.Values("Record-Route"))
		slices.Reverse(d.routes)
		d.answered = m.Status >= 200
	case m.Status >= 300 && !d.answered:
		p.drop(d)
	}
}

// list takes header lines apart at their commas outside of brackets.
func list(lines []string) (out []string) {
	for _, line := range lines {
		for _, part := range strings.SplitAfter(line, ">") {
			params, next, more := strings.Cut(part, ",")
			if strings.Contains(params, "<") || len(out) == 0 {
				out = append(out, strings.TrimSpace(part))
				continue
			}
			if out[len(out)-1] += params; more {
				out = append(out, strings.TrimSpace(next))
			}
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// acknowledge sends the ACK of a final response to an INVITE
// (RFC 3261 §13.2.2.4, §17.1.1.3).
func (p *Phone) acknowledge(req, m *Message) {
	n, _ := m.CSeq()
	ack := &Message{Method: "ACK", URI: req.URI}
	ack.set("Via", req.Header("Via"))
	if d := p.find(m.Header("Call-ID")); d != nil && m.Status < 300 {
		ack.URI = d.target
		ack.set("Via", p.via())
		for _, r := range d.routes {
			ack.Fields = append(ack.Fields, Field{"Route", r})
		}
	}
	ack.set("Max-Forwards", "70")
	ack.set("From", m.Header("From"))
	ack.set("To", m.Header("To"))
	ack.set("Call-ID", m.Header("Call-ID"))
	ack.set("CSeq", fmt.Sprintf("%d ACK", n))
	ack.set("Content-Length", "0")
	p.say(ack.String())
}

// challenged tries again with credentials, and reports whether it did. Credentials
// that were refused are not tried twice, unless only the nonce was too old.
func (p *Phone) challenged(req, m *Message) bool {
	header, name := "WWW-Authenticate", "Authorization"
	if m.Status == 407 {
		header, name = "Proxy-Authenticate", "Proxy-Authorization"
	}
	if p.o.Manual || p.o.Password == "" {
		return false
	}
	if req.Header(name) != "" && !strings.Contains(strings.ToLower(m.Header(header)), "stale=true") {
		return false
	}
	if req.Method == "INVITE" {
		p.acknowledge(req, m)
	}
	again := *req
	again.Fields = slices.Clone(req.Fields)
	for _, challenge := range m.Values(header) {
		p.count = 0
		if p.authorize(&again, name, challenge) {
			break
		}
	}
	if again.Header(name) == "" {
		return false
	}
	n, method := req.CSeq()
	p.cseq = max(p.cseq, n+1)
	again.set("CSeq", fmt.Sprintf("%d %s", n+1, method))
	again.set("Via", p.via())
	p.sent[param(again.Header("Via"), "branch")] = &again
	p.remember(&again)
	if d := p.find(again.Header("Call-ID")); d != nil {
		d.cseq = n + 1
	}
	p.say(again.asked())
	return true
}

// authorize puts credentials into a request.
func (p *Phone) authorize(m *Message, name, challenge string) bool {
	p.count++
	c := credentials(challenge, m.Method, m.URI, p.o.User, p.o.Password, p.unique("c"), p.count)
	if c == "" {
		return false
	}
	p.nonce = challenge
	m.set(name, c)
	return true
}

// asked takes a request; mu is held.
func (p *Phone) asked(m *Message) {
	d := p.find(m.Header("Call-ID"))
	switch {
	case d == nil && (m.Method == "INVITE" || m.Method == "SUBSCRIBE" || m.Method == "REFER"):
		d = &dialog{
			callID: m.Header("Call-ID"), remote: m.Header("From"), local: m.Header("To"), target: inside(m.Header("Contact")),
			routes: list(m.Values("Record-Route")), invite: m,
		}
		if param(d.local, "tag") == "" {
			d.local += ";tag=" + p.unique("t")
		}
		p.dialogs = append(p.dialogs, d)
	case d != nil && d.ours && m.Method == "NOTIFY" && param(d.remote, "tag") == "":
		d.remote = m.Header("From") // RFC 6665 §4.1.3: it may come before the answer
		d.target = inside(m.Header("Contact"))
	}
	if p.o.Manual || !p.answersAlone(m, d) {
		p.leave(m)
	}
}

// answersAlone answers what needs nobody. What is worth reading is unread all the
// same; it reports whether there is nothing to read.
func (p *Phone) answersAlone(m *Message, d *dialog) bool {
	ok := func() { p.reply(m, &Message{Status: 200, Reason: "OK"}) }
	switch m.Method {
	case "ACK":
		return true
	case "OPTIONS":
		if d == nil && param(m.Header("To"), "tag") != "" { // of a call that it does not know
			p.reply(m, &Message{Status: 481, Reason: "Call/Transaction Does Not Exist"})
			return true
		}
		ok()
		return true
	case "NOTIFY", "MESSAGE", "INFO", "UPDATE":
		ok()
	case "BYE":
		ok()
		if d != nil {
			p.drop(d)
		}
	case "CANCEL":
		ok()
		if d != nil && d.invite != nil && !d.answered {
			p.reply(d.invite, &Message{Status: 487, Reason: "Request Terminated"})
		}
	}
	return false
}
