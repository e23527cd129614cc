package uplink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"mellium.im/xmpp/component"
	melliumjid "mellium.im/xmpp/jid"
	mellium "mellium.im/xmpp/stream"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// nsAccept is the namespace of the stream.
const nsAccept = component.NSAccept

// refusal is that the server does not want us, in words for whoever runs the gateway.
type refusal struct {
	condition, text string
}

// Error implements error.
func (r *refusal) Error() string {
	said := "the server says " + r.condition
	if r.text != "" {
		said += fmt.Sprintf(" (%q)", r.text)
	}
	switch r.condition {
	case "not-authorized":
		return said + ": the secret is not the one that it has for this domain, or it has no such component"
	case "host-unknown", "host-gone":
		return said + ": it has no component of this domain, or that is not the port for components"
	case "invalid-namespace":
		return said + ": that is not the port for components"
	case "conflict":
		return said + ": the domain is served by another component already"
	}
	return said
}

// connect opens a connection and proves the secret.
func (l *Link) connect(ctx context.Context) (*conn, error) {
	secret, err := l.parts.Secret()
	if err != nil {
		return nil, fmt.Errorf("the secret cannot be read: %w", err)
	}
	domain, err := melliumjid.Parse(l.parts.Domain)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, greetIn)
	defer cancel()
	nc, err := l.parts.Dial(ctx, l.parts.Config.Server)
	if err != nil {
		return nil, err
	}
	cut := context.AfterFunc(ctx, func() { nc.Close() })
	heard := &recorder{Conn: nc}
	_, err = component.NewSession(ctx, domain, []byte(secret), heard)
	if !cut() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		var c *conn
		if c, err = l.proven(nc, heard.bytes); err == nil {
			return c, nil
		}
	}
	nc.Close()
	return nil, inWords(ctx, err, heard.over)
}

// inWords puts a handshake that came to nothing into words. over is that the server has
// cut it off.
func inWords(ctx context.Context, err error, over bool) error {
	var e mellium.Error
	switch {
	case errors.As(err, &e):
		text := ""
		if len(e.Text) > 0 {
			text = e.Text[0].Value
		}
		return &refusal{e.Err, clip(text)}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errors.New("the server does not answer; is that the port for components?")
	case over:
		return errors.New("the server has cut the connection during the handshake; is that the port for components, and is the domain one of its components?")
	}
	return fmt.Errorf("the handshake failed: %w", err)
}

// clip bounds a text of the server's for the log.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// refusedBy is the error by which the server ends the stream.
func refusedBy(st *stanza.Stanza) error {
	r := &refusal{condition: "undefined-condition"}
	e, err := st.Element()
	if err != nil {
		return r
	}
	for _, x := range e.Elements() {
		switch {
		case x.Space != mellium.NSError:
		case x.Local == "text":
			r.text = clip(x.Text())
		default:
			r.condition = x.Local
		}
	}
	switch {
	case r.condition == "conflict":
		return r
	case r.text != "": // the stream stood, so it was let in
		return fmt.Errorf("the server has ended the stream: %s (%q)", r.condition, r.text)
	}
	return fmt.Errorf("the server has ended the stream: %s", r.condition)
}

// proven makes a connection of which the handshake is done: what was heard of it is read
// once more, so that the scanner is where the stream is.
func (l *Link) proven(nc net.Conn, heard []byte) (*conn, error) {
	c := &conn{l: l, nc: nc, out: newOutbox(l.parts.Outbox), sc: stream.New(l.parts.Limits)}
	for len(heard) > 0 {
		n := copy(c.sc.Space(), heard)
		c.sc.Filled(n)
		heard = heard[n:]
	}
	h, err := c.sc.Header(nsAccept)
	if err != nil && err != stream.ErrUnsupportedVersion { // the protocol has none
		return nil, err
	}
	if st, err := c.sc.Next(); err != nil || !st.Name.Is(nsAccept, "handshake") {
		return nil, errors.Join(errors.New("there was no handshake"), err)
	}
	if len(h.Lang) <= 64 {
		c.lang = stanza.Escape(h.Lang)
	}
	c.sc.Rename(nsAccept, stanza.NSClient)
	nc.SetDeadline(time.Time{})
	return c, nil
}

// recorder keeps what is read from a connection, within reason.
type recorder struct {
	net.Conn
	bytes []byte
	over  bool // there is no more
}

// Read implements net.Conn.
func (r *recorder) Read(b []byte) (int, error) {
	if len(r.bytes) >= hello {
		return 0, errors.New("the server says too much before it lets us in")
	}
	n, err := r.Conn.Read(b)
	r.bytes, r.over = append(r.bytes, b[:n]...), err == io.EOF
	return n, err
}
