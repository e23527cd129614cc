package c2s

// Rest sends all connections with a session to rest, as if their clients had been
// silent for long.
func (s *Server) Rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.session.Load() != nil {
			c.toRest(restAfter)
		}
	}
}

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
