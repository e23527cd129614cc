package rich

import (
	"time"

	"rollcall/presence"
	"rollcall/sipgw/pidf"
)

// Shown is what a watcher may see of somebody, as the catalogue has rendered it.
type Shown struct {
	Entity string // exactly the URI that was subscribed to
	Level  presence.Level
	Closed bool // cannot be reached, or is not to be seen

	Show string // of XMPP; "" is none
	Text string // in words
	Lang string // of the words
	RPID string // activity of what the person is engaged in; "" is none

	Since, Until, Idle time.Time // zero is unknown

	// Each is every device and client, for those from level detail on.
	Each []Each
}

// Of is what the catalogue shows a watcher who has subscribed to that entity, ready
// for [Fill]. lang is that of the words.
func Of(entity string, level presence.Level, lang string, s *presence.Shown) Shown {
	return Shown{
		Entity: entity, Level: level, Closed: s.Unavailable || s.Closed,
		Show: s.Show, Text: s.Text, Lang: lang, RPID: s.RPID, Since: s.Since, Until: s.Until,
	}
}

// Each is one device or client of somebody.
type Each struct {
	Resource string // of XMPP, or a name that does not change
	Closed   bool
	Show     string
	Text     string
	Contact  string // "" is the entity
	Priority int8
	Since    time.Time
	Idle     time.Time
}

// Options are what a make of phone wants of the documents that it gets; see package
// profile.
type Options struct {
	// NoAway leaves the activity away out, for those who take it for offline
	// (baresip). It is said in words and show all the same.
	NoAway bool

	// Busy is said beside a meeting and the like, where show is dnd, for those who
	// know no other word for it (baresip).
	Busy bool

	// Single leaves out all tuples but the first.
	Single bool
}

// mergedPriority is that of the tuple that stands for the whole person.
const mergedPriority = 800

// Fill makes d the document that shows s, using what memory d has. The person comes
// first, merged, since phones read the first tuple and nothing else.
//
// A watcher of level hidden gets one closed tuple: nothing tells that from somebody
// who is not there. Level basic gets no words, and of activities only what show says
// anyway, because phones don't know show. Level detail gets times, and each device.
func Fill(d *pidf.Document, s *Shown, o Options) {
	notes := spare(d)
	d.Entity, d.Notes, d.Devices = s.Entity, nil, nil
	d.Tuples, d.Persons = d.Tuples[:0], d.Persons[:0]
	if s.Level == presence.Hidden {
		d.Tuples = append(d.Tuples, pidf.Tuple{ID: merged, Basic: pidf.Closed})
		return
	}
	if s.Level >= presence.Status && s.Text != "" {
		notes = append(notes, pidf.Note{Lang: s.Lang, Text: s.Text})
	}
	t := pidf.Tuple{ID: merged, Basic: pidf.Closed, Notes: notes}
	if !s.Closed {
		t.Basic, t.Show, t.Contact, t.Priority = pidf.Open, show(s.Show), s.Entity, pidf.Thousandths(mergedPriority)
	}
	if s.Level >= presence.Detail {
		t.Timestamp = s.Since
	}
	d.Tuples = append(d.Tuples, t)
	if s.Level >= presence.Detail && !o.Single {
		for i := range s.Each {
			d.Tuples = append(d.Tuples, s.Each[i].tuple(s.Entity))
		}
	}
	if !s.Closed {
		s.person(d, notes, o)
	}
}

const merged = "ID-merged"

// spare returns the memory for notes that d no longer needs.
func spare(d *pidf.Document) []pidf.Note {
	if len(d.Tuples) == 0 {
		return nil
	}
	return d.Tuples[0].Notes[:0]
}

// show returns what may stand in the document: XMPP has no show for available.
func show(s string) string {
	if s == unavailable {
		return ""
	}
	return s
}

// person appends what the person does, if there is anything to say.
func (s *Shown) person(d *pidf.Document, notes []pidf.Note, o Options) {
	p := pidf.Person{ID: "p1", Notes: notes}
	var engaged pidf.Activities
	if s.Level >= presence.Status {
		engaged = pidf.ActivityOf(s.RPID)
	}
	p.Activities = ShowRPID(s.Show, engaged)
	if o.NoAway {
		p.Activities &^= pidf.Away
	}
	if o.Busy && s.Show == "dnd" {
		p.Activities |= pidf.Busy
	}
	if s.Level >= presence.Detail {
		p.Until = s.Until
		if !s.Idle.IsZero() {
			p.Input = pidf.Input{State: pidf.Idle, Last: s.Idle}
		}
	}
	if p.Activities != 0 || len(notes) > 0 || p.Input.State != pidf.InputUnsaid {
		d.Persons = append(d.Persons, p)
	}
}

func (e *Each) tuple(entity string) pidf.Tuple {
	t := pidf.Tuple{ID: TupleID(e.Resource), Basic: pidf.Closed, Timestamp: e.Since}
	if e.Text != "" {
		t.Notes = []pidf.Note{{Text: e.Text}}
	}
	if e.Closed {
		return t
	}
	t.Basic, t.Show, t.Contact, t.Priority = pidf.Open, show(e.Show), e.Contact, Priority(e.Priority)
	if t.Contact == "" {
		t.Contact = entity
	}
	if !e.Idle.IsZero() {
		t.Input = pidf.Input{State: pidf.Idle, Last: e.Idle}
	}
	return t
}

// TupleID makes an id of a resource: it begins with ID-, since an xs:ID must not
// begin with a digit (RFC 8048 §5.2), and what may not stand in one is written as
// _xx of its bytes.
func TupleID(resource string) string {
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(resource)+len("ID-"))
	b = append(b, "ID-"...)
	for i := range len(resource) {
		c := resource[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '.':
			b = append(b, c)
		default:
			b = append(b, '_', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
