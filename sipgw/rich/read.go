package rich

import (
	"strings"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/pidf"
)

// Trunk is how to read what comes from a source: a phone, which is the zero value,
// or an exchange.
type Trunk struct {
	// Exchange is set for documents that an exchange makes of its lines. There
	// "busy" means a call, and closed with it means a call too, because it takes no
	// other (Cisco Unified Communications Manager writes that).
	Exchange bool

	// Notes translates notes that come from a machine, in lower case, into states.
	// A key that ends in * stands for all that begin so. Nil is not to read notes.
	Notes map[string]string
}

// MachineNotes are the notes that Asterisk, FreeSWITCH and Kamailio write, for
// Trunk.Notes.
var MachineNotes = map[string]string{
	"ready": "available", "available": "available", "online": "available", "registered": "available",
	"on the phone": "on_call", "talk *": "on_call", "on hold": "on_hold", "hold *": "on_hold",
	"ringing": "ringing", "ring *": "ringing", "call *": "dialing",
	"not online": "offline", "unavailable": "offline", "unregistered": "offline", "offline": "offline",
	"away": "idle", "be right back": "brb", "lunch": "lunch",
	"dnd": "dnd", "do not disturb": "dnd", "busy": "dnd",
}

// Rule is what in a document has decided.
type Rule uint8

// In this order they are looked at; [ByClosed] stands before them all.
const (
	ByBasic Rule = iota
	ByShow
	ByActivity
	ByExtension
	ByNote
	ByClosed
)

var ruleNames = [...]string{"basic", "show", "activity", "extension", "note", "closed"}

// String returns the rule that has decided, for explanations.
func (r Rule) String() string { return ruleNames[r] }

// Heard is what a document, or a tuple of it, says in our words.
type Heard struct {
	State    string // an id of the default catalogue
	Show     string // of XMPP: "", "chat", "away", "xa", "dnd", or "unavailable"
	Activity string // of XEP-0108: "working/in_a_meeting"; "" is none
	Text     string // words of a person
	Lang     string // of the text, if it is said
	Priority int8
	Contact  string
	Since    time.Time // zero is not said
	Until    time.Time // zero is not said
	Idle     time.Time // since when nobody has touched the client; zero is not said
	Gone     bool      // for good: <gone/>
	Rule     Rule

	own bool // the text is the person's: notes beside it are not
}

// Resource is what one tuple says, as a resource of XMPP (RFC 8048 §5.3).
type Resource struct {
	Name string
	Heard
}

// Read returns what a document says of the person. The person can be reached if one
// tuple is open; of several the one with the highest priority gives show and words.
func Read(d *pidf.Document, trunk Trunk) Heard {
	all, other := engaged(d)
	t := pick(d.Tuples)
	if t == nil {
		t = &pidf.Tuple{Basic: pidf.Closed}
		for i := range d.Persons {
			if d.Persons[i].Basic != pidf.Unsaid {
				t.Basic = d.Persons[i].Basic
			}
		}
	}
	h := trunk.read(t, all|t.Activities, digium(d.Tuples))
	h.words(trunk, t.Notes, d, other)
	for i := range d.Persons {
		p := &d.Persons[i]
		if h.Until.IsZero() {
			h.Until = p.Until
		}
		h.idle(p.Input)
	}
	for i := range d.Devices {
		if x := &d.Devices[i]; x.DeviceID != "" && x.DeviceID == t.DeviceID {
			h.idle(x.Input) // the device behind the tuple (RFC 4479 §3.4)
		}
	}
	return h
}

// Resources returns what each tuple says. What is said of the person counts for all
// of them. A tuple that says nothing of whether it is open is none.
func Resources(d *pidf.Document, trunk Trunk) []Resource {
	all, other := engaged(d)
	var out []Resource
	for i := range d.Tuples {
		t := &d.Tuples[i]
		if t.Basic == pidf.Unsaid {
			continue
		}
		r := Resource{Name: strings.TrimPrefix(t.ID, "ID-"), Heard: trunk.read(t, all|t.Activities, pidf.Digium{})}
		r.words(trunk, t.Notes, d, other)
		out = append(out, r)
	}
	return out
}

// engaged collects what the persons do: some write one for each thing.
func engaged(d *pidf.Document) (does pidf.Activities, other string) {
	for i := range d.Persons {
		does |= d.Persons[i].Activities
		if other == "" {
			other = d.Persons[i].Other
		}
	}
	return does, other
}

// pick returns the tuple that speaks for all: an open one before a closed one, the
// highest priority, the first; nil if there is none.
func pick(tuples []pidf.Tuple) *pidf.Tuple {
	var best *pidf.Tuple
	for i := range tuples {
		t := &tuples[i]
		if t.Basic == pidf.Unsaid {
			continue
		}
		if best == nil || t.Basic < best.Basic || t.Basic == best.Basic && t.Priority > best.Priority {
			best = t
		}
	}
	return best
}

func digium(tuples []pidf.Tuple) pidf.Digium {
	for i := range tuples {
		if tuples[i].Digium.Type != "" {
			return tuples[i].Digium
		}
	}
	return pidf.Digium{}
}

