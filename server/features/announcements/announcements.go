// Package announcements tells people what those who run the server have to say:
// once, to everybody who is there, or as a message of the day, to everybody who
// comes (XEP-0133 §4.23 to §4.26).
//
// They are messages of type headline from the server's domain. They do not go
// through anybody's account: they are not archived, copied or kept for those who
// are away, and nobody can block them.
package announcements

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// MaxBytes bounds a text.
const MaxBytes = 16 << 10

// Motd is the message of the day.
type Motd struct {
	Body    string    // "" if there is none
	Changed time.Time // when it was set
}

// Store keeps the message of the day.
type Store interface {
	// Load returns it as it is now.
	Load(ctx context.Context) (Motd, error)
	// Show notes that accounts are shown it now, and returns those that were
	// not since a time. Of two that ask for the same at once one gets it.
	Show(ctx context.Context, accounts []int64, now, since time.Time) ([]int64, error)
}

// Feature announces.
type Feature struct {
	store Store          // fixed
	srv   *server.Server // fixed by Register

	// Safe.
	motd atomic.Pointer[Motd] // nil while there is none
}

// New returns the feature; it has no message of the day before [Feature.Reload].
func New(store Store) *Feature { return &Feature{store: store} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "announcements",
		Title: "Announcements to everybody who is online, and a message of the day",
		Specs: []server.Spec{{ID: "XEP-0133 §4.23–§4.26"}},
	}
}

// Register puts the handlers in place. [Feature.Greet] is to be called from
// outside.
func (f *Feature) Register(r *server.Registry) { f.srv = r.Server() }

// Reload takes over what the store has.
func (f *Feature) Reload(ctx context.Context) error {
	m, err := f.store.Load(ctx)
	if err != nil {
		return err
	}
	if m.Body == "" {
		f.motd.Store(nil)
		return nil
	}
	f.motd.Store(&m)
	return nil
}

// Motd returns the message of the day.
func (f *Feature) Motd() Motd {
	if m := f.motd.Load(); m != nil {
		return *m
	}
	return Motd{}
}

// Greet shows the message of the day to whoever has come and has not seen it
// today. It is called by the goroutine that reads the session's stream, when the
// session begins to take messages.
func (f *Feature) Greet(s *server.Session) {
	m := f.motd.Load()
	if m == nil {
		return
	}
	if s.Account.ID == 0 {
		send(s, m.Body) // a visitor is new each time
		return
	}
	if due := f.due([]int64{s.Account.ID}, m); len(due) > 0 {
		send(s, m.Body)
	}
}

// due returns which accounts are to be shown the message, and notes that.
func (f *Feature) due(accounts []int64, m *Motd) []int64 {
	now := time.Now()
	due, err := f.store.Show(f.srv.Context(), accounts, now, Since(now, m.Changed))
	if err != nil {
		f.srv.Log().Error("the message of the day could not be shown", "err", err)
	}
	return due
}

// Since returns the time from which on whoever was shown a message of the day has
// seen it: it is shown once a day, and once after it was set.
func Since(now, set time.Time) time.Time {
	y, m, d := now.Date()
	if today := time.Date(y, m, d, 0, 0, 0, 0, now.Location()); today.After(set) {
		return today
	}
	return set
}

// ShowMotd shows the message of the day to everybody who is there and has not
// seen it, and returns how many sessions got it.
func (f *Feature) ShowMotd() (n int) {
	m := f.motd.Load()
	if m == nil {
		return 0
	}
	there := map[int64][]*server.Session{}
	f.each(func(s *server.Session) { there[s.Account.ID] = append(there[s.Account.ID], s) })
	due := []int64{0} // visitors
	for page := range slices.Chunk(slices.Sorted(maps.Keys(there)), pageOfAccounts) {
		due = append(due, f.due(slices.DeleteFunc(page, func(id int64) bool { return id == 0 }), m)...)
	}
	for _, id := range due {
		for _, s := range there[id] {
			if send(s, m.Body) {
				n++
			}
		}
	}
	return n
}

// pageOfAccounts is how many are noted in one transaction, which others wait for.
const pageOfAccounts = 500

// Announce sends a text to everybody who is online, and returns how many sessions
// got it.
func (f *Feature) Announce(text string) (n int) {
	f.each(func(s *server.Session) {
		if send(s, text) {
			n++
		}
	})
	return n
}

// each calls g for the sessions that take messages (RFC 6121 §8.5.2.1.1).
func (f *Feature) each(g func(*server.Session)) {
	f.srv.EachSession(func(s *server.Session) {
		if v := s.Availability(); v != nil && v.Priority >= 0 {
			g(s)
		}
	})
}

// send sends a text to a session. When its client never gets it, nobody else
// does.
func send(s *server.Session, text string) bool {
	head := stanza.AppendAttr([]byte("<message type='headline'"), "from", s.JID.Domain())
	head = append(head, " to='"...)
	tail := append(stanza.AppendElement([]byte("'>"), "body", text), "</message>"...)
	return s.Deliver(server.Delivery{Kind: stanza.Message}, head, s.Full(), tail)
}
