package portable

import (
	"encoding/xml"

	"rollcall/xmpp/stanza"
)

// leaveEach counts what is in an element, and leaves it out.
func (r *reader) leaveEach(what string) error {
	for {
		_, found, err := r.doc.child()
		if err != nil || !found {
			return err
		}
		where := r.doc.place()
		if err := r.doc.skip(); err != nil {
			return err
		}
		r.notes.leave(what, where, 1)
	}
}

const nsPubsub = "http://jabber.org/protocol/pubsub"

// pepNodes skips how nodes are configured; they are counted where their items
// are.
func (r *reader) pepNodes(xml.StartElement) error { return r.doc.skip() }

// pep counts the nodes of the Personal Eventing Protocol, for which nothing is
// here, but for those that make a vCard or bookmarks of an older kind.
func (r *reader) pep(xml.StartElement) error {
	for {
		start, found, err := r.doc.child()
		if err != nil || !found {
			return err
		}
		where := r.doc.place()
		if start.Name.Local != "items" {
			if err := r.leave(start); err != nil {
				return err
			}
			continue
		}
		e, err := r.doc.element(start)
		if err != nil {
			return err
		}
		if !r.a.card.take(where, e) && !r.a.marks.take(where, e) {
			r.notes.leave("PEP nodes", where, 1)
			r.notes.leave("items of PEP nodes", where, items(e))
		}
	}
}

// items counts the items of a node.
func items(e *stanza.Element) (n int) {
	for _, c := range e.Elements() {
		if c.Local == "item" {
			n++
		}
	}
	return n
}
