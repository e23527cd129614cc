// Package logins keeps when people last logged in, for those who run the server
// (XEP-0133 §4.9).
//
// A login is remembered when a resource is bound, and written a little later with
// those of others. A server that is killed forgets those of the last seconds.
package logins

import (
	"context"
	"maps"
	"sync"
	"time"

	"rollcall/server"
)

// Store keeps when accounts last logged in, by their numbers. One that is gone
// is passed over.
type Store interface {
	LoggedIn(ctx context.Context, when map[int64]time.Time) error
}

// every is how long a login may wait to be written.
const every = 5 * time.Second

// Feature notes logins.
type Feature struct {
	store Store          // fixed
	srv   *server.Server // fixed by Register

	mu      sync.Mutex // guards the fields below
	waiting map[int64]time.Time

	flush sync.Mutex // held by whoever writes
}

// New returns the feature.
func New(store Store) *Feature { return &Feature{store: store, waiting: map[int64]time.Time{}} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "logins",
		Title: "When people last logged in, for who runs the server",
		Specs: []server.Spec{{ID: "XEP-0133 §4.9"}},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	r.OnBound(func(s *server.Session) {
		if s.Account.ID == 0 {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waiting[s.Account.ID] = s.Began()
	})
}

// Run writes what waits now and then, and the rest when ctx is done.
func (f *Feature) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.write(ctx)
		case <-ctx.Done():
			f.write(context.WithoutCancel(ctx))
			return nil
		}
	}
}

func (f *Feature) write(ctx context.Context) {
	if err := f.Flush(ctx); err != nil && ctx.Err() == nil {
		f.srv.Log().Error("who logged in could not be kept", "err", err)
	}
}

// Flush writes what waits, so that who reads the store then sees all.
func (f *Feature) Flush(ctx context.Context) error {
	f.flush.Lock()
	defer f.flush.Unlock()
	all := f.take()
	if len(all) == 0 {
		return nil
	}
	err := f.store.LoggedIn(ctx, all)
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		maps.Copy(all, f.waiting) // those since are later
		f.waiting = all
	}
	return err
}

// take returns what waits, which is nobody else's then.
func (f *Feature) take() map[int64]time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) == 0 {
		return nil // and not the map that others write to
	}
	all := f.waiting
	f.waiting = map[int64]time.Time{}
	return all
}
