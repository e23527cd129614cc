package digest

import "sync"

// counts are the counts (nc) that were seen with a nonce: the highest, and which of
// the 64 below it, since datagrams overtake each other.
type counts struct {
	high uint32
	seen uint64 // bit i: high-1-i
}

// take says whether a count is new, and if so it is not any more.
func (c *counts) take(n uint32) bool {
	switch {
	case n == 0:
		return false // RFC 7616 §3.4: the first is 1
	case n > c.high:
		shift := n - c.high
		c.seen <<= shift // 0 for 64 and more
		if c.high > 0 && shift <= 64 {
			c.seen |= 1 << (shift - 1)
		}
		c.high = n
		return true
	case n == c.high || c.high-n > 64:
		return false
	}
	bit := uint64(1) << (c.high - n - 1)
	fresh := c.seen&bit == 0
	c.seen |= bit
	return fresh
}

// allCounts is what a nonce is left with that may not be used again.
const allCounts = 1<<32 - 1

// replays knows which counts were seen with which nonces. Only nonces that came with
// a right answer get here.
type replays struct{ shards [16]replayShard }

// replayShard keeps two generations of nonces. Those in use move to the younger; when
// that one is full, or its time is over, it becomes the older, and the older is
// dropped.
type replayShard struct {
	mu     sync.Mutex // guards the fields below
	young  generation
	old    generation
	floor  int64 // nonces made at this time or before are old, unless they are known; microseconds
	turned int64 // when there was last a new generation
}

// generation are nonces by number, and when the latest of them was made.
type generation struct {
	counts map[uint64]counts
	latest int64
}

func (g *generation) put(number uint64, made int64, c counts) {
	if g.counts == nil {
		g.counts = make(map[uint64]counts)
	}
	g.counts[number] = c
	g.latest = max(g.latest, made)
}

// use says whether a nonce may be used with a count; from then on it may not. most
// is how many nonces there may be in a generation of a shard, life how long a
// nonce is good; times are in microseconds.
func (r *replays) use(number uint64, made int64, count uint32, now, life int64, most int) bool {
	s := &r.shards[number%uint64(len(r.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now, life, most)
	c, known := s.young.counts[number]
	if !known {
		c, known = s.old.counts[number]
		if known {
			delete(s.old.counts, number)
		} else if made <= s.floor {
			return false // it may have been dropped
		}
	}
	fresh := c.take(count)
	s.young.put(number, made, c)
	return fresh
}

// turn begins a new generation if it is time. A generation lasts as long as a nonce,
// so that whatever is dropped then is too old anyway.
func (s *replayShard) turn(now, life int64, most int) {
	full := len(s.young.counts) >= most
	if !full && now-s.turned < life {
		return
	}
	if len(s.old.counts) > 0 {
		s.floor = max(s.floor, s.old.latest)
	}
	s.old, s.young = s.young, generation{}
	s.turned = now
}
