// Package keep stores things behind the backs of those who change them.
//
// What changes often is written once for many changes: only what a thing is in the
// end matters. Some changes are to be stored soon; the others may wait, so that a
// thing that is only prolonged again and again is written once in that time.
package keep

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Config says how things are stored.
type Config[K comparable, V any] struct {
	// Save stores what things are now, all or nothing. Things that are gone have a
	// nil value. It is called by one goroutine, for at most [MaxBatch] things.
	Save func(ctx context.Context, changes []Change[K, V]) error

	// Soon is how long a change waits for others; 0 is 50 ms. Lazy is how long one may
	// wait that is not urgent; 0 is 5 s.
	Soon, Lazy time.Duration

	// Log is told when storing fails and when it works again. What are the things,
	// for that: "bindings".
	Log  *slog.Logger
	What string
}

// MaxBatch is how many things are stored at once.
const MaxBatch = 512

// Change is what a thing is now.
type Change[K comparable, V any] struct {
	Key   K
	Value *V // nil: it is gone
}

// Keeper stores things. It is safe for use by many goroutines; [Keeper.Run] does the
// work.
type Keeper[K comparable, V any] struct {
	cfg  Config[K, V]  // fixed
	wake chan struct{} // holds a token if there is something new to wait for

	failing bool // of the goroutine that runs it

	mu   sync.Mutex // guards the fields below
	soon map[K]*V
	lazy map[K]*V
}

// New returns a keeper.
func New[K comparable, V any](cfg Config[K, V]) *Keeper[K, V] {
	if cfg.Soon <= 0 {
		cfg.Soon = 50 * time.Millisecond
	}
	if cfg.Lazy <= 0 {
		cfg.Lazy = 5 * time.Second
	}
	return &Keeper[K, V]{cfg: cfg, wake: make(chan struct{}, 1), soon: map[K]*V{}, lazy: map[K]*V{}}
}

// Put says what a thing is now. It must not be changed any more.
func (k *Keeper[K, V]) Put(key K, value *V, urgent bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, already := k.soon[key]; already || urgent {
		delete(k.lazy, key)
		k.soon[key] = value
		if !already && len(k.soon) == 1 {
			k.signal()
		}
		return
	}
	k.lazy[key] = value
	if len(k.lazy) == 1 {
		k.signal()
	}
}

// Drop says that a thing is gone.
func (k *Keeper[K, V]) Drop(key K) { k.Put(key, nil, true) }

func (k *Keeper[K, V]) signal() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run stores things until the context ends, and then what is left. It returns when
// that is done, or could not be.
func (k *Keeper[K, V]) Run(ctx context.Context) {
	var soon, lazy <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			k.last(context.WithoutCancel(ctx))
			return
		case <-k.wake:
			hasSoon, hasLazy := k.waiting()
			if hasSoon && soon == nil {
				soon = time.After(k.cfg.Soon)
			}
			if hasLazy && lazy == nil {
				lazy = time.After(k.cfg.Lazy)
			}
			continue
		case <-soon:
			soon = nil
			if !k.flush(ctx, false) {
				soon = time.After(k.patience())
			}
		case <-lazy:
			lazy = nil
			if !k.flush(ctx, true) {
				lazy = time.After(k.patience())
			}
		}
	}
}

// patience is how long to wait after a failure.
func (k *Keeper[K, V]) patience() time.Duration { return max(k.cfg.Soon, time.Second) }

// lastFor bounds what is done at the end.
const lastFor = 10 * time.Second

func (k *Keeper[K, V]) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastFor)
	defer cancel()
	k.flush(ctx, true)
}

func (k *Keeper[K, V]) waiting() (soon, lazy bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.soon) > 0, len(k.lazy) > 0
}

// Flush stores everything that waits at once, and says whether it could. It is for
// when nobody runs the keeper.
func (k *Keeper[K, V]) Flush(ctx context.Context) bool { return k.flush(ctx, true) }

// flush stores what waits, and says whether it could.
func (k *Keeper[K, V]) flush(ctx context.Context, all bool) bool {
	for {
		batch := k.take(all)
		if len(batch) == 0 {
			return true
		}
		err := k.cfg.Save(ctx, batch)
		if err != nil && errors.Is(ctx.Err(), context.Canceled) {
			k.putBack(batch) // we stop, which is no fault: it is stored with the rest
			return false
		}
		k.report(err)
		if err != nil {
			k.putBack(batch)
			return false
		}
		if len(batch) < MaxBatch {
			return true
		}
	}
}

// report logs when storing begins to fail, and when it works again.
func (k *Keeper[K, V]) report(err error) {
	if (err != nil) == k.failing {
		return
	}
	k.failing = err != nil
	if k.failing {
		k.cfg.Log.Error("nothing can be stored at the moment; it is tried again", "what", k.cfg.What, "err", err)
		return
	}
	k.cfg.Log.Info("storing works again", "what", k.cfg.What)
}

// take takes out what is stored next.
func (k *Keeper[K, V]) take(all bool) []Change[K, V] {
	k.mu.Lock()
	defer k.mu.Unlock()
	sources := []*map[K]*V{&k.soon}
	if all {
		sources = append(sources, &k.lazy)
	}
	var batch []Change[K, V]
	for _, from := range sources {
		for key, value := range *from {
			if len(batch) == MaxBatch {
				return batch
			}
			batch = append(batch, Change[K, V]{key, value})
			delete(*from, key)
		}
		// A map keeps the room that it once had.
		*from = make(map[K]*V)
	}
	return batch
}

// putBack makes what could not be stored wait again, but for what has changed since.
func (k *Keeper[K, V]) putBack(batch []Change[K, V]) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range batch {
		if newer, found := k.lazy[c.Key]; found {
			delete(k.lazy, c.Key)
			c.Value = newer
		}
		if _, newer := k.soon[c.Key]; !newer {
			k.soon[c.Key] = c.Value
		}
	}
}
