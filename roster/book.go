package roster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"rollcall/xmpp/jid"
)

// Book keeps rosters in memory and changes them.
//
// Reading is free of locks but for a short one that finds the roster; who reads
// often keeps a [Pin]. Changes of one owner's roster happen one after another:
// each is written to the store, then shown to readers, then handed to the
// caller's function, before the next one begins. So pushes that are sent from
// that function are in the order of modification, as RFC 6121 §2.6.3 demands.
// The function must not block, and must not call the Book.
//
// Rosters show what the [Directory] of shared groups says that was adopted last.
// Those who read see it at once. Whoever changes or reads a roster in its turn
// first has the difference told (see [Book.OnDifference]), so that what is pushed
// after it, and the version with it, are true.
type Book struct {
	store Store                                     // fixed
	cfg   Config                                    // fixed
	tell  func(owner jid.Bare, before, now *Roster) // fixed before use; or nil
	shelf shelf                                     // safe
	dir   atomic.Pointer[Directory]                 // safe

	mu   sync.Mutex
	past []*Directory // guarded by mu; the latest first; the slice is not changed
}

// NewBook returns a book that keeps its rosters in store. It knows of no groups.
func NewBook(store Store, cfg Config) *Book {
	b := &Book{store: store, cfg: cfg.WithDefaults()}
	b.shelf.init(b.cfg.CachedRosters)
	b.dir.Store(NewDirectory(nil, nil))
	return b
}

// Limits returns what an account may keep.
func (b *Book) Limits() Config { return b.cfg }

// Of returns an account's roster as it is now.
func (b *Book) Of(ctx context.Context, owner jid.Bare) (*Roster, error) {
	if h := b.shelf.peek(owner); h != nil {
		if r := h.fresh(); r != nil {
			return b.bound(h, r), nil
		}
	}
	h := b.shelf.take(owner)
	defer b.shelf.give(h)
	if err := h.lock(ctx); err != nil {
		return nil, err
	}
	defer h.unlock()
	return b.load(ctx, h)
}

// Read calls then with an account's roster while no change is under way: what
// then sends comes before the push of every later change.
func (b *Book) Read(ctx context.Context, owner jid.Bare, then func(*Roster)) error {
	h := b.shelf.take(owner)
	defer b.shelf.give(h)
	if err := h.lock(ctx); err != nil {
		return err
	}
	defer h.unlock()
	r, err := b.load(ctx, h)
	if err != nil {
		return err
	}
	then(r)
	return nil
}

// Pin holds an account's roster in memory until it is released: sessions do so
// while they are online.
type Pin struct {
	book *Book
	held *held
}

// Pin loads an account's roster and holds it in memory.
func (b *Book) Pin(ctx context.Context, owner jid.Bare) (*Pin, error) {
	h := b.shelf.take(owner)
	err := h.lock(ctx)
	if err == nil {
		_, err = b.load(ctx, h)
		h.unlock()
	}
	if err != nil {
		b.shelf.give(h)
		return nil, err
	}
	return &Pin{book: b, held: h}, nil
}

// Roster returns the roster as it is now. It takes no lock.
func (p *Pin) Roster() *Roster { return p.book.bound(p.held, p.held.now.Load()) }

// Release lets the roster go. Call it once; Roster still works, but may miss
// later changes.
func (p *Pin) Release() { p.book.shelf.give(p.held) }

// Forget has an account's roster read again before it is next used: the account
// is gone, or its roster was changed behind the book's back. Pins see the old
// one until then.
func (b *Book) Forget(owner jid.Bare) { b.shelf.forget(owner) }

// Set adds an item or updates its name and groups (RFC 6121 §2.3, §2.4).
func (b *Book) Set(ctx context.Context, owner jid.Bare, e Edit, then func(Result)) (Result, error) {
	if err := b.cfg.Check(owner, e); err != nil {
		return Result{}, err
	}
	return b.change(ctx, owner, then, func(r *Roster) (step, error) { return b.cfg.decideSet(r, e) })
}

