package c2s

import (
	"net/netip"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/stream"
)

var (
	errTooManyConns = &stream.Fault{Condition: mellium.ResourceConstraint, Text: "too many connections"}
	errTooManyAddr  = &stream.Fault{Condition: mellium.PolicyViolation, Text: "too many connections from this address"}
	errTooFast      = &stream.Fault{Condition: mellium.PolicyViolation, Text: "too many new connections from this address in a short time"}
	errShutdown     = &stream.Fault{Condition: mellium.SystemShutdown}
)

// admit counts the connection in, unless there are too many. Nothing has been
// read from it yet.
func (s *Server) admit(c *conn) *stream.Fault {
	l := s.limits.Load()
	exempt, from := l.exempt(c.addr), c.network()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errShutdown
	case !exempt && !s.arrivals.Take(server.PaceOf(l.ConnectsPerMinute, time.Minute), from, s.clock()):
		return errTooFast
	case l.Connections > 0 && len(s.conns) >= l.Connections:
		return errTooManyConns
	case !exempt && l.ConnectionsPerAddress > 0 && s.byAddr[from] >= l.ConnectionsPerAddress:
		return errTooManyAddr
	}
	s.conns[c] = struct{}{}
	s.byAddr[from]++
	return nil
}

func (s *Server) gone(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[c]; !ok {
		return
	}
	delete(s.conns, c)
	from := c.network()
	if s.byAddr[from]--; s.byAddr[from] <= 0 {
		delete(s.byAddr, from)
	}
}

// exempt reports whether what counts by address leaves this one out. No address
// is in no network.
func (l *Limits) exempt(a netip.Addr) bool {
	for _, p := range l.ExemptNetworks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// maxRefusing bounds how many clients are told at a time why they cannot come
// in. The others are cut off without a word, so that a flood of them costs
// neither goroutines nor descriptors.
const maxRefusing = 256

// turnAway ends a connection that was not let in.
func (s *Server) turnAway(c *conn, f *stream.Fault, direct bool) {
	if f != errShutdown {
		s.srv.Offend(server.Offence{What: "a connection was refused", Why: f.Text, Peer: c.addr})
	}
	// Where it begins with TLS a handshake is not worth it, and nothing is said
	// without.
	if direct || s.refusing.Add(1) > maxRefusing {
		if !direct {
			s.refusing.Add(-1)
		}
		c.raw.Close()
		return
	}
	s.wg.Go(func() {
		defer s.refusing.Add(-1)
		c.refuse(f)
	})
}

// refuse tells a client why it cannot come in.
func (c *conn) refuse(f *stream.Fault) {
	// It counts toward no limit, so it is not to last.
	c.raw.SetWriteDeadline(time.Now().Add(refuseFor))
	c.say(append(f.Append(c.header()), "</stream:stream>"...))
	c.Close()
	c.linger(refuseFor)
}

const refuseFor = 200 * time.Millisecond
