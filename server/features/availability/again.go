package availability

import (
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// Amend changes what a session has told the world and tells it again, to those
// whom a presence of its client would go to. It is for what the server adds to
// somebody's presence. Any goroutine may call it.
//
// change gets the presence as it was published and returns it as it is to be, or
// nil if it is right already. It may be called more than once.
func (f *Feature) Amend(s *server.Session, change func(*stanza.Stanza) []byte) {
	told := f.replace(s, change)
	if told == nil {
		return
	}
	var pin *roster.Pin
	if s.Account.ID != 0 {
		var err error
		if pin, err = f.rosters.Pin(f.srv.Context(), s.Account.JID); err != nil {
			f.srv.Log().Error("a changed presence could not be sent", "jid", s.JID, "err", err)
			return
		}
		defer pin.Release()
	}
	n := f.current(s, told)
	f.broadcast(s, pin, n)
	// Its client may have said something else meanwhile, and been faster.
	f.settle(s, pin, told, n.cover())
}

// settle goes on telling what a session shows until that is what has been told
// last: what its client says, or what lies over that, may change meanwhile. It
// returns after all has been told.
func (f *Feature) settle(s *server.Session, pin *roster.Pin, told *server.Availability, under cover) {
	for {
		now, over := s.Availability(), f.coverOf(s.Account)
		if now == told && over == under {
			return
		}
		before, n := f.noteUnder(s, told, under), f.noteUnder(s, now, over)
		n.before = &before
		if now == told {
			f.toOthers(s, pin, n)
		} else {
			f.broadcast(s, pin, n)
		}
		told, under = now, over
	}
}

// noteUnder is what a session has published under a cover; nil is that it is not
// there.
func (f *Feature) noteUnder(s *server.Session, a *server.Availability, c cover) note {
	if a == nil {
		n := f.farewell(s)
		n.wear(c, "")
		return n
	}
	n := f.noteFrom(s, false, a.Head, a.Tail)
	n.wear(c, a.Show)
	return n
}

// replace puts the changed presence in place of what a session has published,
// and returns it; nil if there is nothing to tell.
func (f *Feature) replace(s *server.Session, change func(*stanza.Stanza) []byte) *server.Availability {
	for {
		before := s.Availability()
		if before == nil {
			return nil
		}
		after, err := changed(s, before, change)
		if err != nil {
			f.srv.Log().Error("a presence could not be changed", "jid", s.JID, "err", err)
			return nil
		}
		if after == nil || s.ChangeAvailability(before, after) {
			return after
		}
	}
}

// changed returns what a session has published in its new form, or nil.
func changed(s *server.Session, before *server.Availability, change func(*stanza.Stanza) []byte) (*server.Availability, error) {
	raw := append(append(append([]byte(nil), before.Head...), s.Bare()...), before.Tail...)
	st, err := server.Whole(raw)
	if err != nil {
		return nil, err
	}
	if raw = change(st); raw == nil {
		return nil, nil
	}
	if st, err = server.Whole(raw); err != nil {
		return nil, err
	}
	after := *before
	after.Head, after.Tail = split(st, s.Full())
	return &after, nil
}
