package reginfo

import (
	"slices"
	"strings"

	"rollcall/sipgw/event"
)

// Table is what the documents of one subscription come to (RFC 3680 §5.2). The zero
// value has heard nothing.
type Table struct {
	regs     []Registration
	versions event.Versions
}

// Outcome is what came of a document.
type Outcome struct {
	Ignored bool // it was older than what is known
	Refresh bool // documents are missing: ask for a full one (SUBSCRIBE)
}

// Forget makes the table as new, for a subscription that begins again.
func (t *Table) Forget() { *t = Table{} }

// Registrations returns what is known. Contacts that are gone are in it until the
// next document, with the reason. It is good until the next Apply.
func (t *Table) Registrations() []Registration { return t.regs }

// Reachable reports whether a contact of the address is registered, and if not, why
// the last one is gone.
func (t *Table) Reachable(aor string) (ok bool, cause string) {
	for i := range t.regs {
		r := &t.regs[i]
		if r.AOR != aor {
			continue
		}
		for k := range r.Contacts {
			c := &r.Contacts[k]
			if c.State == Active {
				return true, ""
			}
			if s := c.Cause(); s != "" {
				cause = s
			}
		}
	}
	return false, cause
}

// Apply folds a document into the table. It keeps nothing of the document's memory.
func (t *Table) Apply(doc *Document) Outcome {
	var out Outcome
	if out.Ignored, out.Refresh = t.versions.Next(doc.Version, doc.Partial); out.Ignored {
		return out
	}
	if !doc.Partial {
		t.regs = nil
	}
	for i := range t.regs {
		t.regs[i].Contacts = slices.DeleteFunc(t.regs[i].Contacts, func(c Contact) bool { return c.State == Terminated })
	}
	for i := range doc.Registrations {
		t.update(&doc.Registrations[i])
	}
	return out
}

func (t *Table) update(news *Registration) {
	r := t.registration(news.ID)
	if r == nil {
		return
	}
	r.AOR, r.State = strings.Clone(news.AOR), news.State
	for i := range news.Contacts {
		c := news.Contacts[i].clone()
		if o := r.contact(c.ID); o != nil {
			*o = c
		} else if len(r.Contacts) < MaxContacts {
			r.Contacts = append(r.Contacts, c)
		}
	}
	if r.State != Active { // then no contact is (RFC 3680 §4.6.1)
		for i := range r.Contacts {
			r.Contacts[i].State = Terminated
		}
	}
}

// registration returns the row with that id, a new one if there is room, or nil.
func (t *Table) registration(id string) *Registration {
	for i := range t.regs {
		if t.regs[i].ID == id {
			return &t.regs[i]
		}
	}
	if len(t.regs) >= MaxRegistrations {
		return nil
	}
	t.regs = append(t.regs, Registration{ID: strings.Clone(id)})
	return &t.regs[len(t.regs)-1]
}

func (r *Registration) contact(id string) *Contact {
	for i := range r.Contacts {
		if r.Contacts[i].ID == id {
			return &r.Contacts[i]
		}
	}
	return nil
}

func (c *Contact) clone() Contact {
	n := *c
	for _, s := range []*string{&n.ID, &n.URI, &n.Display, &n.Instance, &n.Q, &n.CallID} {
		*s = strings.Clone(*s)
	}
	return n
}
