package assembly

import (
	"context"

	"rollcall/presence/device"
	"rollcall/presence/manual"
	"rollcall/roster"
	"rollcall/sipgw/contacts"
	"rollcall/xmpp/jid"
)

// belongings are what the operator has given to people, and what an account that
// is no more cannot have: membership of groups, devices and what they have
// subscribed to of them, and a state.
type belongings struct {
	*roster.Groups
	devices *device.Register
	byHand  *manual.Service
	phones  *contacts.Service
}

// AccountRemoved implements groups.Groups.
func (b belongings) AccountRemoved(ctx context.Context, who jid.Bare) error {
	b.devices.AccountRemoved(who)
	b.phones.AccountRemoved(who)
	b.byHand.Forget(who)
	return b.Groups.AccountRemoved(ctx, who)
}
