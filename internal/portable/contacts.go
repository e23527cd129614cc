package portable

import (
	"cmp"
	"encoding/xml"
	"slices"
	"strings"
	"unicode/utf8"

	"rollcall/roster"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// roster reads the contacts (XEP-0227 §4.4), in the form of RFC 6121 §2.1.2.
func (r *reader) roster(start xml.StartElement) error {
	if r.a.Parcel.Roster == nil {
		r.a.Parcel.Roster = []roster.Item{}
	}
	return r.elements(func(n xml.Name) bool { return n.Local == "item" }, func(where Place, e *stanza.Element) error {
		r.item(where, e)
		return nil
	})
}

func (r *reader) item(where Place, e *stanza.Element) {
	who, err := r.address(e.Attr("jid"))
	switch {
	case err != nil:
		r.tell(where, "the contact %.100q has no valid address and is left out", e.Attr("jid"))
		return
	case who.Bare() == r.a.Parcel.Account:
		r.tell(where, "nobody is in their own roster; the contact is left out")
		return
	case e.Attr("subscription") == "remove":
		return
	}
	if who.IsFull() {
		r.tell(where, "the contact %s is kept without its resource", who)
	}
	it := &roster.Item{Contact: who.Bare(), Name: r.name(where, who.Bare(), e.Attr("name"), r.o.Roster.MaxNameBytes), State: state(e)}
	for _, g := range e.Elements() {
		if g.Local == "group" {
			it.Groups = append(it.Groups, r.name(where, who.Bare(), g.Text(), r.o.Roster.MaxGroupBytes))
		}
	}
	it.Groups = r.groups(where, it)
	if x := e.Child(nsAccount, "shared"); x != nil {
		it.Noted = x.Attr("noted") == "true" && it.State == roster.None
		for _, g := range x.Elements() {
			it.Left = append(it.Left, g.Text())
		}
	}
	if before := r.a.contacts[it.Contact]; before != nil {
		r.tell(where, "the contact %s is there twice; what both say is put together", it.Contact)
		before.Name = cmp.Or(before.Name, it.Name)
		before.Groups = r.groups(where, &roster.Item{Contact: it.Contact, Groups: append(before.Groups, it.Groups...)})
		before.State = tidy(before.State | it.State)
		return
	}
	r.a.contacts[it.Contact] = it
}

// state is what an item's attributes say.
func state(e *stanza.Element) (s roster.State) {
	switch e.Attr("subscription") {
	case "to":
		s = roster.To
	case "from":
		s = roster.From
	case "both":
		s = roster.Both
	}
	if e.Attr("ask") == "subscribe" {
		s |= roster.PendingOut
	}
	if a := e.Attr("approved"); a == "true" || a == "1" {
		s |= roster.Approved
	}
	return tidy(s)
}

// tidy takes out of a state what cannot be in it (RFC 6121 §A.1): who is
// subscribed has been answered.
func tidy(s roster.State) roster.State {
	if s.Has(roster.To) {
		s &^= roster.PendingOut
	}
	if s.Has(roster.From) {
		s &^= roster.PendingIn | roster.Approved
	}
	return s
}

// name makes a name of a contact or a group one that can be kept.
func (r *reader) name(where Place, of jid.Bare, name string, most int) string {
	if len(name) > most {
		r.tell(where, "a name of the contact %s has more than %d bytes and is cut", of, most)
		for name = name[:most]; !utf8.ValidString(name); name = name[:len(name)-1] {
		}
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return -1
		}
		return c
	}, name)
}

// groups drops what RFC 6121 §2.3.3 does not allow.
func (r *reader) groups(where Place, it *roster.Item) (kept []string) {
	for _, g := range it.Groups {
		e := roster.Edit{Contact: it.Contact, Groups: append(kept, g)}
		if r.o.Roster.Check(r.a.Parcel.Account, e) == nil {
			kept = append(kept, g)
		} else if g != "" && !slices.Contains(kept, g) {
			r.tell(where, "the contact %s is not in the group %.50q: it is in too many, or in one of the same name", it.Contact, g)
		}
	}
	return kept
}

