package message

import (
	"strconv"
	"strings"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/address"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// ticket finds the request that an error is about.
type ticket struct {
	device, person jid.Bare
	id             string
}

// taken is a request from a device that the server has been handed.
type taken struct {
	ticket
	r      *transport.Request
	fields []transport.Field
	to     jid.JID
	until  time.Time // when it counts as taken
}

// Serve takes a MESSAGE request (RFC 3428 §7).
func (s *Service) Serve(r *transport.Request) {
	to, person := s.recipient(r)
	if !person && s.parts.Elsewhere != nil {
		s.parts.Elsewhere(r)
		return
	}
	// Before anything that depends on who or what there is, or is not.
	user, fields, ok := s.parts.Who(r)
	if !ok || !r.Accept() {
		return
	}
	if !person {
		r.Respond(404, "", fields...)
		return
	}
	d := s.parts.Devices().ByUser(user)
	if d == nil || d.Disabled {
		r.Respond(403, "", fields...)
		return
	}
	now := time.Now()
	if wait := s.may(now, d.JID); wait > 0 {
		after := strconv.Itoa(int(wait/time.Second) + 1)
		r.Respond(480, "Too Many Messages", append(fields, transport.Field{Name: "Retry-After", Value: after})...)
		return
	}
	if e := r.Header("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		r.Respond(415, "", append(fields, transport.Field{Name: "Accept-Encoding", Value: "identity"})...)
		return
	}
	c, status := readBody(r.Header("Content-Type"), r.Body())
	switch {
	case status == 415:
		r.Respond(415, "", append(fields, transport.Field{Name: "Accept", Value: accepted})...)
	case status != 0:
		r.Respond(status, "", fields...)
	case c.isStatus:
		s.heard(now, &c, d, to)
		r.Respond(200, "", fields...)
	case strings.TrimSpace(c.text) == "":
		r.Respond(200, "", fields...) // there is nothing to say
	default:
		s.deliver(now, &c, d, &taken{r: r, fields: fields, to: to})
	}
}

// recipient returns the person that a request is for; ok is false if it is for nobody
// here that has an account. A device's own address comes first, then its numbers: they
// stand for whom it is assigned to.
func (s *Service) recipient(r *transport.Request) (to jid.JID, ok bool) {
	u, err := address.ParseURI(r.Target())
	if err != nil || !r.Initial() || u.Scheme == "sips" && !s.parts.Addresses.Secure {
		return to, false
	}
	domain := u.Host
	if d, ok := s.parts.Addresses.Hosts[domain]; ok {
		domain = d
	}
	people := u.Scheme != "tel" && s.parts.People(domain)
	if u.Scheme != "tel" && !people && !s.parts.Ours(u.Host) || u.User == "" {
		return to, false
	}
	p := s.parts.Devices()
	if u.Scheme != "tel" && (p.ByUser(u.User) != nil || p.ByID(u.User) != nil) {
		return to, false
	}
	if number, err := device.ParseNumber(u.User); err == nil {
		if all := p.ByNumber(s.number(number)); len(all) > 0 {
			return owner(all)
		}
	}
	switch {
	case u.Scheme == "tel":
		return to, false
	case !people && s.parts.Home == "":
		return to, false
	case !people:
		domain = s.parts.Home
	}
	u.Host, u.Scheme = domain, "sip" // sips, if it came so far, is agreed to; im and pres are the same person
	to, err = (&address.Mapper{}).JID(u)
	return to, err == nil && to.Local() != ""
}

// number is a number as the plan has it.
func (s *Service) number(n string) string {
	if planned := s.parts.Addresses.Numbers.Number(n); planned != "" {
		return planned
	}
	return n
}

// owner returns whom all devices that have a number are assigned to.
func owner(all []*device.Device) (to jid.JID, ok bool) {
	who := all[0].Owner
	for _, d := range all {
		if d.Owner == "" || d.Owner != who || d.Shared {
			return to, false
		}
	}
	return who.With(""), true
}

// deliver hands a text to the server.
func (s *Service) deliver(now time.Time, c *content, d *device.Device, p *taken) {
	kind, to := "normal", p.to.Bare().With("")
	s.mu.Lock()
	t := s.talks.touch(pair{p.to.Bare(), d.JID})
	chat := !s.parts.Config.Strict && t.isChat(now)
	t.said(now, chat, true)
	states := chat && !s.deaf[d.JID].status
	if chat { // to one client, which is where it goes to all if that has gone (RFC 6121 §8.5.3.2.1)
		kind, to = "chat", p.to
	}
	p.ticket = ticket{device: d.JID, person: to.Bare(), id: p.r.Via().Branch()}
	if _, taken := s.pending[p.ticket]; taken || p.id == "" || len(p.id) > 128 {
		p.ticket.id = transport.NewCallID()
	}
	full := len(s.pending) >= maxPending
	if full {
		s.mu.Unlock()
		p.r.Respond(500, "", p.fields...)
		return
	}
	s.pending[p.ticket] = p
	if c.subject == "" {
		c.subject = p.r.Header("Subject")
	}
	lang, _, _ := strings.Cut(p.r.Header("Content-Language"), ",")
	thread := p.r.CallID()
	if len(thread) > 256 {
		thread = callID(thread)
	}
	raw := textStanza(d.Full(), to, kind, p.id, language(strings.TrimSpace(lang)), thread, c, states)
	s.outbox = append(s.outbox, parcel{raw, p})
	s.mu.Unlock()
	s.stir()
}

// handed goes on when the server has been handed a text: it is taken, or there is an
// error, or there may be one yet.
func (s *Service) handed(p *taken, err error) {
	switch {
	case err != nil:
		refusal, _ := stanza.AsError(err)
		s.settle(p.ticket, address.Status(refusal.Condition, p.to.IsFull(), false), refusal.Text)
	case s.parts.Stored == nil:
		s.kept(p, true)
	default: // what is answered 200 is stored, as what is acknowledged to a client
		s.parts.Stored(func(stored bool) { s.kept(p, stored) })
	}
}

// kept goes on when a text is where it has to be, unless there was an error about it.
func (s *Service) kept(p *taken, stored bool) {
	switch {
	case !stored:
		s.settle(p.ticket, 500, "")
	case s.parts.Patience <= 0:
		s.settle(p.ticket, 200, "")
	default:
		s.mu.Lock()
		p.until = time.Now().Add(s.parts.Patience)
		s.mu.Unlock()
		s.stir()
	}
}

// settle answers the request of a ticket, unless it has been answered.
func (s *Service) settle(of ticket, status int, reason string, fields ...transport.Field) {
	s.mu.Lock()
	p := s.pending[of]
	delete(s.pending, of)
	s.mu.Unlock()
	if p == nil {
		return
	}
	if status == 401 || status == 407 { // nobody asks who they are: without a question these only make phones try again
		status = 403
	}
	p.r.Respond(status, address.Reason(reason), append(p.fields, fields...)...)
}

// refused takes an error about a message of a device (RFC 7247 §7.1).
func (s *Service) refused(st *stanza.Stanza, from, to jid.JID) {
	e, err := st.Element()
	if err != nil {
		return
	}
	condition, where, text := conditionOf(e)
	uri := ""
	if moved, err := jid.Parse(strings.TrimPrefix(where, "xmpp:")); where != "" && err == nil {
		uri, _ = s.parts.Addresses.URI(moved)
	}
	var fields []transport.Field
	if uri != "" {
		fields = []transport.Field{{Name: "Contact", Value: "<" + uri + ">"}}
	}
	of := ticket{device: to.Bare(), person: from.Bare(), id: stanza.Text(st.ID)}
	s.settle(of, address.Status(condition, from.IsFull(), uri != ""), text, fields...)
}

// conditionOf returns what an error says: its condition, the address in that, its text.
func conditionOf(e *stanza.Element) (c stanza.Condition, where, text string) {
	for _, x := range e.Elements() {
		if x.Local != "error" {
			continue
		}
		for _, y := range x.Elements() {
			switch {
			case y.Space != nsErrors:
			case y.Local == "text":
				text = y.Text()
			case c == "":
				c, where = stanza.Condition(y.Local), strings.TrimSpace(y.Text())
			}
		}
	}
	return c, where, text
}
