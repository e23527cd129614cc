// Package contacts lets people keep a list of contacts, on the server and the
// same in all their clients (RFC 6121 §2), and agree with them on who sees whose
// presence (RFC 6121 §3).
//
// The rules are in package roster; this package carries them out. Whatever has
// to come in order of modification, results and pushes and the stanzas that
// explain them, is sent under the lock of the roster's book, or waits its turn in
// line.
package contacts

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

const namespace = "jabber:iq:roster"

// Presence shows and hides the presence of an account's resources when a
// subscription to it begins or ends. Refresh tells a session anew who of some
// contacts is there, as far as it may see it.
type Presence interface {
	Show(owner, contact jid.Bare)
	Hide(owner, contact jid.Bare)
	Refresh(s *server.Session, contacts []jid.Bare)
}

// Feature manages rosters and subscriptions.
type Feature struct {
	// Fixed after Register.
	book       *roster.Book
	presence   Presence
	maxRequest int
	srv        *server.Server
	interested server.Flag // the session has asked for the roster (RFC 6121 §2.2)
	feeding    server.Flag // the session is in feeds
	pin        server.Slot // of the *roster.Pin of an interested session
	changes    []func(owner jid.Bare)

	// Safe.
	pushes atomic.Uint64 // for ids
	line   line
	feeds  sync.Map // *server.Session -> *feed
}

// New returns the feature.
func New(book *roster.Book, presence Presence) *Feature {
	return &Feature{book: book, presence: presence}
}

// OnChanged adds a call for each roster that may have changed, once those who
// see less or more of its owner have been told.
func (f *Feature) OnChanged(h func(owner jid.Bare)) { f.changes = append(f.changes, h) }

func (f *Feature) changed(owner jid.Bare) {
	for _, h := range f.changes {
		h(owner)
	}
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:    "contacts",
		Title:   "A list of contacts, and who may see whom",
		Specs:   []server.Spec{{ID: "RFC 6121 §2–3"}, {ID: "XEP-0237"}},
		Account: []string{namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	f.maxRequest = f.book.Limits().MaxRequestBytes
	f.interested, f.feeding, f.pin = r.NewFlag(), r.NewFlag(), r.NewSlot()
	f.book.OnDifference(f.differ)
	r.IQ(server.ToSelf, false, namespace, "query", f.get)
	r.IQ(server.ToSelf, true, namespace, "query", f.set)
	// Whether somebody else has an account is not to be seen from the answer.
	r.IQ(server.ToOther, true, namespace, "query", forbid)
	r.IQ(server.ToNobody, true, namespace, "query", forbid)
	r.On(stanza.Presence, server.Leaving, server.Copy, f.leave)
	r.On(stanza.Presence, server.Arriving, server.Amend, f.arrive)
	r.StreamFeature(f.advertise)
	r.OnEnded(f.ended)
	r.OnRemoving(f.removing)
	r.OnRemoved(f.removed)
	r.OnChanged(func(a *server.Account) { f.book.Forget(a.JID) })
}

// forbid refuses a roster set for somebody else (RFC 6121 §2.3.3).
func forbid(context.Context, *server.Request) ([]byte, error) { return nil, stanza.ErrForbidden }

var streamFeatures = []byte("<ver xmlns='urn:xmpp:features:rosterver'/><sub xmlns='urn:xmpp:features:pre-approval'/>")

// advertise names what a client may rely on (RFC 6121 §2.6.1, §3.4). Where
// people are anonymous they have no roster.
func (f *Feature) advertise(domain string) []byte {
	if d, _ := f.srv.Domain(domain); d.Anonymous {
		return nil
	}
	return streamFeatures
}

// eachInterested calls h for each interested session of an account.
func (f *Feature) eachInterested(owner jid.Bare, h func(*server.Session)) {
	if a := f.srv.Connected(owner); a != nil {
		for _, s := range a.Sessions() {
			if s.Has(f.interested) {
				h(s)
			}
		}
	}
}

// Redeliver sends a session that has just become available the subscription
// requests that wait for an answer (RFC 6121 §3.1.3, rule 4).
func (f *Feature) Redeliver(s *server.Session) {
	if s.Account.ID == 0 {
		return
	}
	r, err := f.book.Of(f.srv.Context(), s.Account.JID)
	if err != nil {
		f.srv.Log().Error("waiting subscription requests could not be delivered", "jid", s.JID, "err", err)
		return
	}
	for _, raw := range r.Requests() {
		if s.Lets(raw) {
			s.Send(stanza.Presence, raw)
		}
	}
}

// removing has the roster of an account read while it is there, so that its
// contacts can be told.
func (f *Feature) removing(ctx context.Context, a *server.Account) {
	if _, err := f.book.Of(ctx, a.JID); err != nil {
		f.srv.Log().Warn("the contacts of an account that is removed are not told", "jid", a.JID, "err", err)
	}
}

// removed tells the contacts of an account that is no more that they see nobody
// there, and that nobody sees them.
func (f *Feature) removed(a *server.Account) {
	ctx := f.srv.Context()
	// The rows are gone already; removing had them read.
	r, err := f.book.Of(ctx, a.JID)
	f.book.Forget(a.JID)
	if err != nil {
		return
	}
	for it := range r.Own() {
		f.part(a.JID, it.Contact, it.State.Farewell())
	}
}

// refusal tells a session whose account was removed this very moment that it
// has no roster (RFC 6121 §2.1.4).
func refusal(err error) error {
	if errors.Is(err, roster.ErrNoAccount) {
		return stanza.ErrItemNotFound
	}
	return err
}
