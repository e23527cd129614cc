package siptest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A dialog is what a phone knows of a call or a subscription.
type dialog struct {
	callID        string
	local, remote string // as in From of what we send, and To
	target        string // the other's Contact
	routes        []string
	cseq          int
	invite        *Message // that began it, ours or theirs
	ours          bool     // we sent it
	answered      bool     // finally
}

// find returns the dialog of a Call-ID, nil if there is none; mu is held.
func (p *Phone) find(callID string) *dialog {
	for _, d := range p.dialogs {
		if d.callID == callID {
			return d
		}
	}
	return nil
}

// touch makes a dialog the last one; mu is held.
func (p *Phone) touch(d *dialog) {
	if d == nil {
		return
	}
	p.dialogs = append(slices.DeleteFunc(p.dialogs, func(o *dialog) bool { return o == d }), d)
}

func (p *Phone) drop(d *dialog) {
	p.dialogs = slices.DeleteFunc(p.dialogs, func(o *dialog) bool { return o == d })
}

// unique makes a word that nobody else makes; mu is held.
func (p *Phone) unique(what string) string {
	p.number++
	return fmt.Sprintf("%s-%s-%d-%d", what, p.o.Word, p.boot, p.number)
}

func (p *Phone) via() string {
	kind := "UDP"
	if p.o.TCP {
		kind = "TCP"
	}
	return "SIP/2.0/" + kind + " " + p.o.At.String() + ";branch=z9hG4bK" + p.unique("b") + ";rport"
}

func (p *Phone) contact() string {
	uri := "<sip:" + p.o.User + "@" + p.o.At.String()
	if p.o.TCP {
		uri += ";transport=tcp"
	}
	return uri + ">"
}

var errNoDialog = errors.New("siptest: there is no dialog that this could belong to")

// Say sends a message as [Write] has it. What every message must have and this has
// not is filled in. A request without a URI belongs to a dialog: that of its
// Call-ID, or the last one that anything was said in. A response answers the request
// that was taken last.
func (p *Phone) Say(m *Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Status != 0 {
		if p.last == nil {
			return errors.New("siptest: there is nothing to answer")
		}
		return p.reply(p.last, m)
	}
	if m.URI == "" {
		if err := p.within(m); err != nil {
			return err
		}
	}
	return p.request(m)
}

// within makes a request one of a dialog.
func (p *Phone) within(m *Message) error {
	var d *dialog
	if id := m.Header("Call-ID"); id != "" {
		d = p.find(id)
	} else if len(p.dialogs) > 0 {
		d = p.dialogs[len(p.dialogs)-1]
	}
	if d == nil {
		return errNoDialog
	}
	m.URI = d.target
	if m.Method == "CANCEL" && d.invite != nil && d.ours {
		m.URI = d.invite.URI
		m.usual("Via", d.invite.Header("Via"))
		m.usual("To", d.invite.Header("To"))
		m.usual("CSeq", strings.Replace(d.invite.Header("CSeq"), "INVITE", "CANCEL", 1))
	} else if m.Method != "ACK" {
		d.cseq++
		m.usual("CSeq", fmt.Sprintf("%d %s", d.cseq, m.Method))
	}
	m.usual("From", d.local)
	m.usual("To", d.remote)
	m.usual("Call-ID", d.callID)
	for _, r := range d.routes {
		m.Fields = append(m.Fields, Field{"Route", r})
	}
	p.touch(d)
	return nil
}

// request fills in and sends; mu is held.
func (p *Phone) request(m *Message) error {
	self := "<sip:" + p.o.User + "@" + p.o.Domain + ">"
	m.usual("Via", p.via())
	m.usual("Max-Forwards", "70")
	m.usual("From", self+";tag="+p.unique("t"))
	if m.Method == "REGISTER" {
		m.usual("To", self)
		m.usual("Call-ID", fmt.Sprintf("reg-%s-%d", p.o.Word, p.boot)) // RFC 3261 §10.2
	}
	uri, _, _ := strings.Cut(m.URI, ";")
	m.usual("To", "<"+uri+">")
	m.usual("Call-ID", p.unique("call"))
	if len(m.Values("CSeq")) == 0 {
		p.cseq++
		m.set("CSeq", fmt.Sprintf("%d %s", p.cseq, m.Method))
	}
	switch m.Method {
	case "REGISTER":
		m.usual("Contact", p.contact()+`;+sip.instance="`+p.Instance()+`"`)
	case "INVITE", "SUBSCRIBE", "NOTIFY", "REFER":
		m.usual("Contact", p.contact())
	}
	m.usual("User-Agent", "siptest")
	m.usual("Content-Length", fmt.Sprint(len(m.Body)))
	if p.o.Password != "" && !p.o.Manual && p.nonce != "" && m.Method == "REGISTER" {
		p.authorize(m, "Authorization", p.nonce)
	}
	p.sent[param(m.Header("Via"), "branch")] = m
	p.remember(m)
	return p.say(m.asked())
}

