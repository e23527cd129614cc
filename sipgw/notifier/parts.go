package notifier

import (
	"context"
	"log/slog"
	"net/netip"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
	"rollcall/sipgw/mwi"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/transport"
	"rollcall/sipgw/winfo"
)

// Transport sends NOTIFYs: *transport.Transport is one.
type Transport interface {
	Start(o transport.Outgoing, got func(*transport.Response, error)) *transport.Call
	ContactFor(f transport.Flow, user string) string
	Named(kind transport.Kind, connection uint64, local, remote netip.AddrPort) (transport.Flow, bool)
}

// States knows in which state subjects are: *presence.Engine is one.
type States interface {
	State(presence.Subject) *presence.Effective
}

// Watch tells whose state has changed: *presence.Watch is one, of some subjects.
type Watch interface {
	Add(...presence.Subject)
	Remove(...presence.Subject)
	Next(context.Context) ([]presence.Subject, error)
}

// Lines knows which calls a device has, or a person with all their devices. What it
// returns is not changed any more. When it would return something else,
// [Notifier.Changed] is to be called.
type Lines interface {
	Calls(presence.Subject) []dialoginfo.Live
}

// Registrations knows where a subject is registered, likewise. Durations are those
// at the moment.
type Registrations interface {
	Registration(presence.Subject) reginfo.Registration
}

// Mailboxes knows what waits for a subject, likewise.
type Mailboxes interface {
	Waiting(presence.Subject) mwi.Summary
}

// Watchers knows who may watch a subject, and who would like to, likewise.
type Watchers interface {
	Watching(presence.Subject) []winfo.Watcher
}

// Watcher is who somebody is that has subscribed.
type Watcher struct {
	// As is whose eyes they see with: the person that the device is assigned to, or
	// else the device.
	As presence.Subject

	// Device is the device itself; "" if there is none.
	Device presence.Subject
}

// Member is an entry of a list.
type Member struct {
	Subject presence.Subject
	URI     string // by which it is known to who watches the list
	Name    string // for people
}

// Parts are what a notifier needs. All may be called by many goroutines. They are not
// called with a lock held, but for Catalogue and for adding to Watch, which are not to
// wait for anybody.
type Parts struct {
	Transport Transport

	// Who finds out who sends a request. If that is not known it has answered the
	// request, and ok is false. Fields are to be in the answer.
	Who func(*transport.Request) (user string, fields []transport.Field, ok bool)

	// Watcher says who a SIP user is; false is nobody.
	Watcher func(user string) (Watcher, bool)

	// Subject says whom a URI is about; false if it is not at a domain of ours. It need
	// not exist.
	Subject func(transport.URI) (presence.Subject, bool)

	// Level says how much a watcher may see of a subject; of one that does not exist,
	// or has blocked the watcher, nothing.
	Level func(watcher, subject presence.Subject) presence.Level

	// Approval says whether the subject has let the watcher watch. Who answers
	// [event.Undecided] sees to it that the subject is asked, and calls
	// [Notifier.Recheck] when it has made up its mind. nil: everybody may.
	Approval func(watcher, subject presence.Subject) event.Permission

	// Group lists the members of a roster group for a watcher; false if there is no such
	// group for them. nil: there are no lists.
	Group func(group string, watcher presence.Subject) ([]Member, bool)

	States    States
	Watch     Watch
	Catalogue func() *presence.Catalogue
	Profiles  *profile.Set

	// These may be nil: there are none.
	Lines         Lines
	Registrations Registrations
	Mailboxes     Mailboxes
	Watchers      Watchers
	Store         Store

	Log *slog.Logger
}
