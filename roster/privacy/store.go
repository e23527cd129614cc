package privacy

import (
	"context"
	"errors"

	"rollcall/xmpp/jid"
)

// Store keeps privacy lists. Errors pass through to whoever asked the [Book].
type Store interface {
	// LoadLists reads all lists of an account. Without such an account the error
	// is [roster.ErrNoAccount].
	LoadLists(ctx context.Context, owner jid.Bare) (Contents, error)

	// SaveLists makes one change, whole or not at all. When the lists are not at
	// u.Before any more the error is [ErrStale].
	SaveLists(ctx context.Context, owner jid.Bare, u Update) error
}

// Contents are an account's lists as a store has them.
type Contents struct {
	Version uint32 // 0 before the first change
	Default string // name of the default list, or ""
	Lists   []*List
}

// Update is one change for a store to make.
type Update struct {
	Before, After uint32 // versions
	Change
}

// ErrStale says that the lists were changed by somebody else meanwhile. The Book
// reads them again and repeats the change; nobody else gets to see this.
var ErrStale = errors.New("privacy: changed by somebody else")
