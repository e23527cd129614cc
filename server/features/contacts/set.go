package contacts

import (
	"context"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// set answers a roster set (RFC 6121 §2.3 to §2.5).
func (f *Feature) set(_ context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, stanza.ErrNotAllowed
	}
	edit, remove, err := parseSet(r.Payload)
	if err != nil {
		return nil, err
	}
	owner := r.Account.JID
	if !remove {
		// RFC 6121 §2.3.2 has the result first.
		_, err = f.book.Set(f.srv.Context(), owner, edit, func(res roster.Result) {
			r.Reply(nil)
			f.pushAll(owner, res.Push)
		})
		f.changed(owner)
		return nil, refusal(err)
	}
	// RFC 6121 §2.5.2 has the push first and the result after it. Whoever hears of
	// the success can rely on all of it: the contact is gone here, and was told.
	push := func(res roster.Result) { f.pushAll(owner, res.Push) }
	res, err := f.book.Remove(f.srv.Context(), owner, edit.Contact, push)
	if err != nil {
		return nil, refusal(err)
	}
	if res.Notice == roster.SendUnavailable {
		f.presence.Hide(owner, edit.Contact)
	}
	f.part(owner, edit.Contact, res.Farewell)
	f.changed(owner)
	return nil, nil
}

// part sends the contact what ends the subscriptions (RFC 6121 §2.5.2).
func (f *Feature) part(owner, contact jid.Bare, farewell []roster.Event) {
	for _, e := range farewell {
		f.post(owner, contact, e, "")
	}
}

// parseSet reads the one item of a roster set. Its values are for the book to
// check.
func parseSet(query *stanza.Element) (e roster.Edit, remove bool, err error) {
	var item *stanza.Element
	for _, c := range query.Elements() {
		if !c.Is(namespace, "item") {
			continue
		}
		if item != nil {
			return e, false, stanza.Refuse(stanza.ErrBadRequest, "a roster set has one item") // RFC 6121 §2.3.3
		}
		item = c
	}
	if item == nil {
		return e, false, stanza.Refuse(stanza.ErrBadRequest, "a roster set has one item") // RFC 6121 §2.1.5
	}
	address, ok := item.LookupAttr("jid")
	if !ok {
		return e, false, stanza.Refuse(stanza.ErrBadRequest, "the item has no address") // RFC 6121 §2.1.2.3
	}
	j, err := jid.Parse(address)
	if err != nil {
		return e, false, stanza.ErrMalformedJID
	}
	if j.IsFull() {
		return e, false, stanza.Refuse(stanza.ErrBadRequest, "a contact's address has no resource")
	}
	e.Contact, e.Name = j.Bare(), item.Attr("name")
	for _, c := range item.Elements() {
		if c.Is(namespace, "group") {
			e.Groups = append(e.Groups, c.Text())
		}
	}
	// RFC 6121 §2.1.5, rule 2: any other value is ignored, and so are ask and
	// approved.
	return e, item.Attr("subscription") == "remove", nil
}
