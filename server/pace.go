package server

import (
	"net/netip"
	"time"
)

// Pace is how often something may happen: so many times in a period. All of
// them may come at once; after that there is room for one more each time that
// its part of the period has passed. The zero Pace sets no limit.
//
// What was used up is kept by the caller as one number, the time by which all of
// it will have been made good. Times are durations since any fixed moment, and
// nothing has been used up at 0.
type Pace struct {
	part  time.Duration // of the period, for one
	slack time.Duration // how far ahead one may be and still take another
}

// PaceOf returns the pace of n times in a period. With n below 1 there is no
// limit.
func PaceOf(n int, period time.Duration) Pace {
	if n < 1 {
		return Pace{}
	}
	part := max(period/time.Duration(n), 1)
	return Pace{part: part, slack: part * time.Duration(n-1)}
}

// Limits reports whether there is a limit at all.
func (p Pace) Limits() bool { return p.part > 0 }

// Wait returns how long it takes until there is room for one; 0: there is now.
func (p Pace) Wait(used, now time.Duration) time.Duration {
	if p.part == 0 {
		return 0
	}
	return max(used-now-p.slack, 0)
}

// Use returns what is used up with one more.
func (p Pace) Use(used, now time.Duration) time.Duration {
	if p.part == 0 {
		return used
	}
	return max(used, now) + p.part
}

// Network is what counts as one address: whoever has an IPv6 address has a
// whole /64 of them. No address is one, too.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // fails for no address
	return p
}
