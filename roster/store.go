package roster

import (
	"context"

	"rollcall/xmpp/jid"
)

// Store keeps rosters. Errors pass through to whoever asked the [Book].
type Store interface {
	// LoadRoster reads an account's roster. Without such an account the error
	// is [ErrNoAccount].
	LoadRoster(ctx context.Context, owner jid.Bare) (Contents, error)

	// SaveRoster makes one change, whole or not at all. When the roster is not
	// at u.Before any more the error is [ErrStale].
	SaveRoster(ctx context.Context, owner jid.Bare, u Update) error
}

// Contents is a roster as a store has it.
type Contents struct {
	Epoch   int64  // differs for each life of the account
	Version uint32 // 0 before the first change
	Floor   uint32 // tombstones up to this version have been forgotten
	Items   []Item
	Gone    []Tombstone
}

// Tombstone remembers a removed item for roster versioning.
type Tombstone struct {
	Contact jid.Bare
	Version uint32
}

// Update is one change for a store to make.
type Update struct {
	Contact       jid.Bare
	Before, After uint32 // versions; the same when clients see no difference
	Floor         uint32 // forget tombstones up to this version

	Item        *Item  // write this as the contact's item, and forget its tombstone
	Remove      bool   // remove the contact's item and leave a tombstone
	Request     []byte // keep this request of the contact's
	DropRequest bool   // forget the contact's request
}
