// Package privacy lets people say whom they let through to them, and to whom
// they show themselves: privacy lists (XEP-0016).
//
// What a list says is in package roster/privacy, and the server asks it wherever
// something passes; here lists are managed and put in force. Whatever follows from
// a change happens under the lock of the owner's lists in the book: the filters
// are in place before the result goes out (§2.4), then come the pushes, and then
// what people see of each other.
package privacy

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"

	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Rosters knows who is whose contact.
type Rosters interface {
	Of(ctx context.Context, owner jid.Bare) (*roster.Roster, error)
}

// Presence has what people see of each other follow a change of an account's
// filters; past is the roster before, if that is why.
type Presence interface {
	Follow(a *server.Account, past *roster.Roster, change func())
}

// Mirror hears that an account's lists have changed, and under the same lock.
type Mirror func(a *server.Account, before, after *privacy.Lists)

// Feature manages privacy lists.
type Feature struct {
	// Fixed after Register.
	book     *privacy.Book
	rosters  Rosters
	presence Presence
	srv      *server.Server
	mirrors  []Mirror
	edits    []func(owner jid.Bare)

	pushes atomic.Uint64 // for ids; safe
}

// New returns the feature.
func New(book *privacy.Book, rosters Rosters, presence Presence) *Feature {
	return &Feature{book: book, rosters: rosters, presence: presence}
}

// OnChanged adds a call for each change, but for those whose Edit has a word of
// its own.
func (f *Feature) OnChanged(m Mirror) { f.mirrors = append(f.mirrors, m) }

// OnEdited adds a call for each account whose lists are others now, or others in force,
// whoever edits them and in whichever way. It may be made under the same lock.
func (f *Feature) OnEdited(h func(owner jid.Bare)) { f.edits = append(f.edits, h) }

