package pep

import (
	"context"
	"hash/maphash"
	"sync"

	"rollcall/xmpp/jid"
)

// owners are the accounts that have nodes, so that nobody looks for those of others: whoever
// comes after a restart has many contacts of whom nothing is remembered. They are known by
// the hashes of their names; one too many costs a look.
type owners struct {
	seed maphash.Seed // fixed

	mu   sync.Mutex // guards all below
	read bool       // those in the store are in all
	all  map[uint64]struct{}
}

// add notes that accounts have nodes, or may have soon.
func (o *owners) add(all ...jid.Bare) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, j := range all {
		o.put(j)
	}
}

// put is add for who holds the lock.
func (o *owners) put(j jid.Bare) {
	if o.all == nil {
		o.all = map[uint64]struct{}{}
	}
	o.all[maphash.String(o.seed, string(j))] = struct{}{}
}

// has reports whether an account may have nodes. The first to ask has them read.
func (o *owners) has(ctx context.Context, store Census, who jid.Bare) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.read {
		if err := store.Owners(ctx, o.put); err != nil {
			return true, err
		}
		o.read = true
	}
	_, found := o.all[maphash.String(o.seed, string(who))]
	return found, nil
}
