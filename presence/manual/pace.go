package manual

import (
	"sync"
	"time"

	"rollcall/presence"
)

// So many changes may come at once, and one more each time that so long has passed.
const (
	changesAtOnce = 30
	changeEvery   = 2 * time.Second
)

// keepPaces is how many are remembered before those that are of no account any more
// are dropped.
const keepPaces = 1024

// pace is how often people change their states. The zero value is ready.
type pace struct {
	mu   sync.Mutex
	used map[presence.Subject]time.Time // when all that was used is made good
}

// allow takes a change in, or says that there were too many.
func (p *pace) allow(who presence.Subject, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := p.used[who]
	if used.Before(now) {
		used = now
	}
	if used.Sub(now) > (changesAtOnce-1)*changeEvery {
		return false
	}
	if len(p.used) >= keepPaces {
		for other, t := range p.used {
			if t.Before(now) {
				delete(p.used, other)
			}
		}
	}
	if p.used == nil {
		p.used = map[presence.Subject]time.Time{}
	}
	p.used[who] = used.Add(changeEvery)
	return true
}
