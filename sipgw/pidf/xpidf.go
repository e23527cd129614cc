package pidf

import (
	"strings"

	"rollcall/sipgw/markup"
	"rollcall/xmpp/stanza"
)

// ContentTypeX is the media type of what came before PIDF, which old Polycom,
// Aastra and Cisco phones still ask for.
const ContentTypeX = "application/xpidf+xml"

// ParseX reads xpidf. It comes out as the document that it would have been as PIDF.
func ParseX(body []byte) (*Document, error) {
	p := parser{}
	r := &p.r
	r.Reset(body)
	r.AllowDoctype()
	if err := r.Root("", "presence"); err != nil {
		return nil, err
	}
	d := &Document{}
	for r.Child(1) {
		switch r.Local() {
		case "presentity":
			d.Entity, _, _ = strings.Cut(r.Attr("uri"), ";method=")
		case "atom":
			id := r.Attr("id")
			for r.Child(2) {
				if r.Local() == "address" && p.room(len(d.Tuples) < MaxTuples) {
					d.Tuples = append(d.Tuples, address(r, id))
				}
			}
		}
	}
	return d, p.finish()
}

func address(r *markup.Reader, id string) Tuple {
	t := Tuple{ID: id, Priority: priorityOf(r.Attr("priority"))}
	t.Contact = strings.TrimSuffix(r.Attr("uri"), ";user=ip")
	status, sub := "", ""
	for r.Child(3) {
		switch r.Local() {
		case "status":
			status = strings.ToLower(r.Attr("status"))
		case "msnsubstatus":
			sub = strings.ToLower(r.Attr("substatus"))
		}
	}
	switch status {
	case "open":
		t.Basic = Open
	case "inuse":
		t.Basic, t.Activities = Open, OnThePhone
	case "inactive":
		t.Basic, t.Activities = Open, Away
	case "closed":
		t.Basic = Closed
	}
	switch sub {
	case "onthephone":
		t.Activities = OnThePhone
	case "busy":
		t.Activities = Busy
	case "dnd", "do-not-disturb":
		t.Activities = DND
	case "away", "berightback":
		t.Activities = Away
	case "outtolunch":
		t.Activities = Meal
	case "idle":
		t.Input.State = Idle
	case "offline":
		if t.Basic == Unsaid {
			t.Basic = Closed
		}
	}
	return t
}

// AppendX appends the document as xpidf: its first tuple and what the first person
// does.
func (d *Document) AppendX(dst []byte) []byte {
	dst = append(dst, `<?xml version="1.0"?>`+"\n"+
		`<!DOCTYPE presence PUBLIC "-//IETF//DTD RFCxxxx XPIDF 1.0//EN" "xpidf.dtd">`+"\n"+
		`<presence><presentity uri="`...)
	dst = append(stanza.AppendText(dst, d.Entity), `;method=SUBSCRIBE"/>`...)
	var t Tuple
	if len(d.Tuples) > 0 {
		t = d.Tuples[0]
	}
	doing := t.Activities
	if len(d.Persons) > 0 {
		doing |= d.Persons[0].Activities
	}
	contact := t.Contact
	if contact == "" {
		contact = d.Entity
	}
	dst = append(stanza.AppendText(append(dst, `<atom id="`...), t.ID), `"><address uri="`...)
	dst = append(stanza.AppendText(dst, contact), `;user=ip" priority="0.800000"><status status="`...)
	status, sub := words(t, doing)
	dst = append(append(dst, status...), `"/><msnsubstatus substatus="`...)
	return append(append(dst, sub...), `"/></address></atom></presence>`+"\n"...)
}

// words are those that xpidf has: COMPAT(Polycom, for good), which lights the lamp
// for inuse and onthephone alone.
func words(t Tuple, doing Activities) (status, sub string) {
	switch {
	case t.Basic != Open:
		return "closed", "offline"
	case doing.Has(OnThePhone):
		return "inuse", "onthephone"
	case doing.Has(Busy | Meeting | Presentation | Performance | DND):
		return "inuse", "busy"
	case doing.Has(Meal | Breakfast | Lunch | Dinner):
		return "inactive", "outtolunch"
	case doing.Has(Away | Appointment | Travel | Vacation | Holiday | Sleeping | InTransit):
		return "inactive", "away"
	}
	return "open", "online"
}
