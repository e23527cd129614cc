package server

import (
	"context"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Filter is what an account, or one of its sessions, lets through: a privacy
// list in force (XEP-0016). It is safe for all to use and never changes.
type Filter interface {
	// Denies reports whether a stanza may not come from a peer or, out, go there.
	// stanza.Presence stands for available and unavailable presence,
	// stanza.Other for subscriptions, probes and errors in presence stanzas.
	Denies(out bool, k stanza.Kind, peer jid.JID) bool
	// Refusal is what the owner is told of a stanza that does not go out.
	Refusal(peer jid.JID) error
}

// Loader returns the filter of an account as a whole; nil if there is none.
type Loader func(context.Context, *Account) (Filter, error)

// Filters has load say what accounts let through. Where there is none
// everything passes.
func (r *Registry) Filters(load Loader) { r.filters = load }

// filterOf returns what an account lets through where no session of it says
// otherwise. It may have to be read.
func (srv *Server) filterOf(ctx context.Context, a *Account) (Filter, error) {
	if srv.reg.filters == nil || a.ID == 0 {
		return nil, nil
	}
	return srv.reg.filters(ctx, a)
}

// Filter returns what the account lets through where no session of it says
// otherwise, and while it has none; nil is everything.
func (a *Account) Filter() Filter {
	if f := a.filter.Load(); f != nil {
		return *f
	}
	return nil
}

// SetFilter changes it.
func (a *Account) SetFilter(f Filter) { store(&a.filter, f) }

// Filter returns what the session lets through: what it says itself, or else
// what its account does; nil is everything.
func (s *Session) Filter() Filter {
	if f := s.filter.Load(); f != nil {
		return *f
	}
	return s.Account.Filter()
}

// OwnFilter returns what the session itself lets through; nil if that is for its
// account to say.
func (s *Session) OwnFilter() Filter {
	if f := s.filter.Load(); f != nil {
		return *f
	}
	return nil
}

// SetFilter changes what the session itself lets through; with nil it is for its
// account to say.
func (s *Session) SetFilter(f Filter) { store(&s.filter, f) }

// Denies reports whether a stanza may not come from a peer to the session or,
// out, go there from it: see Filter.
func (s *Session) Denies(out bool, k stanza.Kind, peer jid.JID) bool {
	f := s.Filter()
	return f != nil && Denies(f, s.Account, out, k, peer)
}

// Denies asks a filter of an account, which may be nil. Nobody is kept from
// their own resources (XEP-0016 §2.1, XEP-0191 §5), nor from their own server.
func Denies(f Filter, a *Account, out bool, k stanza.Kind, peer jid.JID) bool {
	if f == nil || peer.Bare() == a.JID || peer.Local() == "" && peer.Domain() == a.JID.Domain() {
		return false
	}
	return f.Denies(out, k, peer)
}

// freeze has a session that ends keep its filter, so that those it was shown to
// are told of its end, and nobody else.
func (s *Session) freeze() {
	f := s.Account.filter.Load()
	if f == nil {
		f = &everything
	}
	s.filter.CompareAndSwap(nil, f)
}

// everything is a filter that lets through whatever comes.
var everything Filter = open{}

type open struct{}

// Denies implements Filter.
func (open) Denies(bool, stanza.Kind, jid.JID) bool { return false }

// Refusal implements Filter.
func (open) Refusal(jid.JID) error { return stanza.ErrNotAcceptable }

// kindOf is what a stanza is to a filter.
func kindOf(st *stanza.Stanza) stanza.Kind {
	if st.Kind == stanza.Presence {
		switch string(st.Type) {
		case "", "unavailable":
		default:
			return stanza.Other
		}
	}
	return st.Kind
}

// Admits reports whether a session lets in what arrives at its account.
func (p *Packet) Admits(s *Session) bool {
	f := s.Filter()
	return f == nil || !Denies(f, s.Account, false, kindOf(p.Stanza), p.From)
}

// leave asks the filter of the session that a stanza comes from. It is the first
// of all rules (XEP-0016 §2.2, rule 4).
func leave(p *Packet) error {
	f := p.Sender.Filter()
	if f == nil || !Denies(f, p.Account, true, kindOf(p.Stanza), p.To) {
		return nil
	}
	return f.Refusal(p.To)
}

// Shows reports whether a peer may know whether the account is there: a session
// of it shows itself or, without any, the account would. Whether there is a
// subscription is another question.
func (a *Account) Shows(peer jid.JID) bool {
	all := a.Sessions()
	for _, s := range all {
		if !s.Denies(true, stanza.Presence, peer) {
			return true
		}
	}
	return len(all) == 0 && !Denies(a.Filter(), a, true, stanza.Presence, peer)
}

// keptOut reports whether nobody lets in what has arrived. Sessions decide about
// what is for them; the account about what is for itself: what is answered in its
// name, subscriptions, and what is kept for later (XEP-0016 §2.2, rules 1 and 2).
func (q *Packet) keptOut() bool {
	switch q.Action {
	case Store, Answer:
		return Denies(q.Account.Filter(), q.Account, false, kindOf(q.Stanza), q.From)
	case ToMatch, ToWilling, ToAvailable:
		denied := false
		for _, s := range q.Account.Sessions() {
			if !q.meant(s) {
				continue
			}
			if q.Admits(s) {
				return false
			}
			denied = true
		}
		return denied
	}
	return false
}

// speaksFor reports whether what the server says in an account's name is let
// out by it.
func (srv *Server) speaksFor(ctx context.Context, p *Packet) bool {
	if !p.From.IsBare() || p.From.Local() == "" {
		return true
	}
	a, ok, err := srv.Account(ctx, p.From.Bare())
	if err != nil || !ok {
		return err == nil
	}
	// Not what is in place: of an account that was removed nothing holds any more.
	f, err := srv.filterOf(ctx, a)
	return err == nil && !Denies(f, a, true, kindOf(p.Stanza), p.To)
}

// Lets reports whether a stanza that was kept, as it was to be delivered, may
// reach the session's client now.
func (s *Session) Lets(raw []byte) bool {
	if s.Filter() == nil {
		return true
	}
	st, err := parse(raw)
	if err != nil {
		return true
	}
	from, err := jid.Parse(stanza.Text(st.From))
	return err != nil || !s.Denies(false, kindOf(st), from)
}

func store(to interface{ Store(*Filter) }, f Filter) {
	if f == nil {
		to.Store(nil)
		return
	}
	to.Store(&f)
}
