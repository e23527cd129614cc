package assembly

import (
	"rollcall/server"
	"rollcall/server/features/availability"
	"rollcall/server/features/pep"
	"rollcall/xmpp/jid"
)

// showing is who is told when people begin and cease to see one another: first who is
// there, and then what they have published.
type showing struct {
	*availability.Feature
	published *pep.Feature
}

// Show implements contacts.Presence.
func (s showing) Show(owner, contact jid.Bare) {
	s.Feature.Show(owner, contact)
	s.published.Show(owner, contact)
}

// Refresh implements contacts.Presence.
func (s showing) Refresh(x *server.Session, list []jid.Bare) {
	s.Feature.Refresh(x, list)
	s.published.Refresh(x, list)
}
