package privacy

import (
	"context"
	"errors"
	"fmt"

	"rollcall/roster/internal/shelf"
	"rollcall/xmpp/jid"
)

// Book keeps privacy lists in memory and changes them. That somebody has none is
// remembered as well, of many, since most people have none.
//
// Changes of one owner's lists happen one after another: each is written to the
// store, then shown to readers, then handed to the caller's function, before the
// next one begins. The function must not ask the Book about that owner.
type Book struct {
	store Store                        // fixed
	cfg   Config                       // fixed
	shelf shelf.Shelf[Lists, struct{}] // safe
}

// NewBook returns a book that keeps its lists in store.
func NewBook(store Store, cfg Config) *Book {
	b := &Book{store: store, cfg: cfg.WithDefaults()}
	b.shelf.Init(b.cfg.CachedAccounts, &none, b.cfg.CachedAccounts/4)
	return b
}

// Limits returns what an account may keep.
func (b *Book) Limits() Config { return b.cfg }

// held is where an owner's lists are in memory.
type held = shelf.Place[Lists, struct{}]

// Of returns an account's lists as they are now.
func (b *Book) Of(ctx context.Context, owner jid.Bare) (*Lists, error) {
	if _, l := b.shelf.Peek(owner); l != nil {
		return l, nil
	}
	var lists *Lists
	err := b.Read(ctx, owner, func(l *Lists) { lists = l })
	return lists, err
}

// Read calls then with an account's lists while no change is under way: what
// then does comes before whatever follows from a later change.
func (b *Book) Read(ctx context.Context, owner jid.Bare, then func(*Lists)) error {
	return b.shelf.Turn(ctx, owner, func(p *held) error {
		l, err := b.load(ctx, p)
		if err == nil {
			then(l)
		}
		return err
	})
}

// Forget has an account's lists read again before they are next used: the
// account is gone.
func (b *Book) Forget(owner jid.Bare) { b.shelf.Forget(owner) }

// Era is to be asked by who is about to find out whether an account has any lists,
// for None.
func (b *Book) Era(owner jid.Bare) uint64 { return b.shelf.Era(owner) }

// None tells the book that the store has no lists of an account, so that it need not
// ask: somebody has looked there after asking for the era. What has happened since
// counts more.
func (b *Book) None(owner jid.Bare, era uint64) { b.shelf.Common(owner, era) }

// retries bounds how often a change is decided anew when somebody else, such as
// another node, changed the same lists meanwhile.
const retries = 5

// Change makes the change that decide wants, and calls then with the lists
// before and after. A change that changes nothing is made as well.
func (b *Book) Change(ctx context.Context, owner jid.Bare, decide func(*Lists) (Change, error), then func(before, after *Lists)) error {
	return b.shelf.Turn(ctx, owner, func(p *held) error {
		for n := 0; ; n++ {
			before, after, err := b.try(ctx, p, decide)
			if errors.Is(err, ErrStale) && n < retries {
				continue
			}
			if err == nil {
				then(before, after)
			}
			return err
		}
	})
}

// try makes one attempt at a change. The caller has p's turn.
func (b *Book) try(ctx context.Context, p *held, decide func(*Lists) (Change, error)) (before, after *Lists, err error) {
	if before, err = b.load(ctx, p); err != nil {
		return nil, nil, err
	}
	c, err := decide(before)
	if err == nil {
		err = b.cfg.check(before, c)
	}
	if err != nil {
		return nil, nil, err
	}
	if c == before.nothing() {
		return before, before, nil
	}
	after = before.with(c)
	u := Update{Before: before.version, After: after.version, Change: c}
	if err := b.store.SaveLists(ctx, p.Owner, u); err != nil {
		// It may have been written nevertheless: a connection can break after
		// the commit. So the next one to look reads it again.
		b.shelf.Doubt(p)
		return nil, nil, fmt.Errorf("privacy: change the lists of %s: %w", p.Owner, err)
	}
	b.shelf.Set(p, after)
	return before, after, nil
}

// load returns the lists, from the store if need be. The caller has p's turn.
func (b *Book) load(ctx context.Context, p *held) (*Lists, error) {
	if l := p.Fresh(); l != nil {
		return l, nil
	}
	p.Trust()
	c, err := b.store.LoadLists(ctx, p.Owner)
	if err != nil {
		b.shelf.Doubt(p)
		return nil, fmt.Errorf("privacy: load the lists of %s: %w", p.Owner, err)
	}
	l := &none
	if c.Version > 0 {
		l = New(c)
	}
	b.shelf.Set(p, l)
	return l, nil
}

// none is what most people have.
var none Lists
