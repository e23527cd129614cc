// Package availability tells people who of their contacts is there: initial,
// subsequent and unavailable presence, directed presence and probes (RFC 6121
// §4).
//
// Presence is sent straight from the publisher's goroutine into the outboxes of
// those who see it, spliced together from bytes that were prepared once. Whoever
// comes online finds the presence of contacts in the server's directory, so
// that no probe travels between accounts of one server (RFC 6121 §4.3.1). Of
// contacts at an annex nothing is known here: they are told and asked by stanzas.
//
// Sessions publish at the same time without a lock between them. Two rules keep
// that right. What is published is put in place before it is sent, so that of a
// publisher and one who comes online at least one sees the other. And whoever
// passes on the presence of somebody else looks again afterwards, and corrects
// himself if it has changed meanwhile: the last word is never lost.
//
// Of those who are subscribed only they are told who may see and wants to: the
// filters of both sessions say so. Follow has what they see change with the
// filters.
package availability

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Rosters knows who may see whom.
type Rosters interface {
	Of(ctx context.Context, owner jid.Bare) (*roster.Roster, error)
	Pin(ctx context.Context, owner jid.Bare) (*roster.Pin, error)
}

// Feature exchanges presence.
type Feature struct {
	// Fixed after Register.
	rosters   Rosters
	srv       *server.Server
	slot      server.Slot // of the *roster.Pin of a session that was available
	annexed   bool        // there are annexes
	leaving   server.Flag // the session is telling everybody that it is not available any more
	available []func(*server.Session)
	willing   []func(*server.Session)
	published []func(*server.Session)
	changed   []func(of jid.Bare, was View)
	merged    Merged                     // nil: nothing is known but what clients say
	carried   func(*server.Session) bool // nil: of no client

	// Safe.
	audience atomic.Pointer[graded] // nil without merged
	covers   rare[covered]
	standIns rare[standIn]
	directed ledger
	sighted  sightings
	moving   sync.Map // *server.Session -> server.Filter that it had, while it gets another

	parting sync.Map // *server.Session that have ended and are still telling everybody

	turn sync.Mutex // held by whoever changes covers, stand-ins or the audience
}

// New returns the feature.
func New(rosters Rosters) *Feature { return &Feature{rosters: rosters} }

// OnAvailable adds a call for each session that begins to be available, after
// it has heard of its contacts. It runs on the goroutine that reads the stream.
func (f *Feature) OnAvailable(h func(*server.Session)) { f.available = append(f.available, h) }

// OnWilling adds a call for each session that becomes available with a priority
// that is not negative, or whose priority ceases to be negative: it gets
// messages from now on. It comes after those of OnAvailable.
func (f *Feature) OnWilling(h func(*server.Session)) { f.willing = append(f.willing, h) }

// OnPublished adds a call for each presence of a session that was broadcast. It
// runs on the goroutine that reads the stream.
func (f *Feature) OnPublished(h func(*server.Session)) { f.published = append(f.published, h) }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "availability",
		Title: "Seeing which contacts are there",
		Specs: []server.Spec{{ID: "RFC 6121 §4"}},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	f.annexed = len(f.srv.Annexes()) > 0
	f.slot = r.NewSlot()
	f.leaving = r.NewFlag()
	r.On(stanza.Presence, server.Leaving, server.Copy, f.leave)
	r.On(stanza.Presence, server.Arriving, server.Amend, f.probed)
	r.On(stanza.Presence, server.Arriving, server.Copy, f.arrive)
	r.OnEnding(func(s *server.Session) { f.parting.Store(s, true) })
	r.OnEnded(f.ended)
	r.Alias(StandIn)
	r.IQ(server.ToAlias, false, nsInfo, "query", f.describeStandIn)
	r.OnProbe(f.unknown)
	r.OnAttached(f.inquire)
	r.OnDetached(f.abandoned)
}

// leave takes what a client says about its presence.
func (f *Feature) leave(p *server.Packet) error {
	broadcast := p.Stanza.To == nil
	switch string(p.Stanza.Type) {
	case "":
		if broadcast {
			return f.publish(p)
		}
		return f.directed.add(p)
	case "unavailable":
		if broadcast {
			return f.withdraw(p)
		}
		f.directed.remove(p.Sender, p.To)
	case "probe":
		return f.probing(p)
	}
	return nil
}

// pin returns the roster of a session's account, which stays in memory until
// the session ends. The pin is nil for people who have none.
func (f *Feature) pin(s *server.Session) (*roster.Pin, error) {
	if pin, ok := s.Get(f.slot).(*roster.Pin); ok {
		return pin, nil
	}
	if s.Account.ID == 0 {
		return nil, nil
	}
	pin, err := f.rosters.Pin(f.srv.Context(), s.Account.JID)
	if errors.Is(err, roster.ErrNoAccount) {
		return nil, nil // removed this very moment: the session is about to end
	}
	if err != nil {
		return nil, err
	}
	s.Put(f.slot, pin)
	return pin, nil
}

var nobody roster.Roster

// known is the roster that a pin holds, or an empty one.
func known(pin *roster.Pin) *roster.Roster {
	if pin == nil {
		return &nobody
	}
	return pin.Roster()
}

// roster returns an account's roster, or an empty one.
func (f *Feature) roster(owner *server.Account) (*roster.Roster, error) {
	if owner.ID == 0 {
		return &nobody, nil
	}
	r, err := f.rosters.Of(f.srv.Context(), owner.JID)
	if errors.Is(err, roster.ErrNoAccount) {
		return &nobody, nil
	}
	return r, err
}

// ended makes a session unavailable that did not say so itself (RFC 6121
// §4.5.2).
func (f *Feature) ended(s *server.Session) {
	defer f.parting.Delete(s)
	pin, _ := s.Get(f.slot).(*roster.Pin)
	f.leaveAll(s, pin, f.farewell(s))
	if pin != nil {
		s.Put(f.slot, nil)
		pin.Release()
	}
}

// leaveAll makes a session unavailable to everybody who takes it for available,
// and reports whether its contacts did.
func (f *Feature) leaveAll(s *server.Session, pin *roster.Pin, n note) bool {
	told, available := &nobody, s.Availability() != nil
	if available {
		s.Set(f.leaving, true)
		s.SetAvailability(nil)
		n.wear(f.coverOf(s.Account), "")
		f.broadcast(s, pin, n)
		s.Set(f.leaving, false)
		f.unreport(s)
		told = known(pin)
	}
	f.dismiss(s, told, n)
	f.directed.forget(s)
	f.sighted.forget(s)
	return available
}
