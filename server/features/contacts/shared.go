package contacts

import (
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// differ tells an owner's clients what a change of shared groups makes of their
// roster. It is called with the book's lock of that roster held, and so comes
// after all pushes of what was changed before, and before those of what is
// changed later.
func (f *Feature) differ(owner jid.Bare, before, now *roster.Roster) {
	var lists [][]jid.Bare
	compared := false
	send := func() {
		f.eachInterested(owner, func(s *server.Session) {
			if !compared { // once, and only if somebody wants to know
				lists, _ = now.Differs(before)
				compared = true
			}
			if len(lists) > 0 {
				f.feed(s, lists, before, now)
			}
		})
	}
	if !f.line.queue(owner, send) {
		send()
	}
}

// Meet has everybody told of those whom they begin or cease to see by a change of
// shared groups: each session when it has been told what is different in its
// roster.
func (f *Feature) Meet(before, now *roster.Directory) {
	seen := map[*server.Account]bool{}
	f.srv.EachSession(func(s *server.Session) {
		if s.Account.ID == 0 || seen[s.Account] {
			return
		}
		seen[s.Account] = true
		lists := f.book.Met(s.Account.JID, before, now)
		if len(lists) == 0 {
			return
		}
		for _, x := range s.Account.Sessions() {
			f.afterFeed(x, func() {
				for _, list := range lists {
					f.presence.Refresh(x, list)
				}
			})
		}
	})
}

// hold keeps the roster of an interested session in memory: what its client was
// told last is kept with it.
func (f *Feature) hold(s *server.Session) error {
	if s.Get(f.pin) != nil {
		return nil
	}
	pin, err := f.book.Pin(f.srv.Context(), s.Account.JID)
	if err == nil {
		s.Put(f.pin, pin)
	}
	return err
}

// ended lets go of what a session needed.
func (f *Feature) ended(s *server.Session) {
	s.Set(f.interested, false)
	f.drop(s)
	if pin, ok := s.Get(f.pin).(*roster.Pin); ok {
		s.Put(f.pin, nil)
		pin.Release()
	}
}
