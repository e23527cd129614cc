package presence

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"strconv"
	"strings"
	"time"
)

// StateNamespace is that of what programs read of a state in a presence stanza.
const StateNamespace = "urn:rollcall:presence:0"

// Shown is what a level sees of a subject, in a language. What the level does not see
// is not in it.
type Shown struct {
	// Unavailable says that the subject is not there. Closed says that it cannot be
	// reached, which is not the same: a lost device that stays in sight is not
	// unavailable.
	Unavailable, Closed bool

	Show string // content of <show/>; "" is none
	Text string // content of <status/>, and the note of PIDF; "" is none

	// Engaged says that it is to be written over what chat clients show, since it
	// is nothing that they say and outranks what they do.
	Engaged bool

	// Aside is what the text mentions beside the state, for who puts it behind a
	// client's own words; "" is none.
	Aside string

	RPID     string // activity of RFC 4480; "" is none
	Activity string // of XEP-0108: "talking/on_the_phone"; "" is none

	State       string // the id; "" is not for this level
	Source      string // what kind of source says it: "phone"
	Device      string // the label of the device that it is about
	Counterpart string // the other end of a call
	Ref         string
	Channels    Channel
	Since       time.Time
	Until       time.Time
	Stale       bool
}

// Show returns what a level sees of a subject, in a language of [Catalogue.Languages].
// Of nil, of which nothing is known, nobody sees anything. now is for telling a time
// with its date if it is on another day.
func (c *Catalogue) Show(e *Effective, level Level, lang string, now time.Time) Shown {
	return c.ShowClient(e, "", level, lang, now)
}

// ShowClient is [Catalogue.Show] of one chat client of a person, by the name of its
// source. What the person's other clients say is left out, so that one which says not
// to be disturbed keeps that in a call, while a call is written over the others.
// Unless Engaged is set, Show and State are the client's own.
func (c *Catalogue) ShowClient(e *Effective, client string, level Level, lang string, now time.Time) Shown {
	if e == nil || level == Hidden {
		return Shown{Unavailable: true, Closed: true}
	}
	var seats [roomFor]ranked
	list := seats[:0]
	for i := range e.All {
		list = append(list, ranked{&e.All[i], c.known(e.Kind, e.All[i].State)})
	}
	p := c.pick(e.Kind, list, e.Channels, level, client)
	if p.state.Below > level && p.state.Show == ShowUnavailable {
		// To whoever is hidden from, it is as if nobody were there.
		p = picked{state: c.kinds[kindOf(e.Kind)][Offline], id: Offline, engaged: p.engaged}
		list = nil
	}
	v := view{cat: c, e: e, picked: p, list: list, level: level, lang: lang, client: client, now: now}
	return v.shown()
}

// view is what goes into one picture.
type view struct {
	cat *Catalogue
	e   *Effective
	picked
	list   []ranked
	level  Level
	lang   string
	client string
	now    time.Time
}

func (v *view) shown() Shown {
	show := v.state.Show
	if v.e.Critical && len(v.state.CriticalLabel) > 0 {
		show = v.state.CriticalShow
	}
	s := Shown{Unavailable: show == ShowUnavailable, Engaged: v.engaged}
	s.Closed = s.Unavailable || v.e.Channels == 0
	s.Show = show.Element()
	if v.level == Basic { // only whether to disturb
		switch show {
		case ShowChat:
			s.Show = ""
		case ShowXA:
			s.Show = ShowAway.Element()
		}
		return s
	}
	s.Text, s.RPID, s.Activity = v.text(), v.state.RPID, v.state.Activity
	if v.beside != nil {
		s.Aside = v.beside.Aside.In(v.lang)
	}
	if v.level < Detail {
		return s
	}
	s.State = v.id
	if !s.Unavailable {
		s.Channels = v.e.Channels
	}
	if v.c != nil {
		s.Source, s.Since, s.Until, s.Device = SourceKind(v.c.Source), v.c.Since, v.until(), v.c.Facets.Device
		s.Stale = v.e.Stale
		if v.level >= Full {
			s.Counterpart, s.Ref = v.c.Facets.Counterpart, v.c.Facets.Ref
		}
	}
	return s
}

// until returns when the state is planned to end, unless that is past.
func (v *view) until() time.Time {
	if v.c != nil && v.c.Facets.Until.After(v.now) {
		return v.c.Facets.Until
	}
	return time.Time{}
}

