package pidf

import (
	"errors"
	"strings"
	"time"

	"rollcall/sipgw/markup"
)

// Namespaces that are written.
const (
	Namespace    = "urn:ietf:params:xml:ns:pidf"
	nsModel      = "urn:ietf:params:xml:ns:pidf:data-model"
	nsRPID       = "urn:ietf:params:xml:ns:pidf:rpid"
	nsClient     = "jabber:client"
	nsDraft      = "urn:ietf:params:xml:ns:cpim-pidf" // of a draft, with or without a colon; read only
	nsPIDFOnline = "http://www.linphone.org/xsds/pidfonline.xsd"
)

// ContentType is the media type of the document.
const ContentType = "application/pidf+xml"

// The limits of a document.
const (
	MaxTuples = 64
	maxOthers = 16 // persons, devices, notes of one element
)

// ErrTooMany is for a document with more tuples, persons or notes than that.
var ErrTooMany = errors.New("pidf: too many tuples, persons or notes")

// ErrType is for a body of another type.
var ErrType = errors.New("pidf: not a presence document")

// ParseAs reads a body by its Content-Type.
func ParseAs(contentType string, body []byte) (*Document, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case ContentType, "application/cpim-pidf+xml":
		return Parse(body)
	case ContentTypeX:
		return ParseX(body)
	}
	return nil, ErrType
}

// parser reads one document.
type parser struct {
	r       markup.Reader
	tooMany bool
}

// Parse reads a document. Its strings are parts of one copy of body.
func Parse(body []byte) (*Document, error) {
	p := parser{}
	r := &p.r
	r.Reset(body)
	if err := r.Open(); err != nil {
		return nil, err
	}
	if r.Local() != "presence" || r.Space() != Namespace && !strings.HasPrefix(r.Space(), nsDraft) {
		return nil, markup.ErrWrongRoot
	}
	return p.presence()
}

func (p *parser) presence() (*Document, error) {
	r := &p.r
	d := &Document{Entity: r.Attr("entity"), Tuples: make([]Tuple, 0, 1)}
	for r.Child(1) {
		switch r.Local() {
		case "tuple":
			if p.room(len(d.Tuples) < MaxTuples) {
				d.Tuples = append(d.Tuples, Tuple{})
				p.tuple(&d.Tuples[len(d.Tuples)-1])
			}
		case "person":
			if p.room(len(d.Persons) < maxOthers) {
				d.Persons = append(d.Persons, Person{})
				p.person(&d.Persons[len(d.Persons)-1])
			}
		case "device":
			if p.room(len(d.Devices) < maxOthers) {
				d.Devices = append(d.Devices, Person{})
				p.person(&d.Devices[len(d.Devices)-1])
			}
		case "note":
			d.Notes = p.note(d.Notes)
		}
	}
	return d, p.finish()
}

func (p *parser) finish() error {
	if err := p.r.Finish(); err != nil {
		return err
	}
	if p.tooMany {
		return ErrTooMany
	}
	return nil
}

func (p *parser) room(ok bool) bool {
	p.tooMany = p.tooMany || !ok
	return ok
}

func (p *parser) tuple(t *Tuple) {
	r := &p.r
	t.ID = r.Attr("id")
	in := r.Depth()
	for r.Child(in) {
		switch r.Local() {
		case "status":
			p.status(t)
		case "contact":
			t.Priority = priorityOf(r.Attr("priority"))
			t.Contact = r.Text()
		case "note":
			t.Notes = p.note(t.Notes)
		case "timestamp":
			t.Timestamp = timeOf(r.Text())
		case "deviceID":
			t.DeviceID = r.Text()
		default:
			p.rich(&t.Activities, &t.Other, &t.Input, &t.Notes, nil)
		}
	}
}

