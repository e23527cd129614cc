package message

import (
	"time"

	"rollcall/xmpp/jid"
)

// deafFor is how long a device is remembered not to read. Its owner may have switched
// something on.
const deafFor = 24 * time.Hour

// deafness is what a device has said it cannot read.
type deafness struct {
	agent  string // the program that it was
	since  time.Time
	text   bool // anything at all
	status bool // that somebody is writing
}

// holds reports whether it still counts: for the same program, and not for ever.
func (d deafness) holds(now time.Time, routes []Route) bool {
	if now.Sub(d.since) >= deafFor {
		return false
	}
	return d.agent == agent(routes)
}

// agent is the program that a device is.
func agent(routes []Route) string {
	if len(routes) == 0 {
		return ""
	}
	return routes[0].Agent
}

// readsNot reports whether a status says that MESSAGE, or this one, is beyond a device
// (RFC 3428 §7, RFC 3261 §21.4.6, §21.4.13, §21.5.2).
func readsNot(status int) bool { return status == 405 || status == 415 || status == 501 }

// hears returns what a device has said it cannot read; s.mu is held.
func (s *Service) hears(now time.Time, who jid.Bare, routes []Route) deafness {
	d, ok := s.deaf[who]
	if ok && !d.holds(now, routes) {
		delete(s.deaf, who)
		return deafness{}
	}
	return d
}

// remember takes note that a device cannot read; s.mu is held.
func (s *Service) remember(now time.Time, l *letter) {
	d := s.hears(now, l.pair.device, l.routes)
	if d.since.IsZero() && len(s.deaf) >= maxDeaf {
		clear(s.deaf) // they say so again
	}
	d.agent, d.since = agent(l.routes), now
	d.status = true // whoever does not read texts does not read that either
	d.text = d.text || !l.status
	s.deaf[l.pair.device] = d
}
