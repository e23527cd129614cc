package search

import (
	"sync"
	"time"

	"rollcall/xmpp/jid"
)

// A person can search so often at once, and then once in so long.
const (
	atOnce  = 20
	onceIn  = 3 * time.Second
	crowded = 4096 // people are remembered before those who have rested are forgotten
)

// pace knows how often people have searched lately. The zero value is ready.
type pace struct {
	mu   sync.Mutex // guards free
	free map[jid.Bare]time.Time
}

// take reports whether somebody may search, and counts it. free is when they
// will have rested so that they can search as often as they like again.
func (p *pace) take(who jid.Bare, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	free := p.free[who]
	if free.Before(now) {
		free = now
	}
	if free = free.Add(onceIn); free.Sub(now) > atOnce*onceIn {
		return false
	}
	if p.free == nil {
		p.free = map[jid.Bare]time.Time{}
	}
	if len(p.free) >= crowded {
		for x, t := range p.free {
			if !t.After(now) {
				delete(p.free, x)
			}
		}
	}
	p.free[who] = free
	return true
}
