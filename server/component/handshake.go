package component

import (
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// handshake takes a new connection to where the component has proven that it knows
// the secret of its domain (XEP-0114 §3), and has it serve that domain.
func (c *conn) handshake() error {
	if err := c.open(); err != nil {
		return err
	}
	if _, err := c.nc.Write(c.header()); err != nil {
		return err
	}
	st, err := c.next()
	if err != nil {
		return err
	}
	if err := c.prove(st); err != nil {
		return err
	}
	return c.begin()
}

// open reads the stream header.
func (c *conn) open() error {
	for {
		h, err := c.sc.Header(NSAccept)
		switch {
		case err == stream.Short:
			if err := c.read(); err != nil {
				return err
			}
			continue
		case err != nil && err != stream.ErrUnsupportedVersion: // the protocol has none
			return err
		}
		return c.to(h)
	}
}

// to decides which domain the component is to serve.
func (c *conn) to(h stream.Header) error {
	j, err := jid.Parse(h.To)
	if err != nil || !j.IsDomain() {
		return errHostUnknown
	}
	c.domain, c.annex = c.s.domains[j.Domain()], c.s.srv.Annex(j.Domain())
	if c.domain == nil || c.annex == nil {
		return errHostUnknown
	}
	if len(h.Lang) <= maxLang {
		c.lang = stanza.Escape(h.Lang)
	}
	return nil
}

// maxLang bounds a language tag (RFC 5646 §4.4.1: 35 characters do).
const maxLang = 64

// header returns our stream header, which comes before anything else.
func (c *conn) header() []byte {
	c.said, c.id = true, rand.Text()
	b := []byte("<?xml version='1.0'?><stream:stream xmlns='" + NSAccept + "' xmlns:stream='" + stanza.NSStream + "'")
	if c.domain != nil {
		b = stanza.AppendAttr(b, "from", c.domain.Name)
	}
	return append(stanza.AppendAttr(b, "id", c.id), '>')
}

// prove checks a handshake. Whoever fails too often is not even listened to for a
// while.
func (c *conn) prove(st *stanza.Stanza) error {
	if !st.Name.Is(NSAccept, "handshake") {
		return errNotAuthorized
	}
	key, now := sasl.AddressKey(c.addr)+" "+c.domain.Name, time.Now()
	if c.s.throttle.Allow(now, key) > 0 {
		return errHeldBack
	}
	secret, err := c.domain.secret()
	if err != nil {
		c.s.log.Error("a component cannot be let in", "jid", c.domain.Name, "err", err)
		return errInternal
	}
	if !proves(strings.TrimSpace(stanza.Text(st.Body(nil))), c.id, secret) {
		c.s.throttle.Failed(now, key)
		c.s.srv.Offend(server.Offence{What: "a component was refused", Why: "its secret is wrong", Peer: c.addr, JID: jid.Bare(c.domain.Name)})
		return errNotAuthorized
	}
	c.s.throttle.Succeeded(key)
	return nil
}

// proves reports whether a handshake shows that its sender knows the secret. How
// long that takes says nothing of the secret.
func proves(handshake, id, secret string) bool {
	sum := sha1.Sum([]byte(id + secret))
	return subtle.ConstantTimeCompare([]byte(handshake), []byte(hex.EncodeToString(sum[:]))) == 1
}

// begin has the component serve its domain. Its answer is the first that it gets.
func (c *conn) begin() error {
	if c.annex.Service() != nil {
		return errConflict
	}
	l := c.s.srv.NewLink(c, outgoing)
	l.Control([]byte("<handshake/>"))
	c.nc.SetDeadline(time.Time{})
	c.bucket.Set(c.s.cfg.BytesPerSecond, c.s.cfg.BurstBytes, time.Since(c.s.began))
	c.sc.SetLimits(c.s.cfg.AfterAuth)
	c.sc.Rename(NSAccept, stanza.NSClient)
	c.link.Store(l)
	if err := c.annex.Attach(l); errors.Is(err, server.ErrTaken) {
		return errConflict // another one was faster by a hair
	}
	c.s.log.Info("a component has come", "jid", c.domain.Name, "peer", c.addr)
	return nil
}

// incoming is what a component's stanza is here: the namespace of clients stands for
// that of its stream, however it is written.
func incoming(st *stanza.Stanza) (*stanza.Stanza, error) {
	if !bytes.Contains(st.Raw, []byte(NSAccept)) {
		return st, nil
	}
	raw := st.Append(nil, stanza.Escape(stanza.Text(st.From)), stanza.Escape(stanza.Text(st.To)))
	return server.Whole(stanza.Rename(raw, NSAccept, stanza.NSClient, stream.MaxDepth))
}

// outgoing is the reverse, but for stanzas that are forwarded inside of one: they
// stay what they are.
func outgoing(raw []byte) []byte { return stanza.Rename(raw, stanza.NSClient, NSAccept, 1) }
