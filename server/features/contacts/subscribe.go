package contacts

import (
	"errors"
	"strconv"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// event tells whether a packet is about a subscription.
func event(p *server.Packet) (roster.Event, bool) {
	if len(p.Stanza.Type) == 0 {
		return 0, false
	}
	return roster.ParseEvent(string(p.Stanza.Type))
}

// leave takes a subscription stanza of a client of ours (RFC 6121 §3.1.2,
// §3.1.5, §3.2.2, §3.3.2). It goes on to the contact from the bare address.
func (f *Feature) leave(p *server.Packet) error {
	e, ok := event(p)
	if !ok {
		return nil
	}
	owner, contact := p.Account.JID, p.To.Bare()
	if contact == owner {
		return server.Done // everybody sees their own presence
	}
	if p.Account.ID == 0 {
		return stanza.ErrNotAllowed
	}
	if e == roster.Subscribe {
		if err := f.reach(owner, contact); err != nil {
			return err // and the roster says nothing of it
		}
		// The contact's side refuses it in silence, so this is the place to say.
		if len(p.Stanza.Raw) > f.maxRequest {
			return stanza.Refuse(stanza.ErrPolicyViolation, "a subscription request has at most %d bytes", f.maxRequest)
		}
	}
	var t *turn
	res, err := f.book.Outbound(f.srv.Context(), owner, contact, e, func(res roster.Result) {
		if res.Forward {
			t = f.line.hold(owner, f.pushing(owner, res.Push))
			return
		}
		f.pushAll(owner, res.Push)
		if res.Echo != 0 { // a shared group has given it already
			f.deliver(owner, res.Echo, f.stanza(contact, owner, res.Echo, stanza.Text(p.Stanza.ID)))
		}
	})
	if err != nil {
		return refusal(err)
	}
	if res.Notice == roster.SendUnavailable {
		f.presence.Hide(owner, contact)
	}
	if t != nil {
		err = f.forward(p)
		f.release(owner, t)
	}
	if err == nil && res.Notice == roster.SendCurrent {
		f.presence.Show(owner, contact)
	}
	f.changed(owner)
	if err != nil {
		return err
	}
	return server.Done
}

// Ask asks a contact, on an owner's behalf, whether the owner may see them. It is for
// what an owner does by other means than a client.
func (f *Feature) Ask(owner, contact jid.Bare) error {
	if err := f.reach(owner, contact); err != nil {
		return err
	}
	var t *turn
	_, err := f.book.Outbound(f.srv.Context(), owner, contact, roster.Subscribe, func(res roster.Result) {
		if res.Forward {
			t = f.line.hold(owner, f.pushing(owner, res.Push))
			return
		}
		f.pushAll(owner, res.Push)
	})
	if err != nil {
		return refusal(err)
	}
	if t != nil {
		f.post(owner, contact, roster.Subscribe, "")
		f.release(owner, t)
	}
	f.changed(owner)
	return nil
}

// reach refuses a request that nobody can be asked, unless groups have answered
// it already.
func (f *Feature) reach(owner, contact jid.Bare) error {
	none := f.srv.Reach(contact.Domain())
	if none == nil {
		return nil
	}
	r, err := f.book.Of(f.srv.Context(), owner)
	if err != nil {
		return refusal(err)
	}
	if r.Shared(contact).Has(roster.To) {
		return nil
	}
	return none
}

// forward routes a subscription stanza of a client of ours, from the bare address
// (RFC 6121 §3) to the bare address (§3.1.2, rule 1).
func (f *Feature) forward(p *server.Packet) error {
	raw := p.Stanza.Append(nil, p.Account.Attr(), stanza.Escape(string(p.To.Bare())))
	return f.srv.Post(f.srv.Context(), p.Sender, raw)
}

// arrive takes a subscription stanza that is for an account of ours (RFC 6121
// §3.1.3, §3.1.6, §3.2.3, §3.3.3).
func (f *Feature) arrive(p *server.Packet) error {
	e, ok := event(p)
	if !ok {
		return nil
	}
	owner, contact := p.Account.JID, p.From.Bare()
	if owner == contact || p.Account.ID == 0 {
		return server.Done
	}
	raw := p.Stanza.Append(nil, stanza.Escape(string(contact)), p.Account.Attr())
	res, err := f.book.Inbound(f.srv.Context(), owner, contact, e, raw, func(res roster.Result) {
		if res.Forward {
			f.deliver(owner, e, raw)
		}
		f.pushAll(owner, res.Push)
	})
	if err != nil {
		if errors.Is(err, stanza.ErrPolicyViolation) || errors.Is(err, roster.ErrNoAccount) {
			// The owner has too many contacts or requests. An error would tell
			// that the account exists. Or it was removed just now, and does not.
			return server.Done
		}
		return err
	}
	id := stanza.Text(p.Stanza.ID) // the packet ends here
	answer := func() { f.answer(owner, contact, &res, id) }
	if !f.line.answer(contact, answer) {
		answer()
	}
	return server.Done
}

// answer tells a contact what follows at once from its subscription stanza.
func (f *Feature) answer(owner, contact jid.Bare, res *roster.Result, id string) {
	if res.Notice == roster.SendUnavailable {
		f.presence.Hide(owner, contact)
	}
	if res.Reply != 0 {
		f.post(owner, contact, res.Reply, id)
	}
	if res.Notice == roster.SendCurrent {
		f.presence.Show(owner, contact)
	}
	f.changed(owner)
}

// deliver hands a subscription stanza to the owner's clients: a request to those
// that are available (RFC 6121 §3.1.3, rule 3), the rest to those that get the
// roster push which it explains (§3.1.6, §3.2.3, §3.3.3).
func (f *Feature) deliver(owner jid.Bare, e roster.Event, raw []byte) {
	if e != roster.Subscribe {
		f.eachInterested(owner, func(s *server.Session) {
			if s.Lets(raw) {
				s.Send(stanza.Presence, raw)
			}
		})
		return
	}
	if a := f.srv.Connected(owner); a != nil {
		for _, s := range a.Sessions() {
			if s.Availability() != nil && s.Lets(raw) {
				s.Send(stanza.Presence, raw)
			}
		}
	}
}

// post sends a subscription stanza on an owner's behalf; without an id it gets
// one of its own.
func (f *Feature) post(owner, contact jid.Bare, e roster.Event, id string) {
	if err := f.srv.Post(f.srv.Context(), nil, f.stanza(owner, contact, e, id)); err != nil {
		f.srv.Log().Error("a subscription stanza could not be sent", "jid", owner, "peer", contact, "err", err)
	}
}

func (f *Feature) stanza(from, to jid.Bare, e roster.Event, id string) []byte {
	b := append(append([]byte("<presence type='"), e.String()...), "' id='"...)
	if id == "" {
		b = f.appendID(b, "sub")
	} else {
		b = stanza.AppendText(b, id)
	}
	b = stanza.AppendText(append(b, "' from='"...), string(from))
	b = stanza.AppendText(append(b, "' to='"...), string(to))
	return append(b, "'/>"...)
}

func (f *Feature) appendID(b []byte, prefix string) []byte {
	return strconv.AppendUint(append(append(b, prefix...), '-'), f.pushes.Add(1), 36)
}
