package server

import (
	"context"
	"errors"
	"time"

	mellium "mellium.im/xmpp/stanza"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// answer has a request answered: exactly one result or error by construction.
func (srv *Server) answer(ctx context.Context, p *Packet, t Target) error {
	c := &p.Stanza.Children[0]
	f := srv.reg.iq[iqKey{t, p.Stanza.IsType("set"), string(c.Space), string(c.Local)}]
	if f == nil {
		return stanza.ErrServiceUnavailable // RFC 6120 §8.4, RFC 6121 §8.5.1
	}
	r := &Request{From: p.From, To: p.To, Session: p.Sender, Set: p.Stanza.IsType("set"), Stanza: p.Stanza, packet: p}
	if t != ToHost {
		r.Account = p.Account
	}
	if r.Payload = p.Stanza.Payload(); r.Payload == nil {
		return stanza.ErrBadRequest
	}
	payload, err := f(ctx, r)
	if err != nil && !r.replied {
		return err
	}
	r.Reply(payload)
	for _, f := range r.after {
		f()
	}
	return nil
}

// reply sends the result of a request.
func (srv *Server) reply(p *Packet, payload []byte) {
	b := appendReplyTag(p.scratch.out[:0], p, "result")
	if len(payload) == 0 {
		b = append(b, "/>"...)
	} else {
		b = append(append(append(b, '>'), payload...), "</iq>"...)
	}
	srv.send(p, b) // which copies it
	p.scratch.out = b
}

// appendReplyTag appends the tag of an answer to a stanza, up to its ">".
func appendReplyTag(b []byte, p *Packet, typ string) []byte {
	b = append(append(b, '<'), p.Stanza.Kind.String()...)
	b = append(append(append(b, " type='"...), typ...), '\'')
	if p.Stanza.ID != nil {
		// The id stood between quotes of either kind.
		b = append(stanza.AppendText(append(b, " id='"...), stanza.Text(p.Stanza.ID)), '\'')
	}
	if p.Stanza.To != nil {
		b = append(append(append(b, " from='"...), p.toAttr...), '\'')
	}
	return append(append(append(b, " to='"...), p.senderAttr()...), '\'')
}

// senderAttr is the escaped address of the real sender.
func (p *Packet) senderAttr() string {
	if p.Sender != nil {
		return p.Sender.full
	}
	return stanza.Escape(p.From.String())
}

// fromAttr is the escaped address that goes into from.
func (p *Packet) fromAttr() string {
	if p.Stamp != "" {
		return p.Stamp
	}
	return p.senderAttr()
}

// refuse tells the sender of a stanza why it came to nothing. There is one
// error for a stanza, and none for an answer (RFC 6120 §8.3.1).
func (srv *Server) refuse(p *Packet, err error) {
	refusal, known := stanza.AsError(err)
	if !known {
		refusal = srv.unclassified(p, err)
	}
	switch string(p.Stanza.Type) {
	case "error":
		return
	case "result":
		if p.Stanza.Kind == stanza.IQ {
			return
		}
	}
	b := append(appendReplyTag(nil, p, "error"), '>')
	b = refusal.Append(b)
	b = append(append(append(b, "</"...), p.Stanza.Kind.String()...), '>')
	srv.send(p, b)
}

// Classifier is implemented by errors that know their own condition.
type Classifier interface{ Refusal() *stanza.Error }

func (srv *Server) unclassified(p *Packet, err error) *stanza.Error {
	var c Classifier
	if errors.As(err, &c) {
		if r := c.Refusal(); r != nil {
			return r
		}
	}
	if errors.Is(err, context.Canceled) {
		return &stanza.Error{Type: mellium.Wait, Condition: mellium.ServiceUnavailable}
	}
	srv.log.Error("a stanza could not be handled", "jid", p.From, "peer", p.To, "kind", p.Stanza.Kind, "err", err)
	return &stanza.Error{Type: mellium.Wait, Condition: mellium.InternalServerError}
}

// send sends an answer to the sender of a packet.
func (srv *Server) send(p *Packet, raw []byte) {
	if p.Sender != nil {
		p.Sender.Send(p.Stanza.Kind, raw)
		return
	}
	srv.sendTo(p.From, p.Stanza.Kind, raw)
}

// sendTo sends a whole stanza to the very session that an address names, or to
// the annex that it is at.
func (srv *Server) sendTo(to jid.JID, k stanza.Kind, raw []byte) {
	if x := srv.annexes[to.Domain()]; x != nil {
		if err := x.Send(raw); err != nil {
			srv.log.Debug("an answer could not be sent", "peer", to, "err", err)
		}
		return
	}
	if a := srv.dir.lookup(to.Bare()); a != nil {
		if s := a.Session(to.Resource()); s != nil {
			s.Send(k, raw)
		}
	}
}

// parse returns a stanza that was put together here.
func parse(raw []byte) (*stanza.Stanza, error) {
	l := stream.Limits{Stanza: len(raw) + 1, Tag: len(raw) + 1, Depth: 128, Attrs: 64, Namespaces: 1 << 16}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}})
	return sc.Whole(raw)
}

