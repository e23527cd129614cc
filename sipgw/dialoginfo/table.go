package dialoginfo

import (
	"strings"
	"time"

	"rollcall/sipgw/event"
)

// Live is a dialog that is not over, and when things happened to it as far as one
// can know who only hears of them.
type Live struct {
	Dialog
	Began time.Time // the dialog
	Since time.Time // its state, or hold
	Heard time.Time // the last that was said of it

	// Answered is when it was confirmed; zero is not yet.
	Answered time.Time
}

// Table is what the documents of one subscription come to (RFC 4235 §4.3). It
// belongs to whoever holds the subscription. The zero value has heard nothing.
type Table struct {
	live     []Live
	versions event.Versions
}

// Live returns the dialogs that are not over, in the order in which they came. They
// are good until the next Apply.
func (t *Table) Live() []Live { return t.live }

// Version returns the version of the last document.
func (t *Table) Version() uint32 { return t.versions.Last }

// Outcome is what came of a document.
type Outcome struct {
	Ignored bool // it was older than what is known
	Refresh bool // documents are missing: ask for a full one (SUBSCRIBE)
	Changed bool // the live dialogs are not what they were
}

// Forget makes the table as new, for a subscription that begins again. What was
// known stays known until the first document, unless nothing of it is kept.
func (t *Table) Forget(keep bool) {
	t.versions = event.Versions{}
	if !keep {
		t.live = nil
	}
}

// Apply folds a document into the table. It keeps nothing of the document's
// memory.
func (t *Table) Apply(doc *Document, now time.Time) Outcome {
	var out Outcome
	if out.Ignored, out.Refresh = t.versions.Next(doc.Version, doc.Partial); out.Ignored {
		return out
	}
	before := len(t.live)
	if !doc.Partial {
		out.Changed = t.replace(doc, now)
	} else {
		for i := range doc.Dialogs {
			if t.update(&doc.Dialogs[i], now) {
				out.Changed = true
			}
		}
	}
	if before != len(t.live) {
		out.Changed = true
	}
	return out
}

// replace takes over a full document: what is missing from it is over.
func (t *Table) replace(doc *Document, now time.Time) bool {
	old, seen := t.live, 0
	t.live = make([]Live, 0, len(doc.Dialogs))
	changed := false
	for i := range doc.Dialogs {
		d := &doc.Dialogs[i]
		if d.State == Terminated || d.State == Unknown {
			continue
		}
		l := Live{Dialog: d.clone()}
		if o := find(old, d); o == nil {
			changed = true
			l.start(now)
		} else {
			l.Began, l.Since, l.Heard, l.Answered = o.Began, o.Since, now, o.Answered
			if o.differs(&l.Dialog) {
				changed = true
			}
			l.turn(&o.Dialog, now)
			*o = Live{} // it is nobody else's
			seen++
		}
		t.live = append(t.live, l)
	}
	// From behind, for settling may remove some and move others to the front.
	for i := len(t.live) - 1; i >= 0; i-- {
		t.settle(i)
	}
	return changed || seen < len(old)
}

// update takes over one dialog of a partial document. What it does not say of a
// dialog that is known has not changed, as RFC 4235 §6.2 shows it.
func (t *Table) update(d *Dialog, now time.Time) bool {
	if d.State == Terminated {
		return t.remove(func(_ int, l *Live) bool { return l.Same(d) })
	}
	// An id that has come to another call has left the one before.
	t.remove(func(_ int, l *Live) bool { return l.ID == d.ID && !agree(l.CallID, d.CallID) })
	l := find(t.live, d)
	if l == nil {
		if d.State == Unknown || len(t.live) >= MaxDialogs {
			return false
		}
		t.live = append(t.live, Live{Dialog: d.clone()})
		t.live[len(t.live)-1].start(now)
		t.settle(len(t.live) - 1)
		return true
	}
	before := l.Dialog
	l.merge(d)
	l.Heard = now
	l.turn(&before, now)
	changed := l.differs(&before)
	for i := range t.live {
		if &t.live[i] == l {
			t.settle(i)
			break
		}
	}
	return changed
}

