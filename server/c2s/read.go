package c2s

import (
	"context"
	"errors"
	"os"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// serve reads the stream of a session to its end.
func (c *conn) serve(ctx context.Context) {
	s := c.session.Load()
	err := c.stanzas(ctx, s)
	if err == errRest {
		s.Rest()
		c.raw.SetReadDeadline(time.Time{})
		c.s.wg.Go(func() { c.serve(ctx) })
		return
	}
	c.finish(ctx, s, err)
	if c.sc != nil {
		scanners.Put(c.sc)
		c.sc = nil
	}
	c.linger(lingerFor)
	c.s.gone(c)
}

// stanzas takes in what the client sends. It always returns an error: why there
// is no more.
func (c *conn) stanzas(ctx context.Context, s *server.Session) error {
	for {
		if c.sc != nil {
			if err := c.batch(ctx, s); err != stream.Short {
				return err
			}
		}
		if f := c.cut.Load(); f != nil {
			return f
		}
		if wait := c.debt(); wait > 0 {
			if err := c.pause(wait); err != nil {
				return err
			}
		}
		if err := c.fill(); err != nil {
			return c.why(err)
		}
		if c.resting.Load() {
			c.resting.Store(false)
		}
		s.Heard(time.Now().Unix())
	}
}

// errRest says that the connection has been idle for so long that its goroutine
// is to make room for one with a small stack.
var errRest = errors.New("c2s: idle")

// why tells whoever was woken what for. Nobody but HangUp and the watch wakes the
// reader of a session; resting is no sign of the latter, since what the client
// sent just then has cleared it.
func (c *conn) why(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if f := c.cut.Load(); f != nil {
		return f
	}
	return errRest
}

func (c *conn) debt() time.Duration {
	if c.bucket.Left() {
		return 0
	}
	return c.bucket.Debt(c.s.clock())
}

// pause holds back a client that sends too fast; being cut off ends it.
func (c *conn) pause(d time.Duration) error {
	const step = 50 * time.Millisecond
	for ; d > 0; d -= step {
		time.Sleep(min(d, step))
		if f := c.cut.Load(); f != nil {
			return f
		}
	}
	return nil
}

// batch handles the stanzas that have been read.
func (c *conn) batch(ctx context.Context, s *server.Session) error {
	for {
		st, err := c.sc.Next()
		if err != nil {
			return err
		}
		if st.Kind != stanza.Other && string(st.Name.Space) == stanza.NSClient {
			err = c.s.srv.Handle(ctx, s, st)
		} else {
			err = c.nonza(s, st)
		}
		if err != nil {
			return err
		}
		if f := c.cut.Load(); f != nil {
			return f
		}
	}
}

// nonza takes an element that is no stanza.
func (c *conn) nonza(s *server.Session, st *stanza.Stanza) error {
	switch string(st.Name.Space) {
	case nsSM:
		return c.management(s, st)
	case nsCSI:
		if !c.s.cfg.ClientState {
			break
		}
		switch string(st.Name.Local) {
		case "active":
			s.SetInactive(false)
			return nil
		case "inactive":
			s.SetInactive(true)
			return nil
		}
	case nsSASL, nsTLS:
		return &stream.Fault{Condition: mellium.PolicyViolation, Text: "that was negotiated before"}
	case stanza.NSServer:
		return &stream.Fault{Condition: mellium.InvalidNamespace}
	}
	return errUnsupported // RFC 6120 §4.9.3.24
}

const nsCSI = "urn:xmpp:csi:0"

// finish ends the session, or keeps it if the connection was merely lost.
func (c *conn) finish(ctx context.Context, s *server.Session, err error) {
	ctx = context.WithoutCancel(ctx)
	defer s.Release()
	var f *stream.Fault
	log := c.s.log
	switch {
	case errors.As(err, &f):
		c.raw.SetWriteDeadline(time.Now().Add(lastWrite))
		s.Finish(append(f.Append(nil), "</stream:stream>"...))
		log.Info("stream ended", "jid", s.JID, "why", f)
	case err == stream.End:
		c.raw.SetWriteDeadline(time.Now().Add(lastWrite))
		s.Finish([]byte("</stream:stream>"))
		log.Debug("stream closed", "jid", s.JID)
	default:
		c.raw.Close()
		if s.Hibernate() {
			log.Debug("connection lost, session kept", "jid", s.JID, "err", err)
			return
		}
		log.Debug("connection lost", "jid", s.JID, "err", err)
	}
	s.End(ctx)
}
