package privacy

import (
	"context"
	"errors"
	"fmt"

	"rollcall/xmpp/jid"
)

// Book keeps privacy lists in memory and changes them. That somebody has none is
// kept as well.
//
// Changes of one owner's lists happen one after another: each is written to the
// store, then shown to readers, then handed to the caller's function, before the
// next one begins. The function must not ask the Book about that owner.
type Book struct {
	store Store  // fixed
	cfg   Config // fixed
	shelf shelf  // safe
}

// NewBook returns a book that keeps its lists in store.
func NewBook(store Store, cfg Config) *Book {
	b := &Book{store: store, cfg: cfg.WithDefaults()}
	b.shelf.init(b.cfg.CachedAccounts)
	return b
}

// Limits returns what an account may keep.
func (b *Book) Limits() Config { return b.cfg }

// Of returns an account's lists as they are now.
func (b *Book) Of(ctx context.Context, owner jid.Bare) (*Lists, error) {
	if l := b.shelf.peek(owner); l != nil {
		return l, nil
	}
	var lists *Lists
	err := b.Read(ctx, owner, func(l *Lists) { lists = l })
	return lists, err
}

// Read calls then with an account's lists while no change is under way: what
// then does comes before whatever follows from a later change.
func (b *Book) Read(ctx context.Context, owner jid.Bare, then func(*Lists)) error {
	h := b.shelf.take(owner)
	defer b.shelf.give(h)
	if err := h.lock(ctx); err != nil {
		return err
	}
	defer h.unlock()
	l, err := b.load(ctx, h)
	if err != nil {
		return err
	}
	then(l)
	return nil
}

// Forget has an account's lists read again before they are next used: the
// account is gone.
func (b *Book) Forget(owner jid.Bare) { b.shelf.forget(owner) }

// retries bounds how often a change is decided anew when somebody else, such as
// another node, changed the same lists meanwhile.
const retries = 5

// Change makes the change that decide wants, and calls then with the lists
// before and after. A change that changes nothing is made as well.
func (b *Book) Change(ctx context.Context, owner jid.Bare, decide func(*Lists) (Change, error), then func(before, after *Lists)) error {
	h := b.shelf.take(owner)
	defer b.shelf.give(h)
	if err := h.lock(ctx); err != nil {
		return err
	}
	defer h.unlock()
	for n := 0; ; n++ {
		before, after, err := b.try(ctx, h, decide)
		if errors.Is(err, ErrStale) && n < retries {
			continue
		}
		if err != nil {
			return err
		}
		then(before, after)
		return nil
	}
}

// try makes one attempt at a change. The caller holds h's lock.
func (b *Book) try(ctx context.Context, h *held, decide func(*Lists) (Change, error)) (before, after *Lists, err error) {
	if before, err = b.load(ctx, h); err != nil {
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
	if err := b.store.SaveLists(ctx, h.owner, u); err != nil {
		// It may have been written nevertheless: a connection can break after
		// the commit. So the next one to look reads it again.
		h.now.Store(nil)
		return nil, nil, fmt.Errorf("privacy: change the lists of %s: %w", h.owner, err)
	}
	h.now.Store(after)
	return before, after, nil
}

// load returns the lists, from the store if need be. The caller holds h's lock.
func (b *Book) load(ctx context.Context, h *held) (*Lists, error) {
	if l := h.now.Load(); l != nil {
		return l, nil
	}
	era := h.era.Load() // before reading, so that a Forget meanwhile is not lost
	c, err := b.store.LoadLists(ctx, h.owner)
	if err != nil {
		return nil, fmt.Errorf("privacy: load the lists of %s: %w", h.owner, err)
	}
	l := &none
	if c.Version > 0 {
		l = New(c)
	}
	h.now.Store(l)
	if h.era.Load() != era {
		h.now.Store(nil)
	}
	return l, nil
}

// none is what most people have.
var none Lists
