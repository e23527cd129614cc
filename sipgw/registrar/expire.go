package registrar

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"rollcall/sipgw/deadline"
)

// never is later than anything.
const never = math.MaxInt64

// lost says whether the binding was made over a connection of before a restart.
func (b *Binding) lost() bool {
	return b.Flow.Transport.Stream() && len(b.Path) == 0 && b.Flow.ID == 0
}

// set puts a list of bindings in force for an address; those that are lost end at
// a time at the latest. The caller holds the shard.
func (r *Registrar) set(s *shard, aor string, list []*Binding, lostEnd int64) {
	a := s.aors[aor]
	if len(list) == 0 {
		delete(s.aors, aor)
		return
	}
	if a == nil {
		a = &address{}
		s.aors[list[0].AOR] = a // those bytes are kept anyway
	}
	before, due := a.list, a.due
	a.list, a.due = list, make([]int64, len(list))
	for i, b := range list {
		ends := b.ends().UnixNano()
		if b.lost() {
			ends = min(ends, lostEnd)
		}
		// One that is looked at before it ends need not be put in again.
		if j := slices.IndexFunc(before, func(o *Binding) bool { return o.ID == b.ID }); j >= 0 && due[j] <= ends {
			a.due[i] = due[j]
			continue
		}
		a.due[i] = ends
		if next, found := s.ends.Next(); !found || ends < next {
			r.signal()
		}
		s.ends.Push(ends, place{b.AOR, b.ID})
	}
}

func (r *Registrar) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Expire removes what is over, and says when to look again; the zero time if there is
// nothing.
func (r *Registrar) Expire(now time.Time) (next time.Time) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for {
			p, at, found := s.ends.Pop(now.UnixNano())
			if !found {
				break
			}
			r.expire(s, p, at, now)
		}
		if at, found := s.ends.Next(); found {
			if t := time.Unix(0, at); next.IsZero() || t.Before(next) {
				next = t
			}
		}
		r.tell(s)
	}
	return next
}

// expire looks at a binding whose time may have come. The caller holds the shard.
func (r *Registrar) expire(s *shard, p place, at int64, now time.Time) {
	a := s.aors[p.aor]
	if a == nil {
		return
	}
	i := slices.IndexFunc(a.list, func(b *Binding) bool { return b.ID == p.id })
	if i < 0 || a.due[i] != at {
		return // it is looked at another time
	}
	b, why := a.list[i], Expired
	if ends := b.ends(); ends.After(now) {
		if !b.lost() {
			a.due[i] = ends.UnixNano() // it was refreshed
			s.ends.Push(a.due[i], p)
			return
		}
		why = FlowClosed
	}
	r.drop(s, p.aor, why, now, func(b *Binding) bool { return b.ID == p.id })
}

// drop removes the bindings of an address that it is told. The caller holds the
// shard.
func (r *Registrar) drop(s *shard, aor string, why Event, now time.Time, which func(*Binding) bool) {
	a := s.aors[aor]
	if a == nil {
		return
	}
	before := a.list
	after := slices.DeleteFunc(slices.Clone(before), which)
	for _, b := range before {
		if which(b) {
			r.commit(s, &Change{What: why, Binding: b, Old: b, Before: before, After: after}, now)
		}
	}
	r.set(s, aor, after, never)
}

// Closed removes the bindings of a connection that is no more (RFC 5626 §7).
func (r *Registrar) Closed(now time.Time, connection uint64) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for _, p := range slices.Clone(s.streams[connection]) {
			r.drop(s, p.aor, FlowClosed, now, func(b *Binding) bool { return b.ID == p.id })
		}
		r.tell(s)
	}
}

// Remove removes all bindings of an address, because its device is no more or is
// not to be there.
func (r *Registrar) Remove(now time.Time, aor string) {
	s := r.shard(aor)
	s.mu.Lock()
	r.drop(s, aor, Deactivated, now, func(*Binding) bool { return true })
	r.tell(s)
}

// Run has bindings expire and stores them until the context ends, and returns when
// the rest is stored.
func (r *Registrar) Run(ctx context.Context) {
	var work sync.WaitGroup
	work.Go(func() { r.keeper.Run(ctx) })
	defer work.Wait()
	for ctx.Err() == nil {
		deadline.Wait(ctx, r.Expire(time.Now()), r.wake)
	}
}

// preferred returns bindings in the order in which they are to be tried.
func preferred(list []*Binding) []*Binding {
	if len(list) < 2 {
		return list
	}
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b *Binding) int {
		return cmp.Or(cmp.Compare(b.Q, a.Q), b.Refreshed.Compare(a.Refreshed), cmp.Compare(b.ID, a.ID))
	})
	return out
}
