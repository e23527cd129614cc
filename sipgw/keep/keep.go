// Package keep stores things behind the backs of those who change them.
//
// What changes often is written once for many changes: only what a thing is in the
// end matters. Some changes are to be stored soon; the others may wait, so that a
// thing that is only prolonged again and again is written once in that time; the less
// it is prolonged each time, the longer.
package keep

import (
	"context"
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
	// wait that is not urgent; 0 is 5 s. Idle is how long one may wait that hardly
	// matters; 0 is a minute.
	Soon, Lazy, Idle time.Duration

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

	mu      sync.Mutex // guards the fields below
	waiting [urgencies]map[K]*V
}

// Urgency is how long a change may wait for others.
type Urgency uint8

// The urgencies, see [Config].
const (
	Soon Urgency = iota
	Lazy
	Idle
	urgencies
)

// If is Soon for what is urgent, and Lazy for what is not.
func If(urgent bool) Urgency {
	if urgent {
		return Soon
	}
	return Lazy
}

// New returns a keeper.
func New[K comparable, V any](cfg Config[K, V]) *Keeper[K, V] {
	if cfg.Soon <= 0 {
		cfg.Soon = 50 * time.Millisecond
	}
	if cfg.Lazy <= 0 {
		cfg.Lazy = 5 * time.Second
	}
	if cfg.Idle <= 0 {
		cfg.Idle = time.Minute
	}
	k := &Keeper[K, V]{cfg: cfg, wake: make(chan struct{}, 1)}
	for u := range k.waiting {
		k.waiting[u] = map[K]*V{}
	}
	return k
}

// Put says what a thing is now. It must not be changed any more. It is stored with what
// was urgent about it before.
func (k *Keeper[K, V]) Put(key K, value *V, u Urgency) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for before := range u {
		if _, already := k.waiting[before][key]; already {
			u = before
			break
		}
	}
	for later := u + 1; later < urgencies; later++ {
		delete(k.waiting[later], key)
	}
	k.waiting[u][key] = value
	if len(k.waiting[u]) == 1 {
		k.signal()
	}
}

// Drop says that a thing is gone.
func (k *Keeper[K, V]) Drop(key K) { k.Put(key, nil, Soon) }

func (k *Keeper[K, V]) signal() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// Run stores things until the context ends, and then what is left. It returns when
// that is done, or could not be.
func (k *Keeper[K, V]) Run(ctx context.Context) {
	var due [urgencies]<-chan time.Time
	after := [urgencies]time.Duration{k.cfg.Soon, k.cfg.Lazy, k.cfg.Idle}
	for {
		var u Urgency
		select {
		case <-ctx.Done():
			k.write(ctx, Idle)
			return
		case <-k.wake:
			for u, is := range k.waits() {
				if is && due[u] == nil {
					due[u] = time.After(after[u])
				}
			}
			continue
		case <-due[Soon]:
			u = Soon
		case <-due[Lazy]:
			u = Lazy
		case <-due[Idle]:
			u = Idle
		}
		if due[u] = nil; !k.write(ctx, u) {
			due[u] = time.After(k.patience())
		}
	}
}

// patience is how long to wait after a failure.
func (k *Keeper[K, V]) patience() time.Duration { return max(k.cfg.Soon, time.Second) }

// writeFor bounds one attempt to store what waits. It does not end with what runs the
// keeper: what has been begun then is not in vain.
const writeFor = 10 * time.Second

func (k *Keeper[K, V]) write(ctx context.Context, u Urgency) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeFor)
	defer cancel()
	return k.flush(ctx, u)
}

// waits says which urgencies there is something of.
func (k *Keeper[K, V]) waits() (is [urgencies]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for u := range k.waiting {
		is[u] = len(k.waiting[u]) > 0
	}
	return is
}

// Flush stores everything that waits at once, and says whether it could. It is for
// when nobody runs the keeper.
func (k *Keeper[K, V]) Flush(ctx context.Context) bool { return k.flush(ctx, Idle) }

// flush stores what waits and is so urgent or more, and says whether it could.
func (k *Keeper[K, V]) flush(ctx context.Context, u Urgency) bool {
	for {
		batch := k.take(u)
		if len(batch) == 0 {
			return true
		}
		err := k.cfg.Save(ctx, batch)
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
func (k *Keeper[K, V]) take(u Urgency) []Change[K, V] {
	k.mu.Lock()
	defer k.mu.Unlock()
	var batch []Change[K, V]
	for i := range k.waiting[:u+1] {
		from := &k.waiting[i]
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
		for u := Lazy; u < urgencies; u++ {
			if newer, found := k.waiting[u][c.Key]; found {
				delete(k.waiting[u], c.Key)
				c.Value = newer
			}
		}
		if _, newer := k.waiting[Soon][c.Key]; !newer {
			k.waiting[Soon][c.Key] = c.Value
		}
	}
}
