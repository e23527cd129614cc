package availability

import (
	"sync"
	"sync/atomic"

	"rollcall/xmpp/jid"
)

// rare keeps something of the few people who have it, so that asking costs nothing
// while nobody has. Who changes it holds turn; anybody may ask.
type rare[T any] struct {
	count atomic.Int32
	of    sync.Map // jid.Bare -> *T
}

func (r *rare[T]) get(who jid.Bare) *T {
	if r.count.Load() == 0 {
		return nil
	}
	v, _ := r.of.Load(who)
	x, _ := v.(*T)
	return x
}

// put changes what somebody has; nil is nothing.
func (r *rare[T]) put(who jid.Bare, x *T) {
	if x == nil {
		if _, was := r.of.LoadAndDelete(who); was {
			r.count.Add(-1)
		}
		return
	}
	// Counted first: whoever asks meanwhile looks.
	r.count.Add(1)
	if _, was := r.of.Swap(who, x); was {
		r.count.Add(-1)
	}
}

// each calls f for all, which may change them.
func (r *rare[T]) each(f func(who jid.Bare, x *T)) {
	r.of.Range(func(k, v any) bool { f(k.(jid.Bare), v.(*T)); return true })
}
