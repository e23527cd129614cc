package message

import (
	"time"

	"rollcall/xmpp/jid"
)

// bucket says how much a device may still send.
type bucket struct {
	left float64
	last time.Time
}

// take takes one of a bucket that is filled at a rate a second up to burst, or says how
// long there is none.
func (b *bucket) take(now time.Time, rate, burst int) (wait time.Duration) {
	if b.last.IsZero() {
		b.left = float64(burst)
	} else {
		b.left = min(float64(burst), b.left+now.Sub(b.last).Seconds()*float64(rate))
	}
	b.last = now
	if b.left >= 1 {
		b.left--
		return 0
	}
	return time.Duration((1 - b.left) / float64(rate) * float64(time.Second))
}

// may takes one of a device's bucket; s.mu is not held.
func (s *Service) may(now time.Time, who jid.Bare) (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[who] // there are no more than devices that have proved who they are
	wait = b.take(now, s.parts.Config.Rate, s.parts.Config.Burst)
	s.buckets[who] = b
	return wait
}
