package people

import (
	"strconv"
	"strings"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Take takes the presence of somebody for a device, or an answer.
func (s *Service) Take(st *stanza.Stanza, from, to jid.JID) {
	k, now := pair{to.Bare(), from.Bare()}, time.Now()
	switch stanza.Text(st.Type) {
	case "subscribed":
		if s.answered(k, event.Allowed, now) {
			s.say(k.device, k.of, "probe") // their server may have said nothing yet
			s.parts.Arrived(func(bool) { s.later(k) })
		}
	case "unsubscribed":
		s.refused(k, now)
	case "error":
		if s.open(k) && lasting(st) {
			s.refused(k, now)
		}
	case "unavailable":
		s.left(from)
	case "":
		s.said(st, from, now)
	}
}

// open reports whether somebody was asked and has not answered.
func (s *Service) open(k pair) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.pairs[k]
	return a != nil && a.answer == event.Undecided
}

// lasting reports whether an error is one that does not pass by itself (RFC 6120 §8.3.2).
func lasting(st *stanza.Stanza) bool {
	e, err := st.Element()
	if err != nil {
		return false
	}
	x := e.Child(stanza.NSClient, "error")
	return x != nil && x.Attr("type") != "wait"
}

// refused takes a no, and passes it on.
func (s *Service) refused(k pair, now time.Time) {
	if s.answered(k, event.Refused, now) {
		s.parts.Answered(k.device, k.of)
	}
}

// answered takes an answer; false if nobody has asked, or that was known.
func (s *Service) answered(k pair, p event.Permission, now time.Time) bool {
	s.mu.Lock()
	a := s.pairs[k]
	if a == nil || a.answer == p {
		s.mu.Unlock()
		return false
	}
	s.note(k, &asking{answer: p, at: now})
	s.mu.Unlock()
	return true
}

// states are what the shows of clients are called among other states (RFC 6121
// §4.7.2.1).
var states = map[string]string{"": "available", "chat": "available", "away": "idle", "xa": "long_idle", "dnd": "dnd"}

// said takes what a client says.
func (s *Service) said(st *stanza.Stanza, from jid.JID, now time.Time) {
	c, ok := read(st, from, now)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[from.Bare()]
	if p == nil {
		return // nobody may know it, or wants to
	}
	before, there := p.clients[from.Resource()]
	switch {
	case there && before.State == c.State && before.Facets == c.Facets:
		return // another device was told it, too
	case there && before.State == c.State:
		c.Since = before.Since
	case !there && len(p.clients) >= maxClients:
		return
	}
	p.clients[from.Resource()] = c
	s.report(from.Bare(), c.Source, c)
}

// left takes that a client is not there any more, or none is.
func (s *Service) left(from jid.JID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.people[from.Bare()]
	if p == nil {
		return
	}
	for name, c := range p.clients {
		if from.IsBare() || name == from.Resource() {
			delete(p.clients, name)
			s.report(from.Bare(), c.Source)
		}
	}
}

// maxText bounds the words of a client.
const maxText = 1 << 10

// read makes a contribution of what a client says; false if it is none.
func read(st *stanza.Stanza, from jid.JID, now time.Time) (c presence.Contribution, ok bool) {
	if from.IsBare() {
		return c, false
	}
	e, err := st.Element()
	if err != nil {
		return c, false
	}
	c = presence.Contribution{
		Source: presence.FromClient + "/" + from.Resource(), Axis: presence.Willingness, Channels: presence.Chat,
		State: "available", Since: now, Expires: now.Add(term),
	}
	for _, x := range e.Elements() {
		switch {
		case x.Space != stanza.NSClient:
		case x.Local == "show":
			if s, known := states[strings.TrimSpace(x.Text())]; known {
				c.State = s
			}
		case x.Local == "status" && c.Facets.Text == "":
			c.Facets.Text = clip(strings.TrimSpace(x.Text()))
		case x.Local == "priority":
			if n, err := strconv.ParseInt(strings.TrimSpace(x.Text()), 10, 8); err == nil {
				c.Facets.Priority = int8(n)
			}
		}
	}
	return c, true
}

// clip cuts a text that is too long, between two characters.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "")
}
