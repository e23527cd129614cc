package notifier

import (
	"sync/atomic"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/sipgw/profile"
)

// A pack is an event package with what it takes to serve it.
type pack struct {
	event.Package // with our pace

	// read asks the source what is so.
	read func(presence.Subject) facts

	// write makes the document that is seen by a look.
	write func(l *look, f *facts, now time.Time) document

	states  bool // the state of the subject is among the facts
	polite  bool // who is to see nothing is told that nobody is there
	private bool // only those at level full may know anything
	own     bool // only the subject may
	ages    bool // documents tell how long things have lasted
	closes  bool // who unsubscribes is told that it is closed
	filled  bool // some makes of phone want a body always

	topics atomic.Int64 // that somebody watches
}

// full reports whether a make of phone is to have a body in each NOTIFY.
func (p *pack) full(make *profile.Profile) bool { return p.filled && make.NoEmptyMWI }

// packages are those that are served.
func (n *Notifier) packages() []*pack {
	all := []*pack{
		{Package: named("presence", n.cfg.Pace.Presence), read: n.readPresence, write: n.writePresence, states: true, polite: true, closes: true},
		{Package: named("dialog", n.cfg.Pace.Dialog), read: n.readDialog, write: n.writeDialog, states: true, ages: true},
	}
	if n.parts.Registrations != nil {
		all = append(all, &pack{
			Package: named("reg", n.cfg.Pace.Registration), read: n.readRegistration, write: n.writeRegistration, private: true, ages: true,
		})
	}
	if n.parts.Mailboxes != nil {
		all = append(all, &pack{
			Package: named("message-summary", n.cfg.Pace.Waiting), read: n.readWaiting, write: n.writeWaiting, private: true, filled: true,
		})
	}
	if n.parts.Watchers != nil {
		all = append(all, &pack{
			Package: named("presence.winfo", n.cfg.Pace.Presence), read: n.readWatchers, write: n.writeWatchers, private: true, own: true,
		})
	}
	return all
}

func named(name string, pace time.Duration) event.Package {
	p := *event.Find(event.Event{Package: name})
	p.Every = pace
	return p
}

// find returns the package that an Event header asks for; nil is 489.
func (n *Notifier) find(e event.Event) *pack {
	if e.Shared() {
		return nil
	}
	for _, p := range n.packs {
		if p.Name == e.Package {
			return p
		}
	}
	return nil
}

// allowed is the header that goes with 489.
func (n *Notifier) allowed() string {
	out := ""
	for i, p := range n.packs {
		if i > 0 {
			out += ", "
		}
		out += p.Name
	}
	return out
}

// admit decides whether a watcher may watch, by the level and by what the subject
// says.
func (p *pack) admit(level presence.Level, said event.Permission) event.Permission {
	switch {
	case p.private && level < presence.Full:
		return event.Refused
	case p.private:
		return event.Allowed
	case level == presence.Hidden && p.polite:
		return event.Allowed
	case level == presence.Hidden:
		return event.Refused
	}
	return said
}

// level is how much a watcher sees of a subject: of themselves, and of the device
// that they watch with, everything. n.mu is not held.
func (n *Notifier) level(w Watcher, subject presence.Subject) presence.Level {
	if subject == w.As || subject == w.Device {
		return presence.Full
	}
	return n.parts.Level(w.As, subject)
}

// judge is the level of a watcher, and whether they may watch. n.mu is not held.
func (n *Notifier) judge(p *pack, w Watcher, subject presence.Subject) (presence.Level, event.Permission) {
	level := n.level(w, subject)
	if p.own && subject != w.As && subject != w.Device {
		level = presence.Hidden
	}
	said := event.Allowed
	if !p.private && level != presence.Hidden && subject != w.As && subject != w.Device {
		said = n.parts.Approval(w.As, subject)
	}
	return level, p.admit(level, said)
}
