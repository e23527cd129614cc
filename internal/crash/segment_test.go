package crash

import (
	"io"
	"net"
	"sync"
)

// segment is a piece of wire: a listener, and the connections through it.
type segment struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	ends   []net.Conn
}

func (s *segment) serve(to string) {
	for {
		near, err := s.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", to)
		if err != nil {
			near.Close()
			continue
		}
		if !s.keep(near, far) {
			near.Close()
			far.Close()
			return
		}
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			s.wg.Go(func() {
				io.Copy(way[0], way[1])
				way[0].Close()
			})
		}
	}
}

func (s *segment) keep(ends ...net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.ends = append(s.ends, ends...)
	}
	return !s.closed
}

func (s *segment) close() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for _, c := range s.ends {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}