func (p *parser) status(t *Tuple) {
	r := &p.r
	in := r.Depth()
	for r.Child(in) {
		switch {
		case r.Local() == "basic":
			t.Basic = basicOf(r.Text())
		case r.Is(nsClient, "show"):
			t.Show = r.Text()
		case r.Local() == "extended": // urn:ag-projects:xml:ns:pidf, and drafts of it
			t.Extended = strings.ToLower(r.Text())
		case r.Is(nsPIDFOnline, "online") || r.Is("pidfonline", "online"):
			t.Online = true
		case r.Local() == "digium_presence":
			t.Digium.Type, t.Digium.Subtype = r.Attr("type"), r.Attr("subtype")
			t.Digium.Message = r.Text()
		case r.Local() == "dnd": // Cisco's phones publish it bare
			t.Activities |= DND
		default:
			p.rich(&t.Activities, &t.Other, &t.Input, &t.Notes, nil)
		}
	}
}

func (p *parser) person(x *Person) {
	r := &p.r
	x.ID = r.Attr("id")
	in := r.Depth()
	for r.Child(in) {
		switch r.Local() {
		case "status": // COMPAT(Asterisk chan_sip, Cisco, for good)
			status := r.Depth()
			for r.Child(status) {
				if r.Local() == "basic" {
					x.Basic = basicOf(r.Text())
				} else {
					p.rich(&x.Activities, &x.Other, &x.Input, &x.Notes, &x.Until)
				}
			}
		case "note":
			x.Notes = p.note(x.Notes)
		case "timestamp":
			x.Timestamp = timeOf(r.Text())
		case "deviceID":
			x.DeviceID = r.Text()
		default:
			p.rich(&x.Activities, &x.Other, &x.Input, &x.Notes, &x.Until)
		}
	}
}

// rich reads an element of RPID, wherever it stands. Its namespace has changed from
// draft to draft and phones have kept all of them, so the name must do.
func (p *parser) rich(a *Activities, other *string, in *Input, notes *[]Note, until *time.Time) {
	r := &p.r
	switch r.Local() {
	case "activities":
		if until != nil {
			*until = timeOf(r.Attr("until"))
		}
		p.activities(a, other, notes)
	case "user-input":
		in.Last = timeOf(r.Attr("last-input"))
		if in.Last.IsZero() {
			in.Last = timeOf(r.Attr("since")) // of the drafts
		}
		switch r.Text() {
		case "active":
			in.State = Active
		case "idle":
			in.State = Idle
		}
	}
}

func (p *parser) activities(a *Activities, other *string, notes *[]Note) {
	r := &p.r
	in := r.Depth()
	for r.Child(in) {
		switch name := r.Local(); name {
		case "note":
			*notes = p.note(*notes)
		case "other":
			*a |= Other
			*other = r.Text()
		case "activity": // of the drafts: <activity>away</activity>
			*a |= ActivityOf(strings.ToLower(r.Text()))
		default:
			*a |= ActivityOf(name)
		}
	}
}

// note reads a note; empty ones are none.
func (p *parser) note(notes []Note) []Note {
	lang := p.r.Attr("xml:lang")
	text := p.r.Text()
	if text == "" || !p.room(len(notes) < maxOthers) {
		return notes
	}
	return append(notes, Note{lang, text})
}

func basicOf(s string) Basic {
	switch {
	case strings.EqualFold(s, "open"):
		return Open
	case strings.EqualFold(s, "closed"):
		return Closed
	}
	return Unsaid
}

// timeOf reads a time, or gives none. Those who leave the zone out mean UTC.
func timeOf(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t.UTC()
		}
		if !strings.HasPrefix(s, "2") && !strings.HasPrefix(s, "1") {
			break
		}
	}
	return time.Time{}
}

// priorityOf reads a priority. COMPAT(printf in the German locale, for good): the
// comma.
func priorityOf(s string) Priority {
	whole, frac, _ := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	if whole == "" && frac == "" {
		return NoPriority
	}
	n := 0
	for i := range 3 {
		n *= 10
		if i < len(frac) {
			if frac[i] < '0' || frac[i] > '9' {
				return NoPriority
			}
			n += int(frac[i] - '0')
		}
	}
	switch whole {
	case "0", "":
		return Thousandths(n)
	case "1":
		return Thousandths(1000)
	}
	return NoPriority
}
