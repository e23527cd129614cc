package c2s

import (
	"crypto/rand"
	"errors"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// beforeBind takes an element of an authenticated stream without a resource:
// only binding one or resuming a session makes sense here (RFC 6120 §7.1).
func (n *negotiation) beforeBind(st *stanza.Stanza) (bound bool, err error) {
	switch {
	case st.Name.Is(nsSM, "resume"):
		return n.resumeSession(st)
	case st.Name.Is(nsSM, "enable"):
		return false, n.say(failed("unexpected-request", "bind a resource first"))
	case st.Kind == stanza.IQ && st.IsType("set") && len(st.Children) == 1 && st.Children[0].Is(nsBind, "bind"):
		return n.bind(st)
	}
	return false, errNotAuthorized
}

// bind makes the session and lets it take the connection over.
func (n *negotiation) bind(st *stanza.Stanza) (bool, error) {
	if st.ID == nil {
		return false, n.refuseIQ("", stanza.ErrBadRequest)
	}
	resource, err := n.resource(st)
	if err != nil {
		return false, n.refuseIQ(stanza.Text(st.ID), stanza.Refuse(stanza.ErrBadRequest, "that is no resource"))
	}
	id := stanza.Text(st.ID) // the view ends here
	s, err := n.s.srv.Bind(n.ctx, n.account, resource, n.conn)
	if errors.Is(err, server.ErrTooManySessions) {
		refusal, _ := stanza.AsError(err)
		return false, n.refuseIQ(id, refusal)
	}
	if f := turnedAway(err); f != nil {
		return false, f
	}
	if err != nil {
		n.s.log.Error("a resource could not be bound", "jid", n.account.JID, "err", err)
		return false, errInternal
	}
	b := stanza.AppendAttr([]byte("<iq type='result'"), "id", id)
	b = append(append(b, "><bind xmlns='"+nsBind+"'><jid>"...), s.Full()...)
	n.raw.SetDeadline(time.Time{})
	s.Control(append(b, "</jid></bind></iq>"...))
	n.begin(s)
	return true, nil
}

// turnedAway is the fault for somebody whose account was disabled or removed
// while they logged in.
func turnedAway(err error) error {
	switch {
	case errors.Is(err, server.ErrDisabled):
		return &stream.Fault{Condition: mellium.NotAuthorized, Text: "the account is disabled"}
	case errors.Is(err, stanza.ErrItemNotFound):
		return &stream.Fault{Condition: mellium.NotAuthorized, Text: "the account was removed"}
	}
	return nil
}

// resource returns the resource that the client wants, or one made for it
// (RFC 6120 §7.6, §7.7).
func (n *negotiation) resource(st *stanza.Stanza) (string, error) {
	want := ""
	if e := st.Payload(); e != nil {
		want = e.ChildText(nsBind, "resource")
	}
	if want == "" {
		return rand.Text()[:16], nil
	}
	return jid.Resource(want)
}

func (n *negotiation) refuseIQ(id string, e *stanza.Error) error {
	b := stanza.AppendAttr([]byte("<iq type='error'"), "id", id)
	return n.say(append(e.Append(append(b, '>')), "</iq>"...))
}

// begin hands the connection to a fresh goroutine: the one that negotiated has
// grown a stack that reading does not need.
func (n *negotiation) begin(s *server.Session) {
	c := n.conn
	s.Heard(time.Now().Unix())
	s.Speak(n.lang)
	l := n.s.limits.Load()
	c.bucket.Set(l.BytesPerSecond, l.BurstBytes, c.s.clock())
	if c.sc != nil {
		c.sc.SetLimits(l.AfterAuth.scanner())
	}
	if w, ok := c.raw.(*socket); ok {
		w.begin()
		c.wait = w
	}
	c.session.Store(s) // from here on the watch looks at it
	ctx := n.ctx
	n.s.wg.Go(func() { c.serve(ctx) })
}
