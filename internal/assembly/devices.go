package assembly

import (
	"context"

	"rollcall/presence/device"
	"rollcall/roster"
	"rollcall/xmpp/jid"
)

// belongings are what the operator has given to people, and what an account that
// is no more cannot have: membership of groups, and devices.
type belongings struct {
	*roster.Groups
	devices *device.Register
}

// AccountRemoved implements groups.Groups.
func (b belongings) AccountRemoved(ctx context.Context, who jid.Bare) error {
	b.devices.AccountRemoved(who)
	return b.Groups.AccountRemoved(ctx, who)
}
