package c2s

import "time"

// WatchAt looks at all connections as if it were that time.
func (s *Server) WatchAt(now time.Time) { s.watch(now, s.cfg.KeepAlive, 0) }

// RestAfter is how long a client is silent before its connection is at rest.
const RestAfter = restAfter

// Conns counts the connections, and those of them that are at rest.
func (s *Server) Conns() (all, resting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.resting.Load() {
			resting++
		}
	}
	return len(s.conns), resting
}
