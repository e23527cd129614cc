// Package lastactivity tells when somebody was last there, and what they said
// when they left; and how long the server has been running (XEP-0012).
//
// Only those who may see an account's presence are told. Whoever may not hears
// of it exactly what one hears of an account that does not exist: it is
// forbidden to ask, at a bare address as at a full one.
package lastactivity

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const namespace = "jabber:iq:last"

// Left says that the last session of an account has ended.
type Left struct {
	Account int64
	At      time.Time // in whole microseconds
	Status  string    // what it said goodbye with, or ""
}

// Store keeps, for each account, when it was last there.
type Store interface {
	Left(ctx context.Context, account int64) (l Left, found bool, err error)
	// SetLeft keeps many at once, all or none. What is about an account that is
	// no more is passed over.
	SetLeft(ctx context.Context, all []Left) error
}

// Rosters says who may see whose presence; a *roster.Book does.
type Rosters interface {
	Of(ctx context.Context, owner jid.Bare) (*roster.Roster, error)
}

// Feature answers questions after the last activity.
type Feature struct {
	// Fixed after Register.
	store   Store
	rosters Rosters
	srv     *server.Server
	slot    server.Slot // of the status with which a session became unavailable

	wake chan struct{} // holds a token if there is something to store

	mu      sync.Mutex // guards the fields below
	pending map[int64]Left
}

// New returns the feature.
func New(store Store, rosters Rosters) *Feature {
	return &Feature{store: store, rosters: rosters, wake: make(chan struct{}, 1), pending: map[int64]Left{}}
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:    "lastactivity",
		Title:   "When somebody was last there",
		Specs:   []server.Spec{{ID: "XEP-0012"}},
		Host:    []string{namespace},
		Account: []string{namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	f.slot = r.NewSlot()
	r.IQ(server.ToHost, false, namespace, "query", f.uptime)
	r.IQ(server.ToSelf, false, namespace, "query", f.get)
	r.IQ(server.ToOther, false, namespace, "query", f.get)
	r.IQ(server.ToNobody, false, namespace, "query", forbidden)
	// Leaving, so that it makes no difference whether the resource is there;
	// arriving, lest anything reaches it by another way.
	r.On(stanza.IQ, server.Leaving, server.Guard, f.guard)
	r.On(stanza.IQ, server.Arriving, server.Guard, f.guard)
	r.On(stanza.Presence, server.Leaving, server.Record, f.listen)
	r.OnEnded(f.ended)
	r.OnRemoved(f.removed)
}

// uptime answers for the server (XEP-0012 §5).
func (f *Feature) uptime(context.Context, *server.Request) ([]byte, error) {
	return answer(time.Since(f.srv.Began()), ""), nil
}

// get answers for an account (XEP-0012 §3).
func (f *Feature) get(ctx context.Context, r *server.Request) ([]byte, error) {
	sees, err := f.sees(ctx, r.From.Bare(), r.Account.JID)
	if err != nil {
		return nil, err
	}
	if !sees || !r.Account.Shows(r.From) {
		return nil, stanza.ErrForbidden
	}
	seen, err := f.seen(ctx, r.Account)
	switch {
	case err != nil:
		return nil, err
	case seen.Now:
		return answer(0, ""), nil
	case seen.At.IsZero():
		return nil, stanza.ErrItemNotFound
	}
	return answer(time.Since(seen.At), seen.Status), nil
}

// forbidden answers for accounts that do not exist.
func forbidden(context.Context, *server.Request) ([]byte, error) { return nil, stanza.ErrForbidden }

func answer(ago time.Duration, status string) []byte {
	b := append([]byte("<query xmlns='"+namespace+"' seconds='"), strconv.FormatInt(int64(max(ago, 0)/time.Second), 10)...)
	if status == "" {
		return append(b, "'/>"...)
	}
	return append(stanza.AppendText(append(b, "'>"...), status), "</query>"...)
}

// guard keeps a question from the clients of those whose presence whoever asks
// may not see (XEP-0012 §4). The others answer for themselves.
func (f *Feature) guard(p *server.Packet) error {
	st := p.Stanza
	if !p.To.IsFull() || p.To.Local() == "" || !st.IsType("get") || len(st.Children) == 0 || !st.Children[0].Is(namespace, "query") {
		return nil
	}
	if _, here := f.srv.Domain(p.To.Domain()); !here {
		return nil
	}
	sees, err := f.sees(f.srv.Context(), p.From.Bare(), p.To.Bare())
	if err != nil {
		return err
	}
	a := f.srv.Connected(p.To.Bare())
	if !sees || a != nil && !a.Shows(p.From) {
		return stanza.ErrForbidden
	}
	if a != nil {
		if s := a.Session(p.To.Resource()); s != nil && s.Denies(true, stanza.Presence, p.From) {
			return stanza.ErrServiceUnavailable // it hides beside one that does not: as if it were not there
		}
	}
	return nil
}

// sees reports whether somebody may see an account's presence.
func (f *Feature) sees(ctx context.Context, who, account jid.Bare) (bool, error) {
	if who == account {
		return true, nil
	}
	of, err := f.rosters.Of(ctx, account)
	if errors.Is(err, roster.ErrNoAccount) {
		return false, nil // there is none, or an anonymous user's
	}
	if err != nil {
		return false, err
	}
	return of.State(who).Has(roster.From), nil
}

// Seen is when somebody was last there.
type Seen struct {
	Now    bool      // is connected
	At     time.Time // else when the last session ended; zero if that is not known
	Status string    // what was said then
}

// Seen returns when an account was last there, whoever wants to know: it is for
// those who run the server. found is false if there is no such account.
func (f *Feature) Seen(ctx context.Context, who jid.Bare) (seen Seen, found bool, err error) {
	a, found, err := f.srv.Account(ctx, who)
	if err != nil || !found {
		return Seen{}, false, err
	}
	seen, err = f.seen(ctx, a)
	return seen, true, err
}

func (f *Feature) seen(ctx context.Context, a *server.Account) (Seen, error) {
	if len(a.Sessions()) > 0 {
		return Seen{Now: true}, nil
	}
	f.mu.Lock()
	left, found := f.pending[a.ID]
	f.mu.Unlock()
	if !found {
		var err error
		if left, found, err = f.store.Left(ctx, a.ID); err != nil || !found {
			return Seen{}, err
		}
	}
	return Seen{At: left.At, Status: left.Status}, nil
}
