package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rollcall/xmpp/jid"
)

// remembered is how many directories are remembered besides the one in force, so
// that a client that comes back is told what has changed and not everything.
const remembered = 16

// OnDifference has tell called, in the roster's turn, when an owner's roster is
// another because of shared groups: before and now have the same own part. It is
// called once for each owner whose roster is in memory, and must not block, and
// must not call the Book but for [Book.Peek]. It is to be set before the Book is
// used.
func (b *Book) OnDifference(tell func(owner jid.Bare, before, now *Roster)) { b.tell = tell }

// Directory returns the shared groups that are in force.
func (b *Book) Directory() *Directory { return b.dir.Load() }

// Past returns directories that were in force before, the latest first.
func (b *Book) Past() []*Directory {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.past
}

// Adopt puts a directory in force. When it returns, all whose rosters are in
// memory have been told what is different for them; an error names those who
// could not be.
func (b *Book) Adopt(ctx context.Context, d *Directory) error {
	b.mu.Lock()
	before := b.dir.Load()
	b.past = slices.Concat([]*Directory{before}, b.past[:min(len(b.past), remembered-1)])
	b.dir.Store(d)
	b.mu.Unlock()
	before.retire()
	var failed []error
	for _, owner := range b.shelf.Owners() {
		if err := b.catchUp(ctx, owner); err != nil && !errors.Is(err, ErrNoAccount) && len(failed) < 10 {
			failed = append(failed, fmt.Errorf("tell %s of a change of groups: %w", owner, err))
		}
	}
	return errors.Join(failed...)
}

// catchUp has an owner told what groups have made different.
func (b *Book) catchUp(ctx context.Context, owner jid.Bare) error {
	return b.shelf.Turn(ctx, owner, func(p *held) error {
		if p.Last() == nil {
			return nil
		}
		_, err := b.load(ctx, p)
		return err
	})
}

// Peek returns an account's roster if it is in memory, or nil. It waits for
// nothing; like a pin it may miss what was changed behind the book's back.
func (b *Book) Peek(owner jid.Bare) *Roster {
	p, _ := b.shelf.Peek(owner)
	if p == nil {
		return nil
	}
	return b.bound(p, p.Last())
}

// Met returns whom an account begins or ceases to see by the change from one
// directory to the next one. Nobody is returned for one whose roster is not in
// memory.
func (b *Book) Met(owner jid.Bare, before, now *Directory) [][]jid.Bare {
	r := b.Peek(owner)
	if r == nil {
		return nil
	}
	_, met := r.bind(owner, now).Differs(r.bind(owner, before))
	return met
}

// bound returns a roster that was found in p, with what the groups say that are
// in force.
func (b *Book) bound(p *held, r *Roster) *Roster {
	for r != nil {
		d := b.dir.Load()
		if r.dir == d {
			return r
		}
		fresh := r.bind(p.Owner, d)
		if p.Replace(r, fresh) {
			return fresh
		}
		r = p.Last() // somebody was faster
	}
	return nil
}
