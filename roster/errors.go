package roster

import (
	"errors"

	"rollcall/xmpp/stanza"
)

// ErrNoAccount says that the owner of a roster does not exist. To the owner's
// peers that is service-unavailable or silence: RFC 6121 §8.5.1 says which.
var ErrNoAccount = errors.New("roster: no such account")

// ErrStale says that a roster was changed by somebody else meanwhile. The Book
// reads it again and repeats the change; nobody else gets to see this.
var ErrStale = errors.New("roster: changed by somebody else")

var errNotInRoster = stanza.Refuse(stanza.ErrItemNotFound, "the contact is not in the roster")
