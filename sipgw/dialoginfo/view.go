package dialoginfo

import (
	"strconv"
	"time"

	"rollcall/presence"
	"rollcall/xmpp/stanza"
)

// Options are what a make of phone wants of the documents that it gets; see
// package profile.
type Options struct {
	Dummy          bool // at least one dialog, terminated if the phone is idle
	Single         bool // at most one dialog
	CallerAnswered bool // a call that the phone sets up is shown as answered
	ConfirmedFirst bool // a call outranks one that rings; else ringing does, for pickup
}

// View is what one watcher is shown of the calls of a phone or an address.
type View struct {
	Entity  string // exactly the URI that was subscribed to
	Version uint32 // rises by one with each document of the subscription
	Level   presence.Level
	Options Options

	// HideRinging leaves calls that are not answered away from those below level
	// detail: the phone is a person's.
	HideRinging bool

	Dialogs []Live
}

// Append appends the document, a full one. now dates the durations.
//
// Level hidden sees a phone that is idle. Level basic sees a virtual dialog if the
// phone is in a call, status if it rings too, detail with direction and duration;
// full sees all dialogs with identities, Call-ID and tags, which is what picking up
// a call takes (RFC 4235 §3.6, §3.7.2).
func (v *View) Append(dst []byte, now time.Time) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<dialog-info xmlns="`+Namespace+`" version="`...)
	dst = strconv.AppendUint(dst, uint64(v.Version), 10)
	dst = append(dst, `" state="full" entity="`...)
	dst = append(stanza.AppendText(dst, v.Entity), `">`...)
	written := 0
	for _, state := range v.order() {
		for i := range v.Dialogs {
			d := &v.Dialogs[i]
			if d.State != state || !v.shows(state) || written > 0 && (v.Options.Single || v.Level < presence.Full) {
				continue
			}
			written++
			if v.Level < presence.Full {
				dst = v.appendVirtual(dst, d, now)
			} else {
				dst = v.appendWhole(dst, d, now)
			}
		}
	}
	if written == 0 && v.Options.Dummy {
		dst = append(dst, `<dialog id="0000"><state>terminated</state></dialog>`...)
	}
	return append(dst, "</dialog-info>\n"...)
}

// order is in which order dialogs are written, so that a phone that reads only the
// first gets the one that counts.
func (v *View) order() [4]State {
	if v.Options.ConfirmedFirst {
		return [...]State{Confirmed, Early, Proceeding, Trying}
	}
	return [...]State{Early, Confirmed, Proceeding, Trying}
}

func (v *View) shows(s State) bool {
	switch {
	case v.Level == presence.Hidden:
		return false
	case v.Level == presence.Basic:
		return s == Confirmed
	case v.Level == presence.Status:
		return s == Confirmed || !v.HideRinging
	}
	return true
}

func (v *View) state(d *Live) State {
	if v.Options.CallerAnswered && d.Direction == Initiator {
		return Confirmed
	}
	return d.State
}

// appendVirtual writes the one dialog that stands for all of them. Its id is always
// the same: it tells nothing of which call it is.
func (v *View) appendVirtual(dst []byte, d *Live, now time.Time) []byte {
	dst = append(dst, `<dialog id="line"`...)
	if v.Level >= presence.Detail {
		dst = appendAttr(dst, "direction", d.Direction.String())
	}
	dst = append(dst, "><state>"...)
	dst = append(append(dst, v.state(d).String()...), "</state>"...)
	if v.Level >= presence.Detail {
		dst = appendDuration(dst, d, now)
		if d.Local.Rendering == RenderingNo {
			held := Party{Target: v.Entity, Rendering: RenderingNo}
			dst = held.append(dst, "local")
		}
	}
	return append(dst, "</dialog>"...)
}

func (v *View) appendWhole(dst []byte, d *Live, now time.Time) []byte {
	dst = append(dst, `<dialog id="`...)
	dst = append(stanza.AppendText(dst, d.ID), '"')
	dst = appendAttr(dst, "call-id", d.CallID)
	dst = appendAttr(dst, "local-tag", d.LocalTag)
	dst = appendAttr(dst, "remote-tag", d.RemoteTag)
	dst = appendAttr(dst, "direction", d.Direction.String())
	dst = append(dst, "><state"...)
	dst = appendAttr(dst, "event", d.Event)
	if d.Code > 0 {
		dst = append(dst, ` code="`...)
		dst = append(strconv.AppendInt(dst, int64(d.Code), 10), '"')
	}
	dst = append(dst, '>')
	dst = append(append(dst, v.state(d).String()...), "</state>"...)
	dst = appendDuration(dst, d, now)
	if d.Replaces.CallID != "" {
		dst = append(dst, "<replaces"...)
		dst = appendAttr(dst, "call-id", d.Replaces.CallID)
		dst = appendAttr(dst, "local-tag", d.Replaces.LocalTag)
		dst = appendAttr(dst, "remote-tag", d.Replaces.RemoteTag)
		dst = append(dst, "/>"...)
	}
	dst = stanza.AppendElement(dst, "referred-by", d.Referred)
	dst = d.Local.append(dst, "local")
	dst = d.Remote.append(dst, "remote")
	return append(dst, "</dialog>"...)
}

func appendDuration(dst []byte, d *Live, now time.Time) []byte {
	if d.Began.IsZero() || now.Before(d.Began) {
		return dst
	}
	dst = append(dst, "<duration>"...)
	dst = strconv.AppendInt(dst, int64(now.Sub(d.Began)/time.Second), 10)
	return append(dst, "</duration>"...)
}

func (p *Party) append(dst []byte, name string) []byte {
	if p.Identity == "" && p.Target == "" {
		return dst
	}
	dst = append(append(append(dst, '<'), name...), '>')
	if p.Identity != "" {
		dst = append(dst, "<identity"...)
		dst = appendAttr(dst, "display", p.Display)
		dst = append(stanza.AppendText(append(dst, '>'), p.Identity), "</identity>"...)
	}
	dst = p.appendTarget(dst)
	return append(append(append(dst, "</"...), name...), '>')
}

func (p *Party) appendTarget(dst []byte) []byte {
	if p.Target == "" {
		return dst
	}
	dst = append(dst, `<target uri="`...)
	dst = stanza.AppendText(dst, p.Target)
	if p.Rendering == RenderingUnsaid && !p.Focus && p.Line == "" {
		return append(dst, `"/>`...)
	}
	dst = append(dst, `">`...)
	switch p.Rendering {
	case RenderingYes:
		dst = append(dst, `<param pname="+sip.rendering" pval="yes"/>`...)
	case RenderingNo:
		dst = append(dst, `<param pname="+sip.rendering" pval="no"/>`...)
	}
	if p.Focus {
		dst = append(dst, `<param pname="isfocus" pval="true"/>`...)
	}
	if p.Line != "" {
		dst = append(dst, `<param pname="x-line-id"`...)
		dst = append(appendAttr(dst, "pval", p.Line), "/>"...)
	}
	return append(dst, "</target>"...)
}

// appendAttr appends an attribute in double quotes, which is what phones that have
// no real parser look for; nothing if the value is empty.
func appendAttr(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, ' '), name...), `="`...)
	return append(stanza.AppendText(dst, value), '"')
}