// text returns the words for people: "On the phone since 14:02 · in a meeting — back at
// the desk at 15h".
func (v *view) text() string {
	label := v.state.Label.In(v.lang)
	if v.e.Critical && len(v.state.CriticalLabel) > 0 {
		label = v.state.CriticalLabel.In(v.lang)
	}
	if v.level < v.state.LabelFrom {
		label = ""
	}
	text := fill(label, v.value)
	if v.level >= Detail && text != "" && v.state.Show != ShowUnavailable && !strings.Contains(label, "{since}") && !strings.Contains(label, "{until}") {
		text = joined(text, " ", v.span())
	}
	if v.beside != nil {
		text = joined(text, " · ", v.beside.Aside.In(v.lang))
	}
	if v.level >= Full && v.state.Show != ShowUnavailable {
		text = joined(text, " · ", v.messages())
	}
	if v.level >= Detail {
		text = joined(text, " — ", v.own(strings.Contains(label, "{text}")))
	}
	return text
}

// messages says how many messages are new in all mailboxes: "new messages: 2"; or "".
func (v *view) messages() string {
	n := 0
	for _, r := range v.list {
		n += int(r.c.Facets.Messages)
	}
	if n == 0 {
		return ""
	}
	words := cmp.Or(v.cat.words[v.lang].Messages, v.cat.words[English].Messages)
	return strings.ReplaceAll(words, "{count}", strconv.Itoa(n))
}

// joined puts a separator between two texts, unless one is empty.
func joined(a, separator, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + separator + b
}

// value returns what stands in a place of a label, or "" if it is not known or not
// for the level.
func (v *view) value(name string) string {
	for _, p := range places {
		if p.name == name && v.level < p.from {
			return ""
		}
	}
	if v.c == nil {
		return ""
	}
	f := &v.c.Facets
	switch name {
	case "{text}":
		return f.Text
	case "{device}":
		return f.Device
	case "{source}":
		return SourceName(v.c.Source)
	case "{cause}":
		return f.Cause
	case "{counterpart}":
		return f.Counterpart
	case "{ref}":
		return f.Ref
	case "{since}":
		return v.tell(v.c.Since)
	}
	return v.tell(v.until())
}

// span returns "until 15:00" or, if no end is planned, "since 14:02".
func (v *view) span() string {
	if v.c == nil {
		return ""
	}
	words := v.cat.words[v.lang]
	if until := v.until(); !until.IsZero() {
		return strings.ReplaceAll(words.Until, "{time}", v.tell(until))
	}
	if v.c.Since.IsZero() {
		return ""
	}
	return strings.ReplaceAll(words.Since, "{time}", v.tell(v.c.Since))
}

// tell writes a time as people tell it, with its date if that is not today.
func (v *view) tell(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t, today := t.In(v.cat.zone), v.now.In(v.cat.zone)
	if t.YearDay() == today.YearDay() && t.Year() == today.Year() {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// own returns words of the person's own: those of the state that is shown, unless its
// label has them already, or else what they say by hand or by a client.
func (v *view) own(told bool) string {
	if v.c != nil && v.c.Facets.Text != "" && !told {
		return v.c.Facets.Text
	}
	for _, r := range v.list {
		other := v.client != "" && fromClient(r.c) && r.c.Source != v.client
		if r.c == v.c || other || r.state != nil && !r.state.SeenAt(v.level) {
			continue
		}
		if r.c.Facets.Text != "" && (fromClient(r.c) || SourceKind(r.c.Source) == FromManual) {
			return r.c.Facets.Text
		}
	}
	return ""
}

// AppendState appends the element that programs read: <state xmlns='…' id='on_call'
// since='…' until='…' src='phone'/>, with what else the level sees. Below [Detail] it
// appends nothing.
func (s *Shown) AppendState(b []byte) []byte {
	if s.State == "" {
		return b
	}
	b = append(b, "<state xmlns='"+StateNamespace+"'"...)
	b = attribute(b, "id", s.State)
	b = attribute(b, "since", stamp(s.Since))
	b = attribute(b, "until", stamp(s.Until))
	b = attribute(b, "src", s.Source)
	b = attribute(b, "device", s.Device)
	b = attribute(b, "with", s.Counterpart)
	b = attribute(b, "ref", s.Ref)
	if s.Stale {
		b = attribute(b, "stale", "true")
	}
	return append(b, "/>"...)
}

// attribute appends an attribute, unless it is empty.
func attribute(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	var escaped bytes.Buffer
	// Writing to a Buffer does not fail.
	_ = xml.EscapeText(&escaped, []byte(value))
	b = append(append(b, ' '), name...)
	b = append(append(b, "='"...), escaped.Bytes()...)
	return append(b, '\'')
}

// stamp writes a time as XEP-0082 §3.2 does.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
