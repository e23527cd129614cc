package roster

import (
	"strconv"

	"rollcall/xmpp/jid"
)

// Item is one entry of a roster. Its strings and slices are shared with the
// [Roster] that it came from: read them, do not change them.
type Item struct {
	Contact jid.Bare
	Name    string
	Groups  []string
	State   State

	// Hidden: the entry only records a request of the contact's; the owner
	// never put it into the roster, and clients must not see it.
	Hidden bool

	// Request is the contact's waiting subscription request as it was received,
	// when State has PendingIn.
	Request []byte

	// Version is the roster's version that the item was last changed in.
	Version uint32
}

// Subscription is the item's subscription attribute.
func (it *Item) Subscription() Subscription { return it.State.Subscription() }

// Ask says whether the item has ask='subscribe'.
func (it *Item) Ask() bool { return it.State.Has(PendingOut) }

// Approved says whether the item has approved='true'.
func (it *Item) Approved() bool { return it.State.Has(Approved) }

// PendingIn says whether the contact waits for an answer.
func (it *Item) PendingIn() bool { return it.State.Has(PendingIn) }

// Change is one roster modification: what a roster push says. An item that was
// removed has nothing but its contact and version.
type Change struct {
	Item    Item
	Removed bool
	Version string // the roster's version with this change (RFC 6121 §2.6.3)
}

// versionString makes the version that clients see. The epoch differs for each
// life of an account, so that one who registers a removed name again never has
// an old cache taken for a new one.
func versionString(epoch int64, version uint32) string {
	b := make([]byte, 0, 24)
	b = strconv.AppendInt(b, epoch, 36)
	b = append(b, '-')
	return string(strconv.AppendUint(b, uint64(version), 36))
}
