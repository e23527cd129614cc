package portable

import (
	"encoding/xml"

	"rollcall/xmpp/stanza"
)

// elements has all children of a kind taken, and leaves out the others.
func (r *reader) elements(of func(xml.Name) bool, take func(where Place, e *stanza.Element) error) error {
	for {
		start, found, err := r.doc.child()
		if err != nil || !found {
			return err
		}
		where := r.doc.place()
		if !of(start.Name) {
			if err := r.leave(start); err != nil {
				return err
			}
			continue
		}
		e, err := r.doc.element(start)
		if err != nil {
			return err
		}
		if err := take(where, e); err != nil {
			return err
		}
	}
}

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
	return r.elements(func(n xml.Name) bool { return n.Local == "items" }, func(where Place, e *stanza.Element) error {
		if !r.a.card.take(where, e) && !r.a.marks.take(where, e) {
			r.notes.leave("PEP nodes", where, 1)
			r.notes.leave("items of PEP nodes", where, items(e))
		}
		return nil
	})
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