// remember keeps the dialog that a request of ours begins.
func (p *Phone) remember(m *Message) {
	if (m.Method != "INVITE" && m.Method != "SUBSCRIBE" && m.Method != "REFER") || param(m.Header("To"), "tag") != "" {
		return
	}
	d := p.find(m.Header("Call-ID"))
	if d == nil {
		d = &dialog{callID: m.Header("Call-ID"), ours: true}
		p.dialogs = append(p.dialogs, d)
	}
	d.local, d.remote, d.target = m.Header("From"), m.Header("To"), m.URI
	d.cseq, _ = m.CSeq()
	d.invite = m
}

// reply answers a request; mu is held.
func (p *Phone) reply(req, m *Message) error {
	var fields []Field
	for _, f := range req.Fields {
		switch name := full(f.Name); name {
		case "via", "from", "call-id", "cseq", "record-route", "to":
			if len(m.Values(name)) > 0 {
				continue
			}
			if name == "to" && m.Status > 100 && param(f.Value, "tag") == "" {
				f.Value += ";tag=" + p.tagFor(req)
			}
			fields = append(fields, f)
		}
	}
	m.Fields = append(fields, m.Fields...)
	if req.Method == "INVITE" || req.Method == "SUBSCRIBE" {
		m.usual("Contact", p.contact())
	}
	m.usual("Content-Length", fmt.Sprint(len(m.Body)))
	if d := p.find(req.Header("Call-ID")); d != nil && req.Method == "INVITE" && m.Status >= 200 {
		if d.answered = true; m.Status >= 300 && param(req.Header("To"), "tag") == "" {
			p.drop(d)
		}
	}
	text := m.String()
	p.replied[req.Raw] = text
	return p.say(text)
}

// tagFor is our tag in answers to a request: that of its dialog.
func (p *Phone) tagFor(req *Message) string {
	if d := p.find(req.Header("Call-ID")); d != nil {
		return param(d.local, "tag")
	}
	return p.unique("t")
}

// Answer answers the INVITE of the last call that came and has not been answered.
func (p *Phone) Answer(m *Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range slices.Backward(p.dialogs) {
		if d.invite != nil && d.invite.Method == "INVITE" && !d.ours && !d.answered {
			p.touch(d)
			return p.reply(d.invite, m)
		}
	}
	return errors.New("siptest: nobody calls")
}

// HangUp ends the last call, by the request that does it: BYE, or CANCEL while
// nobody has answered. A call that came and was not answered is declined, which
// takes no request.
func (p *Phone) HangUp() (method string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range slices.Backward(p.dialogs) {
		if d.invite == nil || d.invite.Method != "INVITE" {
			continue
		}
		if !d.ours && !d.answered {
			return "", p.reply(d.invite, &Message{Status: 603, Reason: "Decline"})
		}
		m := &Message{Method: "BYE"}
		if !d.answered {
			m.Method = "CANCEL"
		}
		m.set("Call-ID", d.callID)
		if err := p.within(m); err != nil {
			return "", err
		}
		if m.Method == "BYE" {
			p.drop(d)
		}
		return m.Method, p.request(m)
	}
	return "", errors.New("siptest: there is no call")
}

// Abandon forgets all calls without a word, as when the other end cannot be told that
// they are over.
func (p *Phone) Abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialogs = slices.DeleteFunc(p.dialogs, func(d *dialog) bool { return d.invite != nil && d.invite.Method == "INVITE" })
}
