package message

import (
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/iscomposing"
	"rollcall/xmpp/jid"
)

// heard takes note that a device writes to a person, or does so no more, and tells them
// if the two are exchanging messages.
func (s *Service) heard(now time.Time, c *content, d *device.Device, to jid.JID) {
	s.mu.Lock()
	if known := s.deaf[d.JID]; known.status && !known.text {
		delete(s.deaf, d.JID) // it knows what it says
	}
	t := s.talks.get(pair{to.Bare(), d.JID})
	if !t.exchanging(now) {
		s.mu.Unlock()
		return
	}
	t.heard = now
	news := t.in.Heard(now, c.status)
	s.talks.writing[t] = true
	s.mu.Unlock()
	s.stir()
	if news {
		s.send(stateStanza(d.Full(), to.Bare().With(""), c.status.Active))
	}
}

// notice is something that is due to be said of a pair.
type notice struct {
	pair
	writer   jid.JID // for the device, from this client
	toDevice bool
	status   iscomposing.Status
}

// tick says what is due, and returns when the next is; zero is not known.
func (s *Service) tick(now time.Time) (next time.Time) {
	s.mu.Lock()
	var all []notice
	for t := range s.talks.writing {
		if status, ok := t.out.Tick(now); ok {
			all = append(all, notice{t.pair, t.writer, true, status})
		}
		if t.in.Tick(now) {
			all = append(all, notice{pair: t.pair})
		}
		if due := t.due(); due.IsZero() {
			delete(s.talks.writing, t)
		} else {
			next = sooner(next, due)
		}
	}
	var quiet []ticket
	if s.parts.Patience > 0 {
		for of, p := range s.pending {
			switch {
			case p.until.IsZero():
			case !now.Before(p.until):
				quiet = append(quiet, of)
			default:
				next = sooner(next, p.until)
			}
		}
	}
	s.mu.Unlock()
	for _, n := range all {
		s.notify(n)
	}
	for _, of := range quiet {
		s.settle(of, 200, "")
	}
	return next
}

// notify says what is due.
func (s *Service) notify(n notice) {
	d := s.parts.Devices().ByJID(n.device)
	switch {
	case d == nil:
	case n.toDevice:
		s.tell(n.status, n.writer, d)
	default:
		s.send(stateStanza(d.Full(), n.person.With(""), false))
	}
}

// sooner is the earlier of two times, of which zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
