package message

import (
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/address"
	"rollcall/sipgw/iscomposing"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Take takes a message to a device, or an error about one of a device. The error is for
// its sender. It does not wait, and the stanza is needed during the call only. Whether
// the sender may see the device at all is for the caller to have found out.
func (s *Service) Take(st *stanza.Stanza, from, to jid.JID) error {
	if st.IsType("error") {
		s.refused(st, from, to)
		return nil
	}
	d := s.parts.Devices().ByJID(to.Bare())
	if d == nil {
		return stanza.ErrServiceUnavailable
	}
	if from.Domain() == to.Domain() { // between devices it goes by SIP, and nothing comes from here
		return stanza.ErrNotAllowed
	}
	m, err := readStanza(st)
	if err != nil {
		return err
	}
	now := time.Now()
	if m.text == "" {
		s.writes(now, m.state, from, d)
		return nil
	}
	return s.text(now, &letter{
		pair: pair{from.Bare(), d.JID}, from: from, to: to, device: d,
		id: stanza.Text(st.ID), kind: stanza.Text(st.Type), receipt: m.receipt,
	}, &m)
}

// errAway is what is said of a device that is nowhere (RFC 7247 §7.2).
var errAway = address.Refusal(480, "This device cannot be reached now")

// text sends a text, or refuses it.
func (s *Service) text(now time.Time, l *letter, m *said) error {
	routes := s.routes(l.device)
	if len(routes) == 0 {
		return errAway
	}
	s.mu.Lock()
	d := s.hears(now, l.device.JID, routes)
	s.mu.Unlock()
	if d.text {
		return errDeaf
	}
	var err error
	if l.out, err = s.textRequest(m, l.from, l.device); err != nil {
		return err
	}
	if err := tooLong(&l.out, routes); err != nil {
		return err
	}
	s.mu.Lock()
	s.talks.touch(l.pair).said(now, l.kind == "chat", false)
	s.mu.Unlock()
	return s.enqueue(l)
}

// routes returns where a device can be reached.
func (s *Service) routes(d *device.Device) []Route {
	if d.Disabled {
		return nil
	}
	return s.parts.Routes(d)
}

// writes takes note that somebody writes to a device, or does so no more, and tells it
// where that is of use: while the two are exchanging messages, if somebody answers there.
func (s *Service) writes(now time.Time, state writing, from jid.JID, d *device.Device) {
	if state == noState {
		return
	}
	routes := s.routes(d)
	s.mu.Lock()
	t := s.talks.get(pair{from.Bare(), d.JID})
	if !t.exchanging(now) || !t.answers(now) || s.hears(now, d.JID, routes).status {
		s.mu.Unlock()
		return
	}
	var status iscomposing.Status
	var news bool
	if state == writes {
		t.writer = from
		status, news = t.out.Compose(now)
	} else {
		status, news = t.out.Stop()
	}
	s.talks.writing[t] = true
	s.mu.Unlock()
	s.stir()
	if news {
		s.tell(status, from, d)
	}
}

// tell tells a device that somebody writes to it, or does so no more.
func (s *Service) tell(status iscomposing.Status, from jid.JID, d *device.Device) {
	out, err := s.statusRequest(status, from, d)
	if err != nil {
		return
	}
	// Where there is no room it is not said: there is more to read there anyway.
	_ = s.enqueue(&letter{pair: pair{from.Bare(), d.JID}, from: from, to: d.Full(), device: d, status: true, out: out})
}
