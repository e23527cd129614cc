package privacy

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Lists are all the lists of one account at one moment. They are never changed;
// the zero value is that of somebody without any.
type Lists struct {
	Default string // the name of the default list; "" if there is none
	All     []*Rules
}

// Find returns the list of that name, or nil.
func (ls *Lists) Find(name string) *Rules {
	for _, r := range ls.All {
		if r.list.Name == name {
			return r
		}
	}
	return nil
}

// DefaultRules returns those of the default list, or nil.
func (ls *Lists) DefaultRules() *Rules {
	if ls.Default == "" {
		return nil
	}
	return ls.Find(ls.Default)
}

// with returns the lists after a change of one: nil takes it away.
func (ls *Lists) with(name string, r *Rules) *Lists {
	out := &Lists{Default: ls.Default, All: slices.Clone(ls.All)}
	i := slices.IndexFunc(out.All, func(x *Rules) bool { return x.list.Name == name })
	switch {
	case r != nil && i >= 0:
		out.All[i] = r
	case r != nil:
		out.All = append(out.All, r)
		slices.SortFunc(out.All, func(a, b *Rules) int { return strings.Compare(a.list.Name, b.list.Name) })
	case i >= 0:
		out.All = slices.Delete(out.All, i, i+1)
		if out.Default == name {
			out.Default = ""
		}
	}
	return out
}

// Stored is what a store keeps of an account.
type Stored struct {
	Default string
	Lists   []List
}

// Store keeps privacy lists. What it is given was checked.
type Store interface {
	LoadLists(ctx context.Context, owner jid.Bare) (Stored, error)
	// SaveLists keeps these and no others.
	SaveLists(ctx context.Context, owner jid.Bare, s Stored) error
}

// Book keeps lists in memory and changes them. Changes of one account's lists
// happen one after another; each is stored, and then handed to the caller's
// function before the next one begins.
type Book struct {
	store Store  // fixed
	cfg   Config // fixed

	mu     sync.Mutex // guards what follows
	places map[jid.Bare]*place
	idle   list.List // of *place, the latest used in front
}

// place is where an account's lists are.
type place struct {
	owner jid.Bare
	turn  chan struct{} // holds a token while the lists are read or changed
	now   *Lists        // guarded by Book.mu; nil if they have to be read
	users int           // guarded by Book.mu
	at    *list.Element // guarded by Book.mu
}

// NewBook returns a book that keeps its lists in store.
func NewBook(store Store, cfg Config) *Book {
	return &Book{store: store, cfg: cfg.WithDefaults(), places: map[jid.Bare]*place{}}
}

// Of returns an account's lists as they are now.
func (b *Book) Of(ctx context.Context, owner jid.Bare) (*Lists, error) {
	if now := b.peek(owner); now != nil {
		return now, nil
	}
	p := b.take(owner)
	defer b.give(p)
	if err := p.lock(ctx); err != nil {
		return nil, err
	}
	defer p.unlock()
	return b.load(ctx, p)
}

// peek returns lists that are in memory, or nil.
func (b *Book) peek(owner jid.Bare) *Lists {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.places[owner]
	if p == nil {
		return nil
	}
	if p.at != nil {
		b.idle.MoveToFront(p.at)
	}
	return p.now
}

func (p *place) lock(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *place) unlock() { <-p.turn }

// take returns the owner's place and holds it until give.
func (b *Book) take(owner jid.Bare) *place {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.places[owner]
	if p == nil {
		p = &place{owner: owner, turn: make(chan struct{}, 1)}
		b.places[owner] = p
	}
	if p.at != nil {
		b.idle.Remove(p.at)
		p.at = nil
	}
	p.users++
	return p
}

func (b *Book) give(p *place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.users--; p.users > 0 || b.places[p.owner] != p {
		return
	}
	if p.now == nil {
		delete(b.places, p.owner)
		return
	}
	p.at = b.idle.PushFront(p)
	for b.idle.Len() > b.cfg.Cached {
		last := b.idle.Remove(b.idle.Back()).(*place)
		delete(b.places, last.owner)
	}
}

// load returns the lists, from the store if need be. The caller holds p's lock.
func (b *Book) load(ctx context.Context, p *place) (*Lists, error) {
	b.mu.Lock()
	now := p.now
	b.mu.Unlock()
	if now != nil {
		return now, nil
	}
	s, err := b.store.LoadLists(ctx, p.owner)
	if err != nil {
		return nil, fmt.Errorf("privacy: load the lists of %s: %w", p.owner, err)
	}
	now = &Lists{Default: s.Default}
	for i := range s.Lists {
		now.All = append(now.All, Compile(&s.Lists[i]))
	}
	b.put(p, now)
	return now, nil
}

func (b *Book) put(p *place, now *Lists) {
	b.mu.Lock()
	p.now = now
	b.mu.Unlock()
}

// Forget has an account's lists read again before they are next used.
func (b *Book) Forget(owner jid.Bare) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.places[owner]; p != nil {
		p.now = nil
		if p.at != nil {
			b.idle.Remove(p.at)
			delete(b.places, owner)
		}
	}
}

// Change changes an account's lists. decide gets them as they are and returns
// what they are to be, or the same for no change; what it returns is stored and
// then handed to then, which must not call the Book.
func (b *Book) Change(ctx context.Context, owner jid.Bare, decide func(*Lists) (*Lists, error), then func(before, after *Lists)) error {
	p := b.take(owner)
	defer b.give(p)
	if err := p.lock(ctx); err != nil {
		return err
	}
	defer p.unlock()
	before, err := b.load(ctx, p)
	if err != nil {
		return err
	}
	after, err := decide(before)
	if err != nil {
		return err
	}
	if after != before {
		if err := b.store.SaveLists(ctx, owner, after.stored()); err != nil {
			b.put(p, nil) // it may have been written nevertheless
			return fmt.Errorf("privacy: change the lists of %s: %w", owner, err)
		}
		b.put(p, after)
	}
	then(before, after)
	return nil
}

func (ls *Lists) stored() Stored {
	s := Stored{Default: ls.Default}
	for _, r := range ls.All {
		s.Lists = append(s.Lists, *r.list)
	}
	return s
}

// Put returns the lists with one that was made or changed. The error is the
// stanza error of XEP-0016 §2.1.
func (b *Book) Put(ls *Lists, l List) (*Lists, error) {
	checked, err := b.cfg.Check(l)
	if err != nil {
		return nil, err
	}
	if ls.Find(checked.Name) == nil && len(ls.All) >= b.cfg.MaxLists {
		return nil, stanza.Refuse(stanza.ErrNotAcceptable, "there are at most %d lists", b.cfg.MaxLists)
	}
	return ls.with(checked.Name, Compile(&checked)), nil
}

// Remove returns the lists without one.
func (ls *Lists) Remove(name string) (*Lists, error) {
	if ls.Find(name) == nil {
		return nil, stanza.ErrItemNotFound // XEP-0016 §2.8
	}
	return ls.with(name, nil), nil
}

// SetDefault returns the lists with another default list; "" is none.
func (ls *Lists) SetDefault(name string) (*Lists, error) {
	if name != "" && ls.Find(name) == nil {
		return nil, stanza.ErrItemNotFound // XEP-0016 §2.5
	}
	if ls.Default == name {
		return ls, nil
	}
	return &Lists{Default: name, All: ls.All}, nil
}
