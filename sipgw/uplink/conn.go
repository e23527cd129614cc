package uplink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// conn is one connection after its handshake.
type conn struct {
	// Fixed.
	l   *Link
	nc  net.Conn
	out *outbox

	// Owned by the goroutine that reads.
	sc    *stream.Scanner
	lang  string
	asked bool // the server is silent, and was asked whether it is there
}

// errSilent says that the server does not answer any more.
var errSilent = errors.New("the server does not answer any more")

// errEnded says that the server has ended the stream without a word.
var errEnded = errors.New("the server has ended the stream")

// serve takes what comes until the connection ends, or ctx does.
func (c *conn) serve(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		if err := c.out.run(c.nc); err != nil {
			c.nc.Close() // nothing more is read either
		}
	})
	all.Go(func() {
		if c.l.parts.Up != nil {
			c.l.parts.Up(inner)
		}
	})
	parted := context.AfterFunc(ctx, func() {
		c.out.finish([]byte("</stream:stream>"))
		c.nc.SetReadDeadline(time.Now().Add(partIn))
	})
	err := c.stanzas(ctx)
	cancel()
	if !parted() {
		c.out.flushed(partIn)
	} else if f := new(stream.Fault); errors.As(err, &f) {
		c.out.finish(append(f.Append(nil), "</stream:stream>"...))
		c.out.flushed(partIn)
	}
	c.out.close()
	c.nc.Close()
	all.Wait()
	if broken := c.out.why(); broken != nil && ctx.Err() == nil {
		return broken
	}
	return err
}

// stanzas takes what the server sends. It always returns an error: why there is no more.
func (c *conn) stanzas(ctx context.Context) error {
	for {
		st, err := c.next(ctx)
		if err != nil {
			return err
		}
		if st.Name.Is(stanza.NSStream, "error") {
			return refusedBy(st)
		}
		if st, err = incoming(st); err != nil {
			return err
		}
		if st.Kind == stanza.Other || string(st.Name.Space) != stanza.NSClient {
			return &stream.Fault{Condition: mellium.UnsupportedStanzaType}
		}
		if st.Lang == nil {
			st.Inherits = c.lang // RFC 6120 §8.1.5
		}
		c.take(st)
	}
}

// next returns the next element of the stream.
func (c *conn) next(ctx context.Context) (*stanza.Stanza, error) {
	for {
		st, err := c.sc.Next()
		switch err {
		case stream.Short:
		case stream.End:
			return nil, errEnded
		default:
			return st, err
		}
		if ctx.Err() == nil {
			c.nc.SetReadDeadline(time.Now().Add(silence))
			if ctx.Err() != nil { // it ended in between
				c.nc.SetReadDeadline(time.Now().Add(partIn))
			}
		}
		n, err := c.nc.Read(c.sc.Space())
		c.sc.Filled(n)
		switch {
		case n > 0:
			c.asked = false
		case err == nil:
			return nil, io.ErrNoProgress
		case !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil || c.out.why() != nil:
			return nil, ended(err)
		case c.asked:
			return nil, errSilent
		default:
			c.asked = true
			c.out.put(c.l.ping(0)) // whatever comes will do
		}
	}
}

// ended puts the end of a connection into words.
func ended(err error) error {
	if err == io.EOF {
		return errors.New("the server has cut the connection")
	}
	return err
}

// take has a stanza taken, and tells its sender what is wrong with it.
func (c *conn) take(st *stanza.Stanza) {
	from, err := jid.Parse(stanza.Text(st.From))
	if err != nil {
		return // there is nobody to be told
	}
	to, err := jid.Parse(stanza.Text(st.To))
	if err != nil || to.Domain() != c.l.parts.Domain {
		return // the server does not do that
	}
	if c.l.ponged(c, st, from) {
		return
	}
	if err = valid(st); err == nil {
		err = c.l.parts.Take(st, from, to)
	}
	if err != nil {
		c.refuse(st, from, to, err)
	}
}

// valid refuses what RFC 6120 §8.2.3 does: a request without an id or with more or less
// than one payload.
func valid(st *stanza.Stanza) error {
	request := st.Kind == stanza.IQ && (st.IsType("get") || st.IsType("set"))
	if request && (len(st.ID) == 0 || len(st.Children) != 1) || st.Kind == stanza.IQ && !request && !st.IsType("result") && !st.IsType("error") {
		return stanza.ErrBadRequest
	}
	return nil
}

// refuse sends an error, unless none is due (RFC 6120 §8.3.1): none answers an error or
// an answer.
func (c *conn) refuse(st *stanza.Stanza, from, to jid.JID, err error) {
	if st.IsType("error") || st.Kind == stanza.IQ && st.IsType("result") {
		return
	}
	e, known := stanza.AsError(err)
	if !known {
		c.l.parts.Log.Error("a stanza could not be taken", "jid", to, "peer", from, "err", err)
	}
	b := append([]byte{'<'}, st.Kind.String()...)
	b = stanza.AppendAttr(append(b, " type='error'"...), "from", to.String())
	b = stanza.AppendAttr(b, "to", from.String())
	if len(st.ID) > 0 {
		b = stanza.AppendAttr(b, "id", stanza.Text(st.ID))
	}
	b = append(e.Append(append(b, '>')), "</"...)
	c.out.put(outgoing(append(append(b, st.Kind.String()...), '>')))
}

// incoming is what the server's stanza is here: the namespace of clients stands for that
// of the stream, however it is written.
func incoming(st *stanza.Stanza) (*stanza.Stanza, error) {
	if !bytes.Contains(st.Raw, []byte(nsAccept)) {
		return st, nil
	}
	raw := st.Append(nil, stanza.Escape(stanza.Text(st.From)), stanza.Escape(stanza.Text(st.To)))
	raw = stanza.Rename(raw, nsAccept, stanza.NSClient, stream.MaxDepth)
	limits := stream.Limits{Stanza: len(raw), Tag: len(raw), Depth: stream.MaxDepth, Attrs: stream.MaxAttrs, Namespaces: len(raw)}
	sc := stream.New(limits)
	sc.Reset(limits, stanza.NSClient, nil)
	return sc.Whole(raw)
}

// outgoing is the reverse, but for stanzas that are forwarded inside of one: they stay
// what they are.
func outgoing(raw []byte) []byte { return stanza.Rename(raw, stanza.NSClient, nsAccept, 1) }