// find returns the dialog that d may be, or nil.
func find(live []Live, d *Dialog) *Live {
	for i := range live {
		if live[i].State != Unknown && live[i].Same(d) {
			return &live[i]
		}
	}
	return nil
}

// settle removes what the dialog with that index has ended without a word, if it is
// confirmed: the other branches of its call that still ring, and the dialog that it
// has replaced. So a transfer leaves no ghost.
func (t *Table) settle(i int) {
	if i >= len(t.live) || t.live[i].State != Confirmed {
		return
	}
	c := t.live[i].Dialog
	t.remove(func(k int, l *Live) bool {
		return k != i && (l.State.Ringing() && l.forkOf(&c) || c.Replaces.names(&l.Dialog))
	})
}

// remove removes dialogs, and reports whether there were any.
func (t *Table) remove(gone func(int, *Live) bool) bool {
	n := 0
	for k := range t.live {
		if gone(k, &t.live[k]) {
			continue
		}
		if n != k {
			t.live[n] = t.live[k]
		}
		n++
	}
	some := n < len(t.live)
	clear(t.live[n:])
	t.live = t.live[:n]
	return some
}

// start dates a dialog that is new here. It may be older than our knowledge.
func (l *Live) start(now time.Time) {
	l.Began, l.Heard = now, now
	if l.Duration > 0 && l.Duration < maxDuration {
		l.Began = now.Add(-l.Duration)
	}
	l.Since = l.Began
	if l.State == Confirmed {
		l.Answered = l.Began
	}
}

const maxDuration = 7 * 24 * time.Hour

// turn dates a change of the state, or of hold.
func (l *Live) turn(before *Dialog, now time.Time) {
	if l.State != before.State || l.Local.Rendering != before.Local.Rendering {
		l.Since = now
	}
	if l.State == Confirmed && l.Answered.IsZero() {
		l.Answered = now
	}
}

func (d *Dialog) differs(next *Dialog) bool {
	a, b := *d, *next
	a.Duration, b.Duration = 0, 0
	return a != b
}

// merge takes over what is new.
func (d *Dialog) merge(news *Dialog) {
	n := news.clone()
	if n.State != Unknown {
		d.State, d.Event, d.Code = n.State, n.Event, n.Code
	}
	if n.Direction != Unsaid {
		d.Direction = n.Direction
	}
	if n.Duration >= 0 {
		d.Duration = n.Duration
	}
	if n.Replaces != (Replaces{}) {
		d.Replaces = n.Replaces
	}
	take(&d.CallID, n.CallID)
	take(&d.LocalTag, n.LocalTag)
	take(&d.RemoteTag, n.RemoteTag)
	take(&d.Referred, n.Referred)
	d.Local.merge(&n.Local)
	d.Remote.merge(&n.Remote)
}

func (p *Party) merge(n *Party) {
	if n.Identity != "" {
		p.Identity, p.Display = n.Identity, n.Display
	}
	take(&p.Line, n.Line)
	if n.Target != "" {
		// The parameters are the target's, so they come and go with it.
		p.Target, p.Focus = n.Target, n.Focus
		p.Rendering = n.Rendering
	}
	if n.Rendering != RenderingUnsaid {
		p.Rendering = n.Rendering
	}
}

func take(to *string, s string) {
	if s != "" {
		*to = s
	}
}

// clone copies the dialog with all its strings, so that it doesn't keep the
// document that it came from.
func (d *Dialog) clone() Dialog {
	c := *d
	for _, s := range []*string{
		&c.ID, &c.CallID, &c.LocalTag, &c.RemoteTag, &c.Event, &c.Referred,
		&c.Replaces.CallID, &c.Replaces.LocalTag, &c.Replaces.RemoteTag,
		&c.Local.Identity, &c.Local.Display, &c.Local.Target, &c.Local.Line,
		&c.Remote.Identity, &c.Remote.Display, &c.Remote.Target, &c.Remote.Line,
	} {
		*s = strings.Clone(*s)
	}
	return c
}
