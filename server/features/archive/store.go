package archive

import (
	"context"
	"math"
	"strings"

	"rollcall/xmpp/jid"
)

// Message is a message in an archive.
type Message struct {
	ID       int64 // microseconds since 1970
	From, To string
	Stanza   []byte // with its addresses, in the default namespace of clients
}

// Filter chooses messages of an archive. The zero value chooses all.
type Filter struct {
	After, Before int64   // ids between these, exclusive; 0 is no bound
	With          jid.JID // the other side; a bare address stands for all of its resources
}

// Upper is Before with no bound spelled out.
func (f Filter) Upper() int64 {
	if f.Before == 0 {
		return math.MaxInt64
	}
	return f.Before
}

// Matches says whether the filter chooses a message of an account's archive.
// "With oneself" means from and to (XEP-0313 §4.1.1).
func (f Filter) Matches(m Message, owner jid.Bare) bool {
	switch {
	case m.ID <= f.After || m.ID >= f.Upper():
		return false
	case f.With.IsZero():
		return true
	case f.With.IsBare() && f.With.Bare() == owner:
		return f.is(m.From) && f.is(m.To)
	}
	return f.is(m.From) || f.is(m.To)
}

// is reports whether an address is, or belongs to, the one asked for.
func (f Filter) is(address string) bool {
	if f.With.IsBare() {
		address, _, _ = strings.Cut(address, "/")
	}
	return address == f.With.String()
}

// Cut says which of the chosen messages make the page.
type Cut struct {
	Backward bool // from the last one on
	Skip     int  // so many first
	Max      int  // at most so many messages
	Bytes    int  // about so many bytes, but one message at least; 0 is no bound
}

// Store keeps archives. An archive is named by the number of its account.
// All that was handed to the server's Keeper before a call is seen by it.
type Store interface {
	// Page returns a page in the order of its direction, and whether there is
	// more in that direction.
	Page(ctx context.Context, owner int64, f Filter, c Cut) (page []Message, more bool, err error)
	// Pick returns those of the ids that are in the archive, sorted.
	Pick(ctx context.Context, owner int64, ids []int64) ([]Message, error)
	// Count counts up to most messages.
	Count(ctx context.Context, owner int64, f Filter, most int) (int, error)
}

// Book keeps preferences.
type Book interface {
	// Prefs returns what SetPrefs kept; found is false if that was nothing.
	Prefs(ctx context.Context, account int64) (value string, found bool, err error)
	SetPrefs(ctx context.Context, account int64, value string) error
}

// Sweeper removes what is too old.
type Sweeper interface {
	// Sweep removes messages with ids below one from all archives, in small
	// transactions.
	Sweep(ctx context.Context, below int64) (removed int, err error)
}
