package availability

import (
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// Refresh tells a session anew who of some contacts is there: those whom it may
// see, and that the others are gone. Thousands are told of as its client takes
// it: what is said of each is what is true when it is said.
func (f *Feature) Refresh(s *server.Session, contacts []jid.Bare) {
	for i, j := range contacts {
		a, far := f.srv.Connected(j), f.annexOf(j) != nil
		away := !far && (a == nil || !a.Available())
		if away && f.standIns.get(j) == nil {
			continue
		}
		if s.Availability() == nil {
			return // whoever comes back is told anyway
		}
		if !s.Room(nil) {
			again := func() { f.Refresh(s, contacts[i:]) }
			if s.Room(again) {
				again() // it has just taken something
			}
			return
		}
		switch {
		case far:
			f.refreshFrom(s, j)
		case away:
			f.remeet(s, j)
		default:
			f.refresh(s, a)
		}
	}
}

// refresh tells a session whether a contact is there. Who sees whom has changed:
// that somebody is not to be seen any more has to be said.
func (f *Feature) refresh(s *server.Session, contact *server.Account) {
	mine, err := f.roster(s.Account)
	if err == nil && mine.State(contact.JID).Has(roster.To) {
		f.introduce(s, contact)
		return
	}
	if err != nil {
		f.srv.Log().Error("a contact's presence could not be taken back", "jid", s.JID, "peer", contact.JID, "err", err)
		return
	}
	theirs, err := f.roster(contact)
	if err != nil || theirs.State(s.Account.JID).Has(roster.From) {
		return // they let it see them, between themselves
	}
	for _, x := range contact.Sessions() {
		if x.Availability() != nil && f.saw(s, x) {
			n := f.farewell(x)
			n.send(s, s.Bare())
		}
	}
}