// request reads a request to subscribe that waits for an answer (XEP-0227
// §4.9).
func (r *reader) request(start xml.StartElement) error {
	where := r.doc.place()
	e, err := r.doc.element(start)
	if err != nil {
		return err
	}
	plain(e)
	if e.Attr("type") != "subscribe" {
		r.notes.leave("presence that is no request", where, 1)
		return nil
	}
	from, err := r.address(e.Attr("from"))
	if err != nil || from.Bare() == r.a.Parcel.Account {
		r.tell(where, "a request of %.100q, who can be nobody, is left out", e.Attr("from"))
		return nil
	}
	if r.a.Parcel.Roster == nil {
		r.a.Parcel.Roster = []roster.Item{}
	}
	// As it would have come: RFC 6121 §3.1.3.
	raw, ok := r.stanza(where, e, string(from.Bare()), string(r.a.Parcel.Account))
	if len(raw) > r.o.Roster.MaxRequestBytes {
		e.Nodes = nil
		raw, ok = r.stanza(where, e, string(from.Bare()), string(r.a.Parcel.Account))
		r.tell(where, "the request of %s is too large and is kept without what it says", from.Bare())
	}
	if ok {
		r.a.requests[from.Bare()] = raw
	}
	return nil
}

// finishRoster puts contacts and requests together.
func (r *reader) finishRoster() {
	for from, raw := range r.a.requests {
		it := r.a.contacts[from]
		if it == nil {
			it = &roster.Item{Contact: from, Hidden: true}
			r.a.contacts[from] = it
		}
		if !it.State.Has(roster.From) {
			it.State |= roster.PendingIn
			it.Request = raw
		}
	}
	for _, it := range r.a.contacts {
		r.a.Parcel.Roster = append(r.a.Parcel.Roster, *it)
	}
	sortRoster(r.a.Parcel.Roster)
}

func sortRoster(items []roster.Item) {
	slices.SortFunc(items, func(a, b roster.Item) int { return cmp.Compare(a.Contact, b.Contact) })
}

func (x *exporting) roster() error {
	items := slices.Clone(x.parcel.Roster)
	sortRoster(items)
	b := []byte("<query xmlns='jabber:iq:roster'>")
	for i := range items {
		if !items[i].Hidden {
			b = appendItem(b, &items[i])
		}
	}
	if err := x.line(append(b, "</query>"...)); err != nil {
		return err
	}
	for i := range items {
		if !items[i].PendingIn() || len(items[i].Request) == 0 {
			continue
		}
		e, err := stanza.Parse(items[i].Request, stanza.NSClient, nil)
		if err != nil {
			return err
		}
		if err := x.line(e.Canonical(NS)); err != nil {
			return err
		}
	}
	return nil
}

func appendItem(b []byte, it *roster.Item) []byte {
	b = stanza.AppendAttr(append(b, "<item"...), "jid", string(it.Contact))
	b = stanza.AppendAttr(b, "name", it.Name)
	b = stanza.AppendAttr(b, "subscription", it.Subscription().String())
	if it.Ask() {
		b = append(b, " ask='subscribe'"...)
	}
	if it.Approved() {
		b = append(b, " approved='true'"...)
	}
	shared := it.Noted || len(it.Left) > 0
	if len(it.Groups) == 0 && !shared {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	for _, g := range it.Groups {
		b = stanza.AppendElement(b, "group", g)
	}
	if shared {
		b = appendShared(b, it)
	}
	return append(b, "</item>"...)
}

// appendShared appends what the owner has made of a contact of shared groups,
// for which the format has no place.
func appendShared(b []byte, it *roster.Item) []byte {
	b = append(b, "<shared xmlns='"+nsAccount+"'"...)
	if it.Noted {
		b = append(b, " noted='true'"...)
	}
	b = append(b, '>')
	for _, g := range it.Left {
		b = stanza.AppendElement(b, "left", g)
	}
	return append(b, "</shared>"...)
}
