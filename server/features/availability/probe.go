package availability

import (
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// probing looks at a probe that a client sends. It is answered where it
// arrives, unless there is nobody; and a client never gets an error for it
// (RFC 6121 §4.3).
func (f *Feature) probing(p *server.Packet) error {
	if _, here := f.srv.Domain(p.To.Domain()); !here || p.To.Local() == "" {
		return nil
	}
	_, exists, err := f.srv.Account(f.srv.Context(), p.To.Bare())
	if err != nil {
		f.srv.Log().Error("a probe could not be answered", "jid", p.From, "peer", p.To, "err", err)
		return server.Done
	}
	if !exists {
		f.disown(p.From.Bare(), p.To.Bare(), stanza.Text(p.Stanza.ID))
		return server.Done
	}
	return nil
}

// probed answers a probe for an account that exists (RFC 6121 §4.3.2).
func (f *Feature) probed(p *server.Packet) error {
	if !p.Stanza.IsType("probe") || p.Sender == nil && p.Annex == nil {
		return nil
	}
	r, err := f.roster(p.Account)
	if err != nil {
		f.srv.Log().Error("a probe could not be answered", "jid", p.From, "peer", p.To, "err", err)
		return server.Done
	}
	var of *server.Session
	if p.To.IsFull() {
		of = p.Account.Session(p.To.Resource())
	}
	switch {
	case p.Annex != nil:
		f.probedFrom(p, r, of)
	case p.From.Bare() == p.Account.JID || r.State(p.From.Bare()).Has(roster.From):
		f.reveal(p, of)
	case of != nil && f.directed.has(of, p.From) && sees(p.Sender, of):
		reply(p, of.Full(), "") // RFC 6121 §4.6.6: no more than that
	default:
		f.disown(p.From.Bare(), p.Account.JID, stanza.Text(p.Stanza.ID))
	}
	return server.Done
}

// reveal answers somebody who may know; of is the resource that was asked for,
// if there is one.
func (f *Feature) reveal(p *server.Packet, of *server.Session) {
	if p.To.IsFull() {
		typ := "unavailable"
		if of != nil && !f.hides(of, p.From.Bare()) && sees(p.Sender, of) {
			typ = "" // and nothing about how available it is
		}
		if of == nil && p.To.Resource() == StandIn && f.meet(p.Sender, p.Sender.Full(), p.Account.JID) {
			return
		}
		reply(p, stanza.Escape(p.To.String()), typ)
		return
	}
	shown := false
	for _, s := range p.Account.Sessions() {
		shown = f.pass(p.Sender, p.Sender.Full(), s) || shown
	}
	if !shown && !f.meet(p.Sender, p.Sender.Full(), p.Account.JID) {
		reply(p, p.Account.Attr(), "unavailable") // RFC 6121 §4.3.2, rule 3
	}
}

// reply sends a mere presence to who has sent a probe. It has the probe's id
// where it is not somebody's own presence (RFC 6121 §4.3.2.1).
func reply(p *server.Packet, from, typ string) {
	b := append(append([]byte("<presence from='"), from...), '\'')
	b = append(append(append(b, " to='"...), p.Sender.Full()...), '\'')
	b = stanza.AppendAttr(b, "type", typ)
	if typ != "" {
		b = stanza.AppendAttr(b, "id", stanza.Text(p.Stanza.ID))
	}
	p.Sender.Send(stanza.Presence, append(b, "/>"...))
}

// disown tells somebody that there is no subscription to a contact, or no such
// contact: nobody can tell which (RFC 6121 §4.3.2, rule 1). That says something
// new only to those who believe that there is one. To others it would at most
// take back a request that still waits.
func (f *Feature) disown(prober, contact jid.Bare, id string) {
	a := f.srv.Connected(prober)
	if a == nil {
		return
	}
	r, err := f.roster(a)
	if err != nil || !r.State(contact).Has(roster.To) {
		return
	}
	b := stanza.AppendAttr([]byte("<presence type='unsubscribed'"), "id", id)
	b = stanza.AppendAttr(b, "from", string(contact))
	b = stanza.AppendAttr(b, "to", string(prober))
	f.post(append(b, "/>"...))
}
