package registrar

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/sipgw/deadline"
	"rollcall/sipgw/keep"
	"rollcall/sipgw/news"
)

// Store keeps bindings.
type Store interface {
	LoadBindings(ctx context.Context) ([]*Binding, error)

	// SaveBindings writes bindings, in place of those with the same ID, and removes
	// others by their ID; all or nothing.
	SaveBindings(ctx context.Context, put []*Binding, gone []uint64) error
}

// Parts are what a registrar needs.
type Parts struct {
	Store Store
	Log   *slog.Logger
}

// Registrar holds the bindings of all addresses. It is safe for use by many
// goroutines.
type Registrar struct {
	parts     Parts                         // fixed
	cfg       Config                        // fixed
	listeners []func(Change)                // fixed before use
	keeper    *keep.Keeper[uint64, Binding] // safe
	seed      maphash.Seed                  // fixed
	lastID    atomic.Uint64
	wake      chan struct{} // holds a token if something ends sooner than was known
	planners  sync.Pool     // of *planner

	shards [16]shard
}

// shard holds some of the addresses.
type shard struct {
	mu       sync.Mutex // guards the fields below
	aors     map[string]*address
	streams  map[uint64][]place // bindings over connections, by the connection's ID
	ends     deadline.Heap[place]
	news     news.Queue[Change]
	bindings int
}

// address is an address of record with its bindings.
type address struct {
	list []*Binding // never changed in place
	due  []int64    // for each: when it is looked at next, in Unix nanoseconds
}

// place names a binding.
type place struct {
	aor string
	id  uint64
}

// New returns a registrar that knows nothing yet. [Registrar.Load] reads what was
// stored; [Registrar.Run] has bindings expire, and stores them.
func New(parts Parts, cfg Config) *Registrar {
	r := &Registrar{parts: parts, cfg: cfg.withDefaults(), seed: maphash.MakeSeed(), wake: make(chan struct{}, 1)}
	r.keeper = keep.New(keep.Config[uint64, Binding]{Save: r.save, Log: parts.Log, What: "bindings"})
	r.planners.New = func() any { return &planner{cfg: &r.cfg, nextID: r.nextID} }
	for i := range r.shards {
		r.shards[i].aors = map[string]*address{}
		r.shards[i].streams = map[uint64][]place{}
	}
	return r
}

// OnChange has a listener called for each change, in order for each address. It must
// not take long, and may use the registrar. It is to be set before the registrar is
// used.
func (r *Registrar) OnChange(tell func(Change)) { r.listeners = append(r.listeners, tell) }

func (r *Registrar) shard(aor string) *shard {
	return &r.shards[maphash.String(r.seed, aor)%uint64(len(r.shards))]
}

// Register carries out what a REGISTER asks for (RFC 3261 §10.3, from step 5 on).
// Without any Contact it changes nothing and tells what there is.
func (r *Registrar) Register(now time.Time, reg Registration) *Result {
	if bad := reg.check(&r.cfg); bad != nil {
		return bad
	}
	p := r.planners.Get().(*planner)
	defer r.done(p)
	p.now, p.reg = now, reg
	s := r.shard(reg.AOR)
	s.mu.Lock()
	a := s.aors[reg.AOR]
	var before []*Binding
	if a != nil {
		before = a.list
		p.reg.AOR = before[0].AOR // the same bytes for all that are kept
	} else {
		p.reg.AOR = strings.Clone(reg.AOR)
	}
	if bad := p.plan(before); bad != nil {
		s.mu.Unlock()
		return bad
	}
	out := &Result{Status: 200, Reason: "OK", Bindings: p.list, Path: reg.Path, Outbound: reg.outbound()}
	if len(p.changes) == 0 {
		s.mu.Unlock()
		return out
	}
	for i := range p.changes {
		c := &p.changes[i]
		c.Before, c.After = before, p.list
		if c.Reboot != "" {
			out.Rebooted = append(out.Rebooted, c.Old)
		}
		r.commit(s, c, now)
	}
	r.set(s, p.reg.AOR, p.list, never)
	r.tell(s)
	return out
}

// done gives back what a registration was worked out with.
func (r *Registrar) done(p *planner) {
	clear(p.changes)
	p.reg, p.list, p.touched, p.changes = Registration{}, nil, 0, p.changes[:0]
	r.planners.Put(p)
}

func (r *Registrar) nextID() uint64 { return r.lastID.Add(1) }

// commit takes note of a change, except in the address itself. The caller holds the
// shard.
func (r *Registrar) commit(s *shard, c *Change, now time.Time) {
	b := c.Binding
	c.AOR, c.At = b.AOR, now
	if c.Old != nil && (c.What.Gone() || c.Old.connection() != b.connection()) {
		s.leave(c.Old)
	}
	switch {
	case c.What.Gone():
		r.keeper.Drop(b.ID)
		s.bindings--
	case c.Old == nil:
		s.bindings++
		r.keeper.Put(b.ID, b, keep.Soon)
		s.enter(b)
	default:
		r.keeper.Put(b.ID, b, c.urgency())
		if c.Old.connection() != b.connection() {
			s.enter(b)
		}
	}
	s.news.Add(*c)
}

