package portable

import (
	"encoding/xml"
	"strings"

	"rollcall/server/features/archive"
	"rollcall/xmpp/stanza"
)

// vcard reads the vCard (XEP-0227 §4.7, XEP-0054).
func (r *reader) vcard(start xml.StartElement) error {
	where := r.doc.place()
	e, err := r.doc.element(start)
	if err != nil {
		return err
	}
	r.keepCard(where, e)
	return nil
}

// keepCard keeps a vCard if it is not too large.
func (r *reader) keepCard(where Place, e *stanza.Element) {
	if len(e.Elements()) == 0 {
		return
	}
	raw := e.Canonical("")
	if _, err := whole(raw, ""); err != nil {
		r.tell(where, "a vCard that cannot be sent is left out: %v", err)
		return
	}
	if r.o.MaxCard > 0 && len(raw) > r.o.MaxCard {
		r.tell(where, "the vCard has %d bytes and is left out: the most is %d (vcard.max_size)", len(raw), r.o.MaxCard)
		return
	}
	r.a.Parcel.VCard = raw
}

func (x *exporting) vcard() error {
	if len(x.parcel.VCard) == 0 {
		return nil
	}
	e, err := stanza.Parse(x.parcel.VCard, "", nil)
	if err != nil {
		return err
	}
	return x.line(e.Canonical(NS))
}

// preferences reads what is to be archived (XEP-0441), for which the format has
// no section: it is there as a client would set it.
func (r *reader) preferences(start xml.StartElement) error {
	where := r.doc.place()
	e, err := r.doc.element(start)
	if err != nil {
		return err
	}
	r.move(e)
	value, err := archive.ReadPrefs(e)
	if err != nil {
		r.tell(where, "the preferences of the archive are left out: %v", err)
		return nil
	}
	r.a.Parcel.Prefs = value
	return nil
}

// move gives the addresses in the lists of preferences the domains that they
// have here.
func (r *reader) move(e *stanza.Element) {
	for _, list := range e.Elements() {
		for _, c := range list.Elements() {
			if j, err := r.address(strings.TrimSpace(c.Text())); err == nil {
				c.Nodes = []stanza.Node{{Text: j.String()}}
			}
		}
	}
}

func (x *exporting) preferences() error {
	if x.parcel.Prefs == "" {
		return nil
	}
	b, err := archive.WritePrefs(x.parcel.Prefs)
	if err != nil {
		return err
	}
	return x.line(b)
}
