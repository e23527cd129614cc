package contacts

import (
	"slices"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// presence takes presence for the domain. Devices do not watch anybody, so what people
// say of themselves is of no interest.
func (s *Service) presence(st *stanza.Stanza, from, to jid.JID) error {
	if to.IsDomain() {
		return nil
	}
	watcher, of := from.Bare(), to.Bare()
	switch stanza.Text(st.Type) {
	case "probe":
		s.probed(watcher, of)
	case "subscribe":
		s.subscribe(watcher, of)
	case "unsubscribe":
		s.unsubscribe(watcher, of)
	}
	return nil
}

// subscribe agrees at once, or refuses: what is not there, and what is hidden (RFC
// 6121 §3.1.3).
func (s *Service) subscribe(watcher, of jid.Bare) {
	if d, _ := s.seen(watcher, of); d == nil {
		s.say(of, watcher, "unsubscribed")
		return
	}
	if s.keep(watcher, of, true) {
		s.say(of, watcher, "subscribed")
		s.show(watcher, of, false)
		return
	}
	s.say(of, watcher, "unsubscribed")
}

// unsubscribe ends a subscription, of which the device does not keep anything (§3.3.3).
func (s *Service) unsubscribe(watcher, of jid.Bare) {
	s.keep(watcher, of, false)
	s.say(of, watcher, "unsubscribed")
	if d := s.parts.Devices().ByJID(of); d != nil && !s.watches(watcher, of) {
		s.send(farewell(of).to(string(watcher)))
	}
}

// maxSubscribers is how many may subscribe to one device by themselves. Everybody can
// be shown one by groups.
const maxSubscribers = 1000

// keep notes who has subscribed, and has it stored; false if there is no room.
func (s *Service) keep(watcher, of jid.Bare, subscribed bool) bool {
	s.mu.Lock()
	list := s.subscribers[of]
	i := slices.Index(list, watcher)
	switch {
	case subscribed == (i >= 0):
		s.mu.Unlock()
		return true
	case subscribed && len(list) >= maxSubscribers:
		s.mu.Unlock()
		return false
	case subscribed:
		list = append(slices.Clip(list), watcher) // others may be reading it
	default:
		list = slices.Delete(slices.Clone(list), i, i+1)
	}
	if s.subscribers[of] = list; len(list) == 0 {
		delete(s.subscribers, of)
	}
	s.writing = append(s.writing, change{Subscriber{watcher, of}, subscribed})
	s.mu.Unlock()
	select {
	case s.write <- struct{}{}:
	default:
	}
	return true
}

// AccountRemoved hears that an account is no more, and with it its subscriptions.
func (s *Service) AccountRemoved(who jid.Bare) {
	s.mu.Lock()
	var all []jid.Bare
	for of, list := range s.subscribers {
		if slices.Contains(list, who) {
			all = append(all, of)
		}
	}
	s.mu.Unlock()
	for _, of := range all {
		s.keep(who, of, false)
	}
}

// subscribed returns who has subscribed to a device by themselves, not to be changed.
func (s *Service) subscribed(of jid.Bare) []jid.Bare {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subscribers[of]
}

// watches reports whether somebody watches a device, for whatever reason.
func (s *Service) watches(watcher, of jid.Bare) bool {
	return s.parts.Groups != nil && s.parts.Groups().Sees(watcher, of) || slices.Contains(s.subscribed(of), watcher)
}

// probed answers a probe (§4.3.2). Whoever gets no answer takes the device for not
// there, so that need not be said.
func (s *Service) probed(watcher, of jid.Bare) {
	if d, _ := s.seen(watcher, of); d != nil && s.parts.Apart {
		s.keep(watcher, of, true)
	}
	if !s.watches(watcher, of) || s.parts.Devices().ByJID(of) == nil {
		s.say(of, watcher, "unsubscribed")
		return
	}
	s.show(watcher, of, true)
}

// Introduce shows a client devices, as if it had sent a probe for each of them.
func (s *Service) Introduce(to jid.JID, devices []jid.Bare) {
	watcher := to.Bare()
	for _, of := range devices {
		if !s.watches(watcher, of) || s.parts.Devices().ByJID(of) == nil {
			s.say(of, watcher, "unsubscribed")
			continue
		}
		s.showAt(watcher, to.String(), of, true)
	}
}

// show tells a watcher what they see of a device now, and again if that changes
// meanwhile: whoever tells the others may have been faster. With only, it is told only
// of a device of which there is something to see.
func (s *Service) show(watcher, of jid.Bare, only bool) {
	s.showAt(watcher, string(watcher), of, only)
}

// showAt is show for one client of the watcher, or for all.
func (s *Service) showAt(watcher jid.Bare, at string, of jid.Bare, only bool) {
	for {
		d, e := s.parts.Devices().ByJID(of), s.parts.States.State(of)
		if d == nil {
			return
		}
		a := s.parts.Audience()
		l := a.Level(watcher, of)
		if p := s.render(d, e, a, l); !p.nothing || !only {
			s.send(p.to(at))
			s.shown(of, l, p.sum()) // before looking again: see spread
			only = false
		}
		if s.parts.Devices().ByJID(of) == d && s.parts.States.State(of) == e {
			return
		}
	}
}

// say sends a presence that says no more than its type.
func (s *Service) say(of, watcher jid.Bare, typ string) bool {
	b := stanza.AppendAttr([]byte("<presence"), "from", string(of))
	b = stanza.AppendAttr(b, "to", string(watcher))
	return s.send(append(stanza.AppendAttr(b, "type", typ), "/>"...))
}

// picture is a presence with a place for the address that it goes to.
type picture struct {
	head, tail []byte
	nothing    bool // it is that there is nobody
}

func (p picture) to(watcher string) []byte {
	b := make([]byte, 0, len(p.head)+len(watcher)+len(p.tail)+16)
	b = append(b, p.head...)
	b = stanza.AppendAttr(b, "to", watcher)
	return append(b, p.tail...)
}

// render makes what a level sees of a device.
func (s *Service) render(d *device.Device, e *presence.Effective, a Audience, l presence.Level) picture {
	shown := a.Show(e, l)
	p := picture{head: stanza.AppendAttr([]byte("<presence"), "from", d.Full().String())}
	p.nothing = shown.Unavailable && shown.Text == ""
	if shown.Unavailable {
		p.head = append(p.head, " type='unavailable'"...)
	}
	b := append(make([]byte, 0, 400), '>')
	if !shown.Unavailable {
		b = stanza.AppendElement(b, "show", shown.Show)
	}
	if shown.Text != "" {
		b = append(stanza.AppendAttr(append(b, "<status"...), "xml:lang", a.Language()), '>')
		b = append(stanza.AppendText(b, shown.Text), "</status>"...)
	}
	if !shown.Unavailable {
		b = s.appendCaps(b, d)
		b = append(b, "<x xmlns='vcard-temp:x:update'><photo>"...) // XEP-0153 §4.1
		b = append(append(b, d.Class.IconHash()...), "</photo></x>"...)
		b = shown.AppendState(b)
	}
	p.tail = append(b, "</presence>"...)
	return p
}

// farewell says that a device is not there.
func farewell(of jid.Bare) picture {
	return picture{
		stanza.AppendAttr([]byte("<presence type='unavailable'"), "from", of.With(device.Resource).String()), []byte("/>"), true,
	}
}
