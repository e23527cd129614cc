package c2s

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// stage is how far a stream has come.
type stage uint8

const (
	fresh  stage = iota // not encrypted
	secure              // encrypted, or allowed to go without
	known               // authenticated
)

// negotiation is the state of a stream until a resource is bound.
type negotiation struct {
	*conn
	ctx      context.Context
	deadline time.Time
	stage    stage
	dialog   dialog // of SASL
	asked    int    // requests for registration
	account  *server.Account
}

// Faults of the negotiation.
var (
	errHostUnknown   = &stream.Fault{Condition: mellium.HostUnknown}
	errNoTo          = &stream.Fault{Condition: mellium.HostUnknown, Text: "the stream has to say to which domain it is"}
	errNotAuthorized = &stream.Fault{Condition: mellium.NotAuthorized}
	errTimeout       = &stream.Fault{Condition: mellium.ConnectionTimeout}
	errUnsupported   = &stream.Fault{Condition: mellium.UnsupportedStanzaType}
	errInternal      = &stream.Fault{Condition: mellium.InternalServerError}
	errNeedTLS       = &stream.Fault{Condition: mellium.PolicyViolation, Text: "use of STARTTLS is required"}
)

// negotiate takes a new connection to where a session reads it.
func (c *conn) negotiate(ctx context.Context, direct bool) {
	n := &negotiation{conn: c, ctx: ctx, deadline: time.Now().Add(c.s.limits.Load().AuthTimeout)}
	c.raw.SetDeadline(n.deadline)
	l := c.s.limits.Load()
	c.bucket.Set(l.BytesPerSecond, l.BurstBytes, c.s.clock())
	if direct {
		if err := c.handshake(true); err != nil {
			c.s.log.Debug("no TLS with a client", "peer", c.addr, "err", err)
			c.raw.Close()
			c.s.gone(c)
			return
		}
	}
	n.stage = n.security()
	err := n.run()
	n.settle()
	if err == nil {
		return // bound, and read elsewhere from here
	}
	c.end(err)
}

// security tells whether the stream may go on as it is (RFC 6120 §5.3.1).
func (n *negotiation) security() stage {
	cfg := n.s.cfg
	if n.tls != nil || !cfg.RequireTLS || cfg.PlaintextOnLoopback && n.loopback() {
		return secure
	}
	return fresh
}

// run negotiates. nil means that a session took the connection over.
func (n *negotiation) run() error {
	if err := n.open(); err != nil {
		return err
	}
	for {
		st, err := n.next()
		if err != nil {
			return err
		}
		bound, err := n.element(st)
		if err != nil || bound {
			return err
		}
	}
}

// next returns the next first-level element.
func (n *negotiation) next() (*stanza.Stanza, error) {
	for {
		st, err := n.take().Next()
		if err != stream.Short {
			return st, err
		}
		if err := n.read(); err != nil {
			return nil, err
		}
	}
}

func (n *negotiation) read() error {
	if f := n.cut.Load(); f != nil {
		return f
	}
	if err := n.pause(n.debt()); err != nil {
		return err
	}
	err := n.fill()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if f := n.cut.Load(); f != nil {
			return f
		}
		return errTimeout
	}
	return err
}

// open reads a stream header and answers it with ours and our features.
func (n *negotiation) open() error {
	n.said = false
	n.take().Reset(n.s.limits.Load().BeforeAuth.scanner(), "", nil)
	return n.reopen()
}

// reopen is open where bytes of the new stream may have come already.
func (n *negotiation) reopen() error {
	n.said = false
	var h stream.Header
	var err error
	for {
		if h, err = n.take().Header(stanza.NSClient); err != stream.Short {
			break
		}
		if err := n.read(); err != nil {
			return err
		}
	}
	var f *stream.Fault
	if err != nil && !errors.As(err, &f) {
		return err
	}
	if f == nil {
		f = n.to(h)
	}
	if f != nil {
		return f // our header goes out before it
	}
	n.space, n.root = n.sc.Scope()
	return n.say(n.features(n.header()))
}

// to decides which domain the stream is with.
func (n *negotiation) to(h stream.Header) *stream.Fault {
	if h.To == "" {
		return errNoTo
	}
	j, err := jid.Parse(h.To)
	if err != nil || !j.IsDomain() {
		return errHostUnknown
	}
	d, ok := n.s.srv.Domain(j.Domain())
	if !ok || n.account != nil && n.account.JID.Domain() != d.Name {
		return errHostUnknown
	}
	n.domain, n.lang = d.Name, h.Lang
	return nil
}

// header returns our stream header (RFC 6120 §4.7), which comes before anything
// else, an error included.
func (c *conn) header() []byte {
	c.said = true
	b := []byte("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='" + stanza.NSStream + "' version='1.0' xml:lang='en'")
	b = stanza.AppendAttr(b, "id", rand.Text())
	from := c.domain
	if from == "" && len(c.s.srv.Domains()) > 0 {
		from = c.s.srv.Domains()[0].Name
	}
	b = stanza.AppendAttr(b, "from", from)
	return append(b, '>')
}

