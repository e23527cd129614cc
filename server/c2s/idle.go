package c2s

import (
	"context"
	"strconv"
	"time"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// Watch finds clients that are gone without a word, until ctx is done: one that
// was silent for a while is asked, and cut off if it does not answer. Its
// session is then kept or ended as with any lost connection. What offenders did
// meanwhile is told.
func (s *Server) Watch(ctx context.Context) {
	k := s.cfg.KeepAlive
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.watch(now, k, n)
			s.srv.TellOffences()
		}
	}
}

const watchEvery = 5 * time.Second

func (s *Server) watch(now time.Time, k KeepAlive, n int) {
	s.mu.Lock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		if sess := c.session.Load(); sess != nil {
			c.look(sess, now, k, n)
		}
	}
}

// look decides about one connection.
func (c *conn) look(s *server.Session, now time.Time, k KeepAlive, n int) {
	if c.stuck(s, now.Sub(c.s.began)) {
		c.s.log.Info("a client takes nothing", "jid", s.JID, "peer", c.addr)
		c.Abort()
		return
	}
	silent := time.Duration(now.Unix()-s.LastHeard()) * time.Second
	c.toRest(silent)
	switch {
	case k.IdlePing <= 0 || silent < k.IdlePing:
		c.pinged.Store(false)
		s.AskIfUnacked()
	case !c.pinged.Swap(true):
		if !s.Ask() {
			s.Send(stanza.IQ, []byte("<iq type='get' id='ping-"+strconv.Itoa(n)+"' from='"+stanza.Escape(s.JID.Domain())+
				"' to='"+s.Full()+"'><ping xmlns='urn:xmpp:ping'/></iq>"))
		}
	case silent >= k.IdlePing+k.PingTimeout:
		c.s.log.Info("a client is gone", "jid", s.JID, "peer", c.addr)
		c.Abort()
	}
}

// toRest has a client that was silent for so long read by a fresh goroutine.
func (c *conn) toRest(silent time.Duration) {
	if _, ok := c.raw.(*socket); ok && silent >= restAfter && !c.resting.Swap(true) {
		c.wake()
	}
}

// stuck reports whether the client has not taken anything of what is sent to it
// for too long.
func (c *conn) stuck(s *server.Session, now time.Duration) bool {
	sent, writing := s.Progress()
	if !writing || sent != c.seen || c.since == 0 {
		c.seen, c.since = sent, now
		return false
	}
	return now-c.since > stuckFor
}

// restAfter is how long a client has to be silent before its goroutine makes
// room for a smaller one. Stacks grow with the first stanza and do not shrink.
const restAfter = 4 * time.Second

// stuckFor is how long a client may leave what is sent to it unread.
const stuckFor = time.Minute