func (f *Feature) edited(owner jid.Bare) {
	for _, h := range f.edits {
		h(owner)
	}
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "privacy",
		Title: "Privacy lists: who gets through, and who sees whom",
		Specs: []server.Spec{{ID: "XEP-0016"}, {ID: "XEP-0126"}},
		Host:  []string{privacy.Namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	r.Filters(f.load)
	r.IQ(server.ToSelf, false, privacy.Namespace, "query", f.get)
	r.IQ(server.ToSelf, true, privacy.Namespace, "query", f.set)
	r.OnBound(f.bound)
	r.OnEnded(f.moved)
	r.OnRemoved(func(a *server.Account) { f.book.Forget(a.JID) })
	r.OnChanged(func(a *server.Account) { f.book.Forget(a.JID) })
}

// load returns the filter of an account's default list.
func (f *Feature) load(ctx context.Context, a *server.Account) (server.Filter, error) {
	all, err := f.book.Of(ctx, a.JID)
	if errors.Is(err, roster.ErrNoAccount) {
		return nil, nil // it went away just now
	}
	if err != nil {
		return nil, err
	}
	list := all.Default()
	if list == nil {
		return nil, nil
	}
	var r *roster.Roster
	if list.LooksAtRoster() {
		if r, err = f.rosters.Of(ctx, a.JID); err != nil {
			return nil, err
		}
	}
	return list.Under(r), nil
}

// bound makes sure of what was put in place as the session came: the lists may
// have changed in between.
func (f *Feature) bound(s *server.Session) {
	if s.Account.ID == 0 {
		return
	}
	err := f.book.Read(f.srv.Context(), s.Account.JID, func(all *privacy.Lists) { f.put(s.Account, all) })
	if err != nil && !errors.Is(err, roster.ErrNoAccount) {
		f.srv.Log().Error("privacy lists could not be read", "jid", s.JID, "err", err)
	}
	f.moved(s)
}

// moved tells that other lists are in force for an account together, since a session of it
// has come or gone.
func (f *Feature) moved(s *server.Session) {
	if active(s) != "" || slices.ContainsFunc(s.Account.Sessions(), func(o *server.Session) bool { return active(o) != "" }) {
		f.edited(s.Account.JID)
	}
}

// RosterChanged has an account's lists look at its roster anew (XEP-0016 §2.2,
// rule 9). It is to be called when no lock of the roster is held any more.
// Those whose subscriptions have changed have been told.
func (f *Feature) RosterChanged(owner jid.Bare) { f.lookAgain(owner, false) }

// RostersChanged is for a change of shared groups, which can be one of everybody's
// roster. Those whose subscriptions have changed may be told yet.
func (f *Feature) RostersChanged() {
	seen := map[*server.Account]bool{}
	f.srv.EachSession(func(s *server.Session) {
		if !seen[s.Account] {
			seen[s.Account] = true
			f.lookAgain(s.Account.JID, true)
		}
	})
}

func (f *Feature) lookAgain(owner jid.Bare, shared bool) {
	a := f.srv.Connected(owner)
	if a == nil || looks(a) == nil {
		return
	}
	err := f.book.Read(f.srv.Context(), owner, func(all *privacy.Lists) {
		past := looks(a)
		if !shared {
			past = nil
		}
		f.presence.Follow(a, past, func() { f.put(a, all) })
	})
	if err != nil && !errors.Is(err, roster.ErrNoAccount) {
		f.srv.Log().Error("privacy lists could not follow the roster", "jid", owner, "err", err)
	}
}

// looks returns the roster that a list in force looks at; nil if none does.
func looks(a *server.Account) *roster.Roster {
	if p, ok := a.Filter().(*privacy.Filter); ok && p.Roster() != nil {
		return p.Roster()
	}
	for _, s := range a.Sessions() {
		if p, ok := s.OwnFilter().(*privacy.Filter); ok && p.Roster() != nil {
			return p.Roster()
		}
	}
	return nil
}

// put puts an account's lists in force: the default one for all of it, and for
// each session the active one, if there still is one of that name. The caller
// holds the lock of the lists.
func (f *Feature) put(a *server.Account, all *privacy.Lists) {
	var r *roster.Roster
	known := func() *roster.Roster {
		if r == nil {
			r = f.roster(a.JID)
		}
		return r
	}
	a.SetFilter(under(all.Default(), known, a.Filter()))
	for _, s := range a.Sessions() {
		if name := active(s); name != "" {
			s.SetFilter(under(all.Get(name), known, s.OwnFilter()))
		}
	}
}

// under returns the filter of a list: the one that is there if it is the same.
func under(list *privacy.List, known func() *roster.Roster, old server.Filter) server.Filter {
	if list == nil {
		return nil
	}
	if !list.LooksAtRoster() {
		return list.Under(nil)
	}
	r := known()
	if p, ok := old.(*privacy.Filter); ok && p.List() == list && p.Roster() == r {
		return p
	}
	return list.Under(r)
}

func (f *Feature) roster(owner jid.Bare) *roster.Roster {
	r, err := f.rosters.Of(f.srv.Context(), owner)
	if err == nil {
		return r
	}
	if !errors.Is(err, roster.ErrNoAccount) {
		f.srv.Log().Error("privacy lists take everybody for a stranger", "jid", owner, "err", err)
	}
	return new(roster.Roster)
}

// active returns the name of a session's active list, or "".
func active(s *server.Session) string { return nameOf(s.OwnFilter()) }

func nameOf(f server.Filter) string {
	if p, ok := f.(*privacy.Filter); ok {
		return p.List().Name()
	}
	return ""
}

// inUse reports whether a list applies to a session of the account other than
// one (XEP-0016 §2.2, rule 11).
func inUse(a *server.Account, list string, except *server.Session) bool {
	for _, s := range a.Sessions() {
		if s != except && nameOf(s.Filter()) == list {
			return true
		}
	}
	return false
}

// push tells all connected resources which lists have changed (XEP-0016 §2.2,
// rule 10). What they answer is ignored.
func (f *Feature) push(a *server.Account, names []string) {
	for _, name := range names {
		head := []byte("<iq type='set' id='privacy-")
		head = append(strconv.AppendUint(head, f.pushes.Add(1), 36), "' to='"...)
		tail := stanza.AppendAttr([]byte("'><query xmlns='"+privacy.Namespace+"'><list"), "name", name)
		tail = append(tail, "/></query></iq>"...)
		for _, s := range a.Sessions() {
			s.Deliver(server.Delivery{Kind: stanza.IQ}, head, s.Full(), tail)
		}
	}
}
