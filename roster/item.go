package roster

import "rollcall/xmpp/jid"

// Item is one entry of a roster. Its strings and slices are shared with the
// [Roster] that it came from: read them, do not change them.
//
// A store has the owner's own part of it. A roster shows that together with what
// shared groups say about the contact: then Name, Groups, State and Hidden are
// what is in force, and Shared is the part of State that a group gives.
type Item struct {
	Contact jid.Bare
	Name    string
	Groups  []string
	State   State
	Shared  State

	// Hidden: the entry only records a request of the contact's, or that a group
	// lets the contact see the owner; the owner never put it into the roster, and
	// clients must not see it.
	Hidden bool

	// Noted: the owner gave a contact of a shared group another name or other
	// groups, and never added it. It is shown only while a group shows it.
	Noted bool

	// Left are the titles of shared groups that the owner took the contact out of.
	Left []string

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