// Post routes a stanza that the server itself puts together on behalf of from,
// past the phases of leaving. What an account itself says goes only to whom its
// filter lets it; of what is said for a session the caller has to know. sender, if
// not nil, is the session whose
// goroutine it runs on and that hears of errors.
func (srv *Server) Post(ctx context.Context, sender *Session, raw []byte) error {
	st, err := parse(raw)
	if err != nil {
		return err
	}
	from, err := jid.Parse(stanza.Text(st.From))
	if err != nil {
		return err
	}
	to, err := jid.Parse(stanza.Text(st.To))
	if err != nil {
		return err
	}
	sc := scratches.Get().(*scratch)
	defer sc.release()
	p := &sc.leaving
	*p = Packet{Stanza: st, From: from, To: to, Sender: sender, scratch: sc, srv: srv, toAttr: stanza.Escape(to.String()), Stamp: stanza.Escape(from.String())}
	if sender == nil && !srv.speaksFor(ctx, p) {
		return nil
	}
	if err := srv.route(ctx, p); err != nil && err != Done {
		srv.refuse(p, err)
	}
	return nil
}

// redeliver finds another way for what a session's client never got: messages
// that nobody else has go to another resource or into store (XEP-0198 §5),
// requests are answered in its place.
func (srv *Server) redeliver(ctx context.Context, s *Session, all []left) {
	for i := range all {
		l := &all[i]
		switch {
		case l.kind == stanza.Message && l.sole && l.ref == 0:
			srv.again(ctx, s.Account, l.raw, time.Unix(l.at, 0))
		case l.kind == stanza.IQ:
			srv.bounce(l.raw, stanza.ErrServiceUnavailable)
		}
	}
}

// retry delivers a message whose receiver went away while it was delivered.
func (srv *Server) retry(raw []byte, a *Account) { srv.again(srv.ctx, a, raw, time.Now()) }

func (srv *Server) again(ctx context.Context, a *Account, raw []byte, at time.Time) {
	st, err := parse(raw)
	if err != nil {
		srv.log.Error("a message could not be delivered again", "jid", a.JID, "err", err)
		return
	}
	from, err := jid.Parse(stanza.Text(st.From))
	to, err2 := jid.Parse(stanza.Text(st.To))
	if err != nil || err2 != nil {
		return
	}
	now, ok := srv.dir.lookup(a.JID), true
	if now == nil {
		if now, ok, err = srv.Account(ctx, a.JID); err != nil || !ok {
			srv.bounce(raw, stanza.ErrServiceUnavailable)
			return
		}
	}
	sc := scratches.Get().(*scratch)
	defer sc.release()
	q := &sc.arriving
	*q = Packet{Stanza: st, From: from, To: to, Account: now, Again: true, Since: at, scratch: sc, srv: srv, toAttr: stanza.Escape(to.String())}
	if q.Action = Decide(situation(q, now, true)); q.Action == Refuse || q.keptOut() {
		srv.refuse(q, stanza.ErrServiceUnavailable)
		return
	}
	if err := srv.record(q); err != nil {
		if err != Done {
			srv.refuse(q, err)
		}
		return
	}
	srv.deliver(q)
}

// bounce answers a stanza that was to be delivered with an error.
func (srv *Server) bounce(raw []byte, err error) {
	st, perr := parse(raw)
	if perr != nil {
		return
	}
	from, e1 := jid.Parse(stanza.Text(st.From))
	to, e2 := jid.Parse(stanza.Text(st.To))
	if e1 != nil || e2 != nil {
		return
	}
	srv.refuse(&Packet{Stanza: st, From: from, To: to, srv: srv, toAttr: stanza.Escape(to.String())}, err)
}

// Lost tells the sender of a message that it could not be stored. The Keeper
// calls it, once for each message of a write that failed.
func (srv *Server) Lost(k *Kept, err error) { srv.bounce(k.Stanza, err) }