// longEnough is what a binding has to be granted for to be stored later than others: of
// what is granted for less, what was stored a minute ago would be over.
const longEnough = 2 * time.Minute

// urgency says when a binding is to be stored that was another one before. If it says no
// more than that it lasts longer that may wait; and if that is by less than a tenth, as
// where a device refreshes every minute what is granted for an hour, longer still. Not so
// if the device has come so late that, should it take as long again, what is stored ends
// before that: after a crash it would be gone until then.
func (c *Change) urgency() keep.Urgency {
	now, granted := c.Binding.Refreshed, c.Binding.Expires.Sub(c.Binding.Refreshed)
	again := now.Add(now.Sub(c.Old.Refreshed))
	switch longer := c.Binding.Expires.Sub(c.Old.Expires); {
	case longer < 0 || c.moved() || c.Old.ends().Before(again):
		return keep.Soon
	case longer > granted/10 || granted < longEnough:
		return keep.Lazy
	}
	return keep.Idle
}

// connection is the ID of the connection that the binding stands and falls with; or
// 0. That of a proxy on the way is none.
func (b *Binding) connection() uint64 {
	if b.Flow.Transport.Stream() && len(b.Path) == 0 {
		return b.Flow.ID
	}
	return 0
}

// enter and leave keep track of the bindings of a connection.
func (s *shard) enter(b *Binding) {
	if id := b.connection(); id != 0 {
		s.streams[id] = append(s.streams[id], place{b.AOR, b.ID})
	}
}

func (s *shard) leave(b *Binding) {
	id := b.connection()
	if id == 0 {
		return
	}
	list := slices.DeleteFunc(s.streams[id], func(p place) bool { return p.id == b.ID })
	if len(list) == 0 {
		delete(s.streams, id)
	} else {
		s.streams[id] = list
	}
}

// Lookup returns the bindings of an address, the most preferred first, and of those
// alike the one that was refreshed last (RFC 3261 §16.6). None of them may be
// changed. Whether a device answers is a matter for the [Qualifier].
func (r *Registrar) Lookup(aor string) []*Binding {
	s := r.shard(aor)
	s.mu.Lock()
	var list []*Binding
	if a := s.aors[aor]; a != nil {
		list = a.list
	}
	s.mu.Unlock()
	return preferred(list)
}

// Count returns how many bindings there are.
func (r *Registrar) Count() (n int) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		n += s.bindings
		s.mu.Unlock()
	}
	return n
}

// tell tells the listeners of what has happened. The caller holds the shard, and does
// not any more afterwards.
func (r *Registrar) tell(s *shard) {
	s.news.Tell(&s.mu, func(c *Change) {
		for _, listener := range r.listeners {
			listener(*c)
		}
	})
}

// save is what the keeper stores with.
func (r *Registrar) save(ctx context.Context, changes []keep.Change[uint64, Binding]) error {
	var put []*Binding
	var gone []uint64
	for _, c := range changes {
		if c.Value == nil {
			gone = append(gone, c.Key)
		} else {
			put = append(put, c.Value)
		}
	}
	return r.parts.Store.SaveBindings(ctx, put, gone)
}

// Load reads what was stored, and tells the listeners. It is to be called before
// anything else, once.
func (r *Registrar) Load(ctx context.Context, now time.Time) error {
	list, err := r.parts.Store.LoadBindings(ctx)
	if err != nil {
		return fmt.Errorf("registrar: load the bindings: %w", err)
	}
	byAOR := map[string][]*Binding{}
	for _, b := range list {
		r.lastID.Store(max(r.lastID.Load(), b.ID))
		if b = r.restore(b, now); b == nil {
			continue
		}
		byAOR[b.AOR] = append(byAOR[b.AOR], b)
	}
	for aor, list := range byAOR {
		s := r.shard(aor)
		s.mu.Lock()
		for _, b := range list {
			s.bindings++
			s.news.Add(Change{What: Restored, AOR: aor, Binding: b, After: list, At: now})
		}
		r.set(s, aor, list, now.Add(Grace).UnixNano())
		r.tell(s)
	}
	return nil
}

// restore makes of a binding that was stored what it is now; nil if it is over.
func (r *Registrar) restore(b *Binding, now time.Time) *Binding {
	if !b.ends().After(now) {
		r.keeper.Drop(b.ID)
		return nil
	}
	// If the clock was put back it is not to last longer than anything is granted.
	most := now.Add(r.cfg.most(b.Flow.Transport) * 11 / 10)
	if b.Expires.After(most) {
		b.Expires = most
	}
	if b.Flow.Transport.Stream() {
		b.Flow.ID = 0
	}
	return b
}
