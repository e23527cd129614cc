package directory

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"rollcall/xmpp/jid"
)

// ErrWrong is the error of a [Source] that was asked and says no: there is nobody
// of that name, or the password is another. It never says which.
var ErrWrong = errors.New("the directory knows no such name and password")

// Source is a directory. It is safe for concurrent use, and no call lasts longer
// than it was configured to.
type Source interface {
	// Read returns all that is in it, or an error: never a part.
	Read(ctx context.Context) (*Snapshot, error)

	// Check returns the person of that localpart if the password is theirs. The
	// error is ErrWrong, or says that the directory cannot tell.
	Check(ctx context.Context, local, password string) (Person, error)

	// Feign does what Check does for a name that is nobody's, and takes as long.
	// The error says that the directory cannot be asked.
	Feign(ctx context.Context, local string) error
}

// Store keeps accounts.
type Store interface {
	// Accounts returns all at a domain, ours and theirs.
	Accounts(ctx context.Context, domain string) ([]Account, error)
	// Account returns one.
	Account(ctx context.Context, who jid.Bare) (a Account, found bool, err error)
	// Save makes the changes but for Remove. What is not as Decide found it any
	// more is left as it is.
	Save(ctx context.Context, domain string, c *Changes, now time.Time) error
}

// Server is the server whose accounts they are.
type Server interface {
	// Added hears of accounts that were made.
	Added(ctx context.Context, all ...jid.Bare)
	// End cuts off all sessions of an account that must not be used any more.
	End(who jid.Bare)
	// Remove removes an account with all that is its own, and cuts off its sessions.
	Remove(ctx context.Context, who jid.Bare) error
}

// Groups takes the groups of the directory.
type Groups interface {
	// SetGroups replaces all groups that came from the directory by these.
	SetGroups(ctx context.Context, groups []Group) error
}

// Parts are what a Directory works with.
type Parts struct {
	Source Source
	Store  Store
	Server Server
	Groups Groups // nil: nobody wants them
	Log    *slog.Logger
}

// Directory keeps the accounts at one domain in line with a directory, and
// checks the passwords of its people. It is safe for concurrent use.
type Directory struct {
	// Fixed.
	cfg Config
	Parts

	// Safe.
	memory memory
	turn   chan struct{} // holds a token while it is read
	kick   chan struct{}
	away   atomic.Bool // the last who asked it got no answer

	grievances string // what was complained of last; owned by who has the turn
}

// New returns a directory. It starts nothing.
func New(c Config, p Parts) *Directory {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	return &Directory{
		cfg: c, Parts: p, memory: memory{lasts: c.RememberFor},
		turn: make(chan struct{}, 1), kick: make(chan struct{}, 1),
	}
}

// Config returns how the accounts follow the directory.
func (d *Directory) Config() Config { return d.cfg }

// answered notes whether the directory could be asked. It complains once, and
// says when that is over.
func (d *Directory) answered(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return // whoever asked did not wait for the answer
	}
	switch away := err != nil; {
	case d.away.Swap(away) == away:
	case away:
		d.Log.Error("the directory cannot be asked: its people cannot log in", "err", err)
	default:
		d.Log.Info("the directory answers again")
	}
}