// read decides about one tuple.
func (trunk Trunk) read(t *pidf.Tuple, does pidf.Activities, d pidf.Digium) Heard {
	h := Heard{Priority: ResourcePriority(t.Priority), Contact: t.Contact, Since: t.Timestamp}
	h.idle(t.Input)
	m := meaningOf(does)
	switch {
	case does.Has(pidf.PermanentAbsence):
		h.State, h.Show, h.Gone, h.Rule = "offline", unavailable, true, ByActivity
	case t.Basic == pidf.Closed && trunk.Exchange && does.Has(pidf.Busy|pidf.OnThePhone):
		h.means(m, trunk)
	case t.Basic == pidf.Closed && t.Online: // linphone: there, and away for long
		h.State, h.Show, h.Rule = "idle", "away", ByExtension
	case t.Basic == pidf.Closed:
		h.State, h.Show, h.Rule = "offline", unavailable, ByClosed
	case h.shows(t.Show):
		if m != nil && m.show == t.Show {
			h.State, h.Activity = m.state, m.activity // the same, and more of it
			h.call(does, trunk)
		}
	case m != nil:
		h.means(m, trunk)
	case h.extended(t.Extended), h.digium(d):
	default:
		h.State, h.Rule = "available", ByBasic
	}
	return h
}

// means takes over an activity.
func (h *Heard) means(m *meaning, trunk Trunk) {
	h.State, h.Show, h.Activity, h.Text, h.Rule = m.state, m.show, m.activity, m.words, ByActivity
	h.call(m.does, trunk)
}

// call makes busy a call where an exchange says it.
func (h *Heard) call(does pidf.Activities, trunk Trunk) {
	if trunk.Exchange && h.State == "dnd" && does.Has(pidf.Busy) {
		h.State, h.Activity = "on_call", "talking/on_the_phone"
	}
}

// shows takes over the show of XMPP that RFC 8048 embeds.
func (h *Heard) shows(show string) bool {
	switch show {
	case "dnd":
		h.State = "dnd"
	case "away":
		h.State = "idle"
	case "xa":
		h.State = "long_idle"
	case "chat":
		h.State = "available"
	default:
		return false
	}
	h.Show, h.Rule = show, ByShow
	return true
}

// extended takes over what AG Projects' clients add.
func (h *Heard) extended(s string) bool {
	switch s {
	case "available":
		h.State = "available"
	case "busy":
		h.State, h.Show = "dnd", "dnd"
	case "away":
		h.State, h.Show = "idle", "away"
	case "extended-away":
		h.State, h.Show = "long_idle", "xa"
	case "offline":
		h.State, h.Show = "offline", unavailable
	default:
		return false
	}
	h.Rule = ByExtension
	return true
}

// digium takes over what the user of a Digium phone has chosen. The phone itself
// can still be reached, so unavailable is not offline.
func (h *Heard) digium(d pidf.Digium) bool {
	switch d.Type {
	case "dnd":
		h.State, h.Show = "dnd", "dnd"
	case "away":
		h.State, h.Show = "idle", "away"
		if strings.EqualFold(d.Subtype, "lunch") {
			h.State, h.Activity = "lunch", "eating/having_lunch"
		}
	case "xa":
		h.State, h.Show = "long_idle", "xa"
	case "unavailable":
		h.State, h.Show = "not_ready", "away"
	case "chat":
		h.State, h.Show = "available", "chat"
	case "available":
		h.State = "available"
	default:
		return false
	}
	h.Rule, h.Text, h.own = ByExtension, d.Message, d.Message != ""
	return true
}

func (h *Heard) idle(in pidf.Input) {
	if in.State == pidf.Idle && h.Idle.IsZero() {
		h.Idle = in.Last
	}
}

// words finds the text that goes with the state, and the state that a machine's
// note stands for: words of a machine are not shown as those of a person.
func (h *Heard) words(trunk Trunk, own []pidf.Note, d *pidf.Document, other string) {
	if h.own {
		return
	}
	candidates := [...][]pidf.Note{own, nil, d.Notes}
	for i := range d.Persons {
		if candidates[1] == nil {
			candidates[1] = d.Persons[i].Notes
		}
	}
	for _, notes := range candidates {
		if len(notes) == 0 {
			continue
		}
		n := notes[0]
		if state := trunk.note(n.Text); state != "" {
			if h.Rule == ByBasic {
				h.State, h.Show, h.Rule = state, shows[state], ByNote
			}
			return
		}
		h.Text, h.Lang = n.Text, n.Lang
		return
	}
	if h.Text == "" {
		h.Text = other
	}
}

// shows are those of the states that notes stand for.
var shows = map[string]string{
	"on_call": "dnd", "on_hold": "dnd", "dnd": "dnd", "meeting": "dnd", "presenting": "dnd", "conference": "dnd",
	"idle": "away", "brb": "away", "lunch": "away", "break": "away", "not_ready": "away",
	"long_idle": "xa", "off_duty": "xa", "offline": unavailable,
}

func (trunk Trunk) note(text string) string {
	if trunk.Notes == nil {
		return ""
	}
	text = strings.ToLower(text)
	if s, ok := trunk.Notes[text]; ok {
		return s
	}
	const longest = 32 // of a key that ends in *
	for i := range min(len(text), longest) {
		if s, ok := trunk.Notes[text[:i]+"*"]; ok {
			return s
		}
	}
	return ""
}

// Axis returns what the state is about.
func (h *Heard) Axis() presence.Axis {
	switch h.State {
	case "on_call", "on_hold", "conference", "ringing", "dialing", "meeting", "presenting", "active":
		return presence.Engagement
	case "dnd", "not_ready", "break", "lunch", "brb", "off_duty":
		return presence.Willingness
	}
	if strings.HasPrefix(h.State, "custom:") {
		return presence.Willingness
	}
	return presence.Reachability
}

// Contribution turns it into what a source says of the person. When it expires is
// for the source to fill in.
func (h *Heard) Contribution(source string, channels presence.Channel) presence.Contribution {
	c := presence.Contribution{
		Source: source, Axis: h.Axis(), State: h.State, Channels: channels, Since: h.Since,
		Facets: presence.Facets{Text: h.Text, Until: h.Until, Priority: h.Priority, Idle: h.Idle},
	}
	if h.Show == unavailable {
		c.Channels = 0
	}
	return c
}
