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