func (c *conn) say(b []byte) error {
	_, err := c.Write(b)
	return err
}

const nsTLS = "urn:ietf:params:xml:ns:xmpp-tls"

// features appends what the client can do next (RFC 6120 §4.3.2).
func (n *negotiation) features(b []byte) []byte {
	b = append(b, "<stream:features>"...)
	switch {
	case n.stage == known:
		b = append(b, "<bind xmlns='"+nsBind+"'/><session xmlns='"+nsSession+"'><optional/></session>"...)
		if n.s.cfg.Management.Enabled {
			b = append(b, "<sm xmlns='"+nsSM+"'/>"...)
		}
		if n.s.cfg.ClientState {
			b = append(b, "<csi xmlns='"+nsCSI+"'/>"...)
		}
		b = append(b, n.s.srv.StreamFeatures(n.domain)...)
	default:
		if n.tls == nil && n.s.certs.any() {
			b = append(b, "<starttls xmlns='"+nsTLS+"'>"...)
			if n.stage == fresh {
				b = append(b, "<required/>"...)
			}
			b = append(b, "</starttls>"...)
		}
		if n.stage == secure {
			b = append(b, n.mechanisms()...)
			if n.s.registrar != nil {
				b = append(b, n.s.registrar.StreamFeature(n.domain)...)
			}
		}
	}
	return append(b, "</stream:features>"...)
}

// element takes an element of a stream that has no session yet.
func (n *negotiation) element(st *stanza.Stanza) (bound bool, err error) {
	switch {
	case st.Name.Is(nsTLS, "starttls"):
		return false, n.startTLS()
	case string(st.Name.Space) == nsSASL:
		return false, n.sasl(st)
	case n.stage == known:
		return n.beforeBind(st)
	case st.Name.Is(nsSM, "enable"), st.Name.Is(nsSM, "resume"):
		return false, n.tooEarly()
	case st.Kind == stanza.IQ && n.stage == secure && n.s.registrar != nil:
		return false, n.register(st)
	case n.stage == fresh && st.Kind == stanza.Other:
		return false, errNeedTLS
	}
	return false, errNotAuthorized // RFC 6120 §4.9.3.12
}

// maxAsked is how many requests somebody has who makes an account: enough for a
// form and a dozen names that are taken.
const maxAsked = 30

var errAskedTooMuch = &stream.Fault{Condition: mellium.PolicyViolation, Text: "too many requests before login"}

// register answers a request of somebody who has no account yet (XEP-0077).
func (n *negotiation) register(st *stanza.Stanza) error {
	if n.asked++; n.asked > maxAsked {
		return errAskedTooMuch
	}
	reply, handled := n.s.registrar.Unauthenticated(n.ctx, n.domain, n.addr, st)
	if !handled {
		return errNotAuthorized
	}
	return n.say(reply)
}

// startTLS obeys RFC 6120 §5.4.
func (n *negotiation) startTLS() error {
	if n.tls != nil || n.stage == known || !n.s.certs.any() {
		// §5.4.2.2: the stream ends with the failure.
		n.say([]byte("<failure xmlns='" + nsTLS + "'/></stream:stream>"))
		n.said = false
		return io.EOF
	}
	if !n.waiting() {
		return errTooSoon // bytes sent in the clear are not part of the new stream
	}
	if err := n.say([]byte("<proceed xmlns='" + nsTLS + "'/>")); err != nil {
		return err
	}
	if err := n.handshake(false); err != nil {
		n.s.log.Debug("no TLS with a client", "peer", n.addr, "err", err)
		return io.EOF
	}
	n.settle()
	n.stage, n.dialog = secure, dialog{}
	return n.open()
}

// waiting reports whether the client has sent nothing since its last element,
// as it must before a new stream. Whitespace there means nothing, and is dropped
// with the old stream.
// COMPAT(go-xmpp, always): it ends <starttls/> and <response/> with a newline.
func (n *negotiation) waiting() bool {
	return len(bytes.TrimLeft(n.take().Rest(), " \t\r\n")) == 0
}

var errTooSoon = &stream.Fault{Condition: mellium.PolicyViolation, Text: "a new stream begins after the answer, not before"}

// end ends a connection that has no session.
func (c *conn) end(err error) {
	var f *stream.Fault
	switch {
	case errors.As(err, &f):
		c.raw.SetWriteDeadline(time.Now().Add(lastWrite))
		var b []byte
		if !c.said {
			b = c.header() // RFC 6120 §4.9.1.2
		}
		c.say(append(f.Append(b), "</stream:stream>"...))
		c.s.log.Debug("stream ended", "peer", c.addr, "why", f)
	case err == stream.End && c.said:
		c.raw.SetWriteDeadline(time.Now().Add(lastWrite))
		c.say([]byte("</stream:stream>"))
	case !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed):
		c.s.log.Debug("connection lost", "peer", c.addr, "err", err)
	}
	if c.sc != nil {
		scanners.Put(c.sc)
		c.sc = nil
	}
	c.Close()
	c.linger(lingerFor)
	c.s.gone(c)
}
