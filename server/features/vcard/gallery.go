package vcard

import (
	"context"
	"sync"

	"rollcall/server"
	"rollcall/xmpp/jid"
)

// avatar is the picture of an account that is connected, unless it is known never
// to have had a vCard.
type avatar struct {
	account int64 // fixed
	users   int   // sessions and calls that hold it; guarded by gallery.mu

	mu     sync.Mutex // guards all below; held while the store is asked; taken before gallery.mu
	loaded bool
	known  picture
}

// gallery has the pictures of those who are connected.
type gallery struct {
	mu   sync.Mutex
	all  map[jid.Bare]*avatar
	none map[int64]struct{} // accounts that never had a vCard and are connected, or about to be
	era  uint64             // counts what may have become of that
}

// maxNone bounds how many accounts are remembered that have no vCard. The others
// are looked up for each presence.
const maxNone = 100_000

// open returns an account's picture, to be closed.
func (g *gallery) open(a *server.Account) *avatar {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hold(a)
}

// openUnlessNone is open for somebody who may be known to have none: then it
// returns nil.
func (g *gallery) openUnlessNone(a *server.Account) *avatar {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, none := g.none[a.ID]; none {
		return nil
	}
	return g.hold(a)
}

func (g *gallery) hold(owner *server.Account) *avatar {
	a := g.all[owner.JID]
	if a == nil {
		a = &avatar{account: owner.ID}
		if g.all == nil {
			g.all = map[jid.Bare]*avatar{}
		}
		g.all[owner.JID] = a
	}
	a.users++
	return a
}

func (g *gallery) close(owner jid.Bare, a *avatar) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.users--; a.users == 0 && g.all[owner] == a {
		delete(g.all, owner)
	}
}

// leave lets go of what is known of an account whose last session has ended.
func (g *gallery) leave(account int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.none, account)
}

// forget forgets that an account never had a vCard, since it may have one now, and
// reports whether that was known.
func (g *gallery) forget(account int64) (known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, known = g.none[account]
	delete(g.none, account)
	g.era++
	return known
}

// Era is for whoever is about to look into the store for Seen.
func (f *Feature) Era() uint64 {
	f.gallery.mu.Lock()
	defer f.gallery.mu.Unlock()
	return f.gallery.era
}

// Seen tells whether the store has a vCard of an account, or had one, so that it is
// not asked for a picture of somebody who logs in and has none. Somebody has looked
// after asking for the era; what has happened since counts more.
func (f *Feature) Seen(account int64, kept bool, era uint64) {
	f.gallery.mu.Lock()
	defer f.gallery.mu.Unlock()
	switch {
	case kept:
		delete(f.gallery.none, account)
	case era == f.gallery.era && len(f.gallery.none) < maxNone:
		if f.gallery.none == nil {
			f.gallery.none = map[int64]struct{}{}
		}
		f.gallery.none[account] = struct{}{}
	}
}

// now returns what is known, and asks the store the first time.
func (a *avatar) now(ctx context.Context, f *Feature) (picture, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.loaded {
		era := f.Era()
		hash, kept, err := f.store.Photo(ctx, a.account)
		if err != nil {
			return picture{}, err
		}
		a.known, a.loaded = picture{kept, hash}, true
		f.Seen(a.account, kept, era)
	}
	return a.known, nil
}

// change has the vCard changed, and reports whether that changes the picture
// that somebody has been told of, and what that was. Whoever asks meanwhile waits, so that nobody
// is told of the old one afterwards.
func (a *avatar) change(ctx context.Context, to picture, f *Feature, save func() error) (was string, changed bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f.gallery.forget(a.account) {
		a.known, a.loaded = picture{}, true
	}
	if !a.loaded { // those who are connected have said what the store has
		hash, kept, err := f.store.Photo(ctx, a.account)
		if err != nil {
			return "", false, err
		}
		a.known, a.loaded = picture{kept, hash}, true
	}
	err = save()
	// Somebody who logs in may have looked meanwhile.
	f.gallery.forget(a.account)
	if err != nil {
		a.loaded = false // it may be saved, and only word of that be lost
		return "", false, err
	}
	was = a.known.hash
	a.known, a.loaded = to, true
	return was, was != to.hash, nil // a first vCard without one is no news
}
