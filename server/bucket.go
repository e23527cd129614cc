package server

import "time"

// Bucket holds back a connection that sends more than it may. The zero value holds
// back nothing. It belongs to one goroutine.
type Bucket struct {
	rate, burst int
	left        int
	last        time.Duration
}

// Set fills the bucket: burst bytes at once, and then rate bytes a second, or as
// many as come if that is 0. now is the time on a clock that does not go back, here
// and below.
func (b *Bucket) Set(rate, burst int, now time.Duration) {
	b.rate, b.burst, b.left, b.last = rate, burst, burst, now
}

// Took notes that n bytes were read.
func (b *Bucket) Took(n int) { b.left -= n }

// Left reports whether the next read need not wait.
func (b *Bucket) Left() bool { return b.rate <= 0 || b.left > 0 }

// Debt returns how long to wait before the next read.
func (b *Bucket) Debt(now time.Duration) time.Duration {
	if b.Left() {
		return 0
	}
	b.left = min(b.burst, b.left+int((now-b.last).Seconds()*float64(b.rate)))
	b.last = now
	if b.left > 0 {
		return 0
	}
	return time.Duration(float64(1-b.left) / float64(b.rate) * float64(time.Second))
}
