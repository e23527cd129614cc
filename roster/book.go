package roster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"rollcall/roster/internal/shelf"
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
	shelf shelf.Shelf[Roster, *Directory]           // safe; a note is what the owner's clients have been told of, or nil
	dir   atomic.Pointer[Directory]                 // safe

	mu   sync.Mutex
	past []*Directory // guarded by mu; the latest first; the slice is not changed
}

// NewBook returns a book that keeps its rosters in store. It knows of no groups.
func NewBook(store Store, cfg Config) *Book {
	b := &Book{store: store, cfg: cfg.WithDefaults()}
	b.shelf.Init(b.cfg.CachedRosters, nil, 0)
	b.dir.Store(NewDirectory(nil, nil))
	return b
}

// Limits returns what an account may keep.
func (b *Book) Limits() Config { return b.cfg }

// held is where an owner's roster is in memory.
type held = shelf.Place[Roster, *Directory]

// Of returns an account's roster as it is now.
func (b *Book) Of(ctx context.Context, owner jid.Bare) (*Roster, error) {
	if p, r := b.shelf.Peek(owner); r != nil {
		return b.bound(p, r), nil
	}
	var now *Roster
	err := b.Read(ctx, owner, func(r *Roster) { now = r })
	return now, err
}

// Read calls then with an account's roster while no change is under way: what
// then sends comes before the push of every later change.
func (b *Book) Read(ctx context.Context, owner jid.Bare, then func(*Roster)) error {
	return b.shelf.Turn(ctx, owner, func(p *held) error {
		r, err := b.load(ctx, p)
		if err == nil {
			then(r)
		}
		return err
	})
}

// Pin holds an account's roster in memory until it is released: sessions do so
// while they are online.
type Pin struct {
	book *Book
	held *held
}

// Pin loads an account's roster and holds it in memory.
func (b *Book) Pin(ctx context.Context, owner jid.Bare) (*Pin, error) {
	p := b.shelf.Take(owner)
	err := b.shelf.Lock(ctx, p)
	if err == nil {
		_, err = b.load(ctx, p)
		b.shelf.Unlock(p)
	}
	if err != nil {
		b.shelf.Give(p)
		return nil, err
	}
	return &Pin{book: b, held: p}, nil
}

// Roster returns the roster as it is now. It takes no lock.
func (p *Pin) Roster() *Roster { return p.book.bound(p.held, p.held.Last()) }

// Release lets the roster go. Call it once; Roster still works, but may miss
// later changes.
func (p *Pin) Release() { p.book.shelf.Give(p.held) }

// Forget has an account's roster read again before it is next used: the account
// is gone, or its roster was changed behind the book's back. Pins see the old
// one until then.
func (b *Book) Forget(owner jid.Bare) { b.shelf.Forget(owner) }

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

func (b *Book) change(ctx context.Context, owner jid.Bare, then func(Result), decide func(*Roster) (step, error)) (res Result, err error) {
	err = b.shelf.Turn(ctx, owner, func(p *held) (err error) {
		for n := 0; ; n++ {
			res, err = b.try(ctx, p, decide)
			if !errors.Is(err, ErrStale) || n == retries {
				break
			}
		}
		if err == nil && then != nil {
			then(res)
		}
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return res, nil
}

// try makes one attempt at a change. The caller has p's turn.
func (b *Book) try(ctx context.Context, p *held, decide func(*Roster) (step, error)) (Result, error) {
	r, err := b.load(ctx, p)
	if err != nil {
		return Result{}, err
	}
	s, err := decide(r)
	if err != nil || s.update == nil {
		return s.result, err
	}
	if err := b.store.SaveRoster(ctx, p.Owner, *s.update); err != nil {
		// It may have been written nevertheless: a connection can break after
		// the commit. So the next one to look reads it again.
		b.shelf.Doubt(p)
		return Result{}, fmt.Errorf("roster: change %s in the roster of %s: %w", s.update.Contact, p.Owner, err)
	}
	b.shelf.Set(p, r.with(*s.update, s.after))
	return s.result, nil
}

// load returns the roster, from the store if need be, with what groups say to
// its owner. If they say something else than before, that is told first. The
// caller has p's turn.
func (b *Book) load(ctx context.Context, p *held) (*Roster, error) {
	r := p.Fresh()
	if r == nil {
		var err error
		if r, err = b.read(ctx, p); err != nil {
			return nil, err
		}
	}
	r = b.bound(p, r)
	if before := p.Note; before != r.dir {
		p.Note = r.dir
		if before != nil && b.tell != nil {
			b.tell(p.Owner, r.bind(p.Owner, before), r)
		}
	}
	return r, nil
}

// read reads the roster from the store. The caller has p's turn.
func (b *Book) read(ctx context.Context, p *held) (*Roster, error) {
	p.Trust()
	c, err := b.store.LoadRoster(ctx, p.Owner)
	if err != nil {
		// If the account was removed, those who pin its roster go on seeing it until
		// they end: whom it names is still to be told.
		b.shelf.Doubt(p)
		return nil, fmt.Errorf("roster: load the roster of %s: %w", p.Owner, err)
	}
	r := New(c)
	r.look(p.Owner, b.dir.Load())
	b.shelf.Set(p, r)
	return r, nil
}
