package notifier

import (
	"slices"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/winfo"
)

func (n *Notifier) readDialog(s presence.Subject) facts {
	f := facts{state: n.parts.States.State(s)}
	if n.parts.Lines != nil {
		f.calls = n.parts.Lines.Calls(s)
	}
	return f
}

// writeDialog makes a document of calls (RFC 4235), always a full one.
func (n *Notifier) writeDialog(l *look, f *facts, now time.Time) document {
	v := dialoginfo.View{
		Entity: l.entity, Level: l.level, Options: l.profile.Dialogs(), Dialogs: f.calls,
		HideRinging: f.state == nil || f.state.Kind == presence.Person,
	}
	if len(v.Dialogs) == 0 {
		idle, over := n.idle(l, f, now)
		if over {
			return document{mark: -1, hash: 1, gone: true}
		}
		v.Dialogs = idle
	}
	body := v.Append(make([]byte, 0, 512), now)
	what := body
	if l.level >= presence.Detail {
		what = v.Append(make([]byte, 0, len(body)), time.Time{}) // without durations
	}
	return n.made(body, what).versioned()
}

// idle is how a lamp shows somebody without a call: over says by ending the
// subscription.
func (n *Notifier) idle(l *look, f *facts, now time.Time) (shown []dialoginfo.Live, over bool) {
	switch {
	case l.level == presence.Hidden:
	case n.remembered(f.state):
		return busy, false
	case f.state == nil || f.state.Kind == presence.Person:
		if n.cfg.LampsForPeople && n.parts.Catalogue().Show(f.state, l.level, l.lang, now).Show == "dnd" {
			return busy, false
		}
	case f.state.Channels == 0: // a device that cannot be reached
		switch l.profile.Offline {
		case profile.Busy:
			return dialoginfo.Occupied(), false
		case profile.Terminate:
			return nil, true
		}
	}
	return nil, false
}

// remembered reports whether somebody was in a call before a restart, and whoever knows
// of it has not spoken since: a PBX. Until then a lamp that went dark would be wrong.
func (n *Notifier) remembered(e *presence.Effective) bool {
	if e == nil {
		return false
	}
	for i := range e.All {
		if c := &e.All[i]; c.Stale {
			if s, known := n.parts.Catalogue().Lookup(e.Kind, c.State); known && s.Has(presence.TraitCall) {
				return true
			}
		}
	}
	return false
}

// busy are the calls of somebody who is not to be disturbed for another reason.
var busy = []dialoginfo.Live{{Dialog: dialoginfo.Dialog{ID: "busy", State: dialoginfo.Confirmed, Duration: -1}}}

func (n *Notifier) readRegistration(s presence.Subject) facts {
	r := n.parts.Registrations.Registration(s)
	return facts{registration: &registration{r, time.Now()}}
}

// writeRegistration makes a document of registrations (RFC 3680), always a full one.
func (n *Notifier) writeRegistration(_ *look, f *facts, now time.Time) document {
	r := f.registration.Registration
	r.Contacts = slices.Clone(r.Contacts)
	passed := now.Sub(f.registration.at)
	for i := range r.Contacts {
		c := &r.Contacts[i]
		if c.Duration >= 0 {
			c.Duration += passed
		}
		if c.Expires >= 0 {
			c.Expires = max(c.Expires-passed, 0)
		}
	}
	d := reginfo.Document{Registrations: []reginfo.Registration{r}}
	body := d.Append(make([]byte, 0, 512))
	for i := range r.Contacts {
		r.Contacts[i].Duration, r.Contacts[i].Expires = -1, -1
	}
	return n.made(body, d.Append(nil)).versioned()
}

func (n *Notifier) readWaiting(s presence.Subject) facts {
	w := n.parts.Mailboxes.Waiting(s)
	return facts{waiting: &w}
}

// writeWaiting makes a summary of messages (RFC 3842).
func (n *Notifier) writeWaiting(_ *look, f *facts, _ time.Time) document {
	return n.made(f.waiting.Append(make([]byte, 0, 128)), nil)
}

func (n *Notifier) readWatchers(s presence.Subject) facts {
	all := n.parts.Watchers.Watching(s)
	all = all[:min(len(all), n.cfg.MaxMembers)]
	return facts{watchers: &all}
}

// writeWatchers makes a document of who watches (RFC 3858), always a full one.
func (n *Notifier) writeWatchers(l *look, f *facts, _ time.Time) document {
	d := winfo.Document{Resource: l.entity, Package: "presence", Watchers: *f.watchers}
	return n.made(d.Append(make([]byte, 0, 512)), nil).versioned()
}