// Remove takes an item out of the roster (RFC 6121 §2.5).
func (b *Book) Remove(ctx context.Context, owner, contact jid.Bare, then func(Result)) (Result, error) {
	return b.change(ctx, owner, then, func(r *Roster) (step, error) { return b.cfg.decideRemove(r, contact) })
}

// Outbound applies a subscription stanza that the owner sent to the contact.
func (b *Book) Outbound(ctx context.Context, owner, contact jid.Bare, e Event, then func(Result)) (Result, error) {
	if owner == contact {
		return Result{}, nil // everybody sees their own presence: RFC 6121 §4.2.2
	}
	return b.change(ctx, owner, then, func(r *Roster) (step, error) {
		return b.cfg.decideEvent(r, contact, nil, func(own, shared State) Outcome { return own.OutboundShared(shared, e) })
	})
}

// Inbound applies a subscription stanza that the contact sent to the owner.
// The request is the stanza as the owner is to get it; it is kept when it has
// to wait for an answer.
func (b *Book) Inbound(ctx context.Context, owner, contact jid.Bare, e Event, request []byte, then func(Result)) (Result, error) {
	if owner == contact {
		return Result{}, nil
	}
	return b.change(ctx, owner, then, func(r *Roster) (step, error) {
		return b.cfg.decideEvent(r, contact, request, func(own, shared State) Outcome { return own.InboundShared(shared, e) })
	})
}

// retries bounds how often a change is decided anew when somebody else, such as
// another node, changed the same roster meanwhile.
const retries = 5

func (b *Book) change(ctx context.Context, owner jid.Bare, then func(Result), decide func(*Roster) (step, error)) (Result, error) {
	h := b.shelf.take(owner)
	defer b.shelf.give(h)
	if err := h.lock(ctx); err != nil {
		return Result{}, err
	}
	defer h.unlock()
	for n := 0; ; n++ {
		res, err := b.try(ctx, h, decide)
		if errors.Is(err, ErrStale) && n < retries {
			continue
		}
		if err != nil {
			return Result{}, err
		}
		if then != nil {
			then(res)
		}
		return res, nil
	}
}

// try makes one attempt at a change. The caller holds h's lock.
func (b *Book) try(ctx context.Context, h *held, decide func(*Roster) (step, error)) (Result, error) {
	r, err := b.load(ctx, h)
	if err != nil {
		return Result{}, err
	}
	s, err := decide(r)
	if err != nil || s.update == nil {
		return s.result, err
	}
	if err := b.store.SaveRoster(ctx, h.owner, *s.update); err != nil {
		// It may have been written nevertheless: a connection can break after
		// the commit. So the next one to look reads it again.
		h.stale.Store(true)
		return Result{}, fmt.Errorf("roster: change %s in the roster of %s: %w", s.update.Contact, h.owner, err)
	}
	h.now.Store(r.with(*s.update, s.after))
	return s.result, nil
}

// load returns the roster, from the store if need be, with what groups say to
// its owner. If they say something else than before, that is told first. The
// caller holds h's lock.
func (b *Book) load(ctx context.Context, h *held) (*Roster, error) {
	r := h.fresh()
	if r == nil {
		var err error
		if r, err = b.read(ctx, h); err != nil {
			return nil, err
		}
	}
	r = b.bound(h, r)
	if before := h.told; before != r.dir {
		h.told = r.dir
		if before != nil && b.tell != nil {
			b.tell(h.owner, r.bind(h.owner, before), r)
		}
	}
	return r, nil
}

// read reads the roster from the store. The caller holds h's lock.
func (b *Book) read(ctx context.Context, h *held) (*Roster, error) {
	// Before reading, so that a Forget meanwhile is not lost.
	h.stale.Store(false)
	c, err := b.store.LoadRoster(ctx, h.owner)
	if err != nil {
		h.stale.Store(true)
		// If the account was removed, those who pin its roster go on seeing it until
		// they end: whom it names is still to be told.
		return nil, fmt.Errorf("roster: load the roster of %s: %w", h.owner, err)
	}
	r := New(c).bind(h.owner, b.dir.Load())
	h.now.Store(r)
	return r, nil
}
