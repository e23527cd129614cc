package pidf

import (
	"math/bits"
	"time"

	"rollcall/xmpp/stanza"
)

// Append appends the document. Tuples come first, then notes, then persons and
// devices, as the schema of RFC 3863 has it.
//
// COMPAT(baresip 1.0): it looks for the letters "<rpid:busy/>" and reads
// "<rpid:away/>" as offline. COMPAT(Snom): it reads by the place of elements.
func (d *Document) Append(dst []byte) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<presence xmlns="`+Namespace+`" xmlns:dm="`+nsModel+`" xmlns:rpid="`+nsRPID+`" entity="`...)
	dst = append(stanza.AppendText(dst, d.Entity), "\">\n"...)
	for i := range d.Tuples {
		dst = append(d.Tuples[i].append(dst), '\n')
	}
	for i := range d.Notes {
		dst = append(d.Notes[i].append(dst, "note"), '\n')
	}
	for i := range d.Persons {
		dst = append(d.Persons[i].append(dst, "dm:person"), '\n')
	}
	for i := range d.Devices {
		dst = append(d.Devices[i].append(dst, "dm:device"), '\n')
	}
	return append(dst, "</presence>\n"...)
}

func (t *Tuple) append(dst []byte) []byte {
	dst = append(stanza.AppendText(append(dst, `<tuple id="`...), t.ID), `"><status>`...)
	switch t.Basic {
	case Open:
		dst = append(dst, "<basic>open</basic>"...)
	case Closed:
		dst = append(dst, "<basic>closed</basic>"...)
	}
	if t.Show != "" {
		dst = append(dst, `<show xmlns="`+nsClient+`">`...)
		dst = append(stanza.AppendText(dst, t.Show), "</show>"...)
	}
	dst = append(dst, "</status>"...)
	dst = appendActivities(dst, t.Activities, t.Other, time.Time{})
	dst = t.Input.append(dst)
	dst = stanza.AppendElement(dst, "dm:deviceID", t.DeviceID)
	if t.Contact != "" {
		dst = append(dst, "<contact"...)
		if n, ok := t.Priority.Thousandths(); ok {
			dst = append(appendPriority(append(dst, ` priority="`...), n), '"')
		}
		dst = append(stanza.AppendText(append(dst, '>'), t.Contact), "</contact>"...)
	}
	for i := range t.Notes {
		dst = t.Notes[i].append(dst, "note")
	}
	if !t.Timestamp.IsZero() {
		dst = append(dst, "<timestamp>"...)
		dst = append(appendTime(dst, t.Timestamp), "</timestamp>"...)
	}
	return append(dst, "</tuple>"...)
}

func (p *Person) append(dst []byte, name string) []byte {
	dst = append(append(append(dst, '<'), name...), ` id="`...)
	dst = append(stanza.AppendText(dst, p.ID), `">`...)
	dst = appendActivities(dst, p.Activities, p.Other, p.Until)
	dst = p.Input.append(dst)
	dst = stanza.AppendElement(dst, "dm:deviceID", p.DeviceID)
	for i := range p.Notes {
		dst = p.Notes[i].append(dst, "dm:note")
	}
	if !p.Timestamp.IsZero() {
		dst = append(dst, "<dm:timestamp>"...)
		dst = append(appendTime(dst, p.Timestamp), "</dm:timestamp>"...)
	}
	return append(append(append(dst, "</"...), name...), '>')
}

func appendActivities(dst []byte, a Activities, other string, until time.Time) []byte {
	if a &= written; a == 0 {
		return dst
	}
	dst = append(dst, "<rpid:activities"...)
	if !until.IsZero() {
		dst = append(appendTime(append(dst, ` until="`...), until), '"')
	}
	dst = append(dst, '>')
	for ; a != 0; a &= a - 1 {
		i := bits.TrailingZeros64(uint64(a))
		dst = append(append(dst, "<rpid:"...), activityNames[i]...)
		if Activities(1)<<i == Other && other != "" {
			dst = append(stanza.AppendText(append(dst, '>'), other), "</rpid:other>"...)
			continue
		}
		dst = append(dst, "/>"...)
	}
	return append(dst, "</rpid:activities>"...)
}

func (in Input) append(dst []byte) []byte {
	if in.State == InputUnsaid {
		return dst
	}
	dst = append(dst, "<rpid:user-input"...)
	if !in.Last.IsZero() {
		dst = append(appendTime(append(dst, ` last-input="`...), in.Last), '"')
	}
	if in.State == Idle {
		return append(dst, ">idle</rpid:user-input>"...)
	}
	return append(dst, ">active</rpid:user-input>"...)
}

func (n *Note) append(dst []byte, name string) []byte {
	dst = append(append(dst, '<'), name...)
	if n.Lang != "" {
		dst = append(stanza.AppendText(append(dst, ` xml:lang="`...), n.Lang), '"')
	}
	dst = stanza.AppendText(append(dst, '>'), n.Text)
	return append(append(append(dst, "</"...), name...), '>')
}

func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05Z")
}

// appendPriority appends thousandths without zeros behind.
func appendPriority(dst []byte, n int) []byte {
	if n >= 1000 {
		return append(dst, '1')
	}
	dst = append(dst, '0')
	if n == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}
