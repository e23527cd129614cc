package server

import (
	"context"
	"errors"
	"sync/atomic"

	mellium "mellium.im/xmpp/stream"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// Service serves the domain of an annex: a component that has connected, or
// another part of this program.
type Service interface {
	// Take takes a stanza that is for the annex. It is called on the goroutine of
	// whoever sends it, so that what one sender sends comes in order, and must not
	// block. The packet is valid during the call only. The sender is told of an
	// error, where RFC 6120 §8.3.1 allows it.
	Take(p *Packet) error
}

// Witness is a Service that may know by itself who of the people here sees
// which of its addresses through shared groups. If it does it gets no probes for
// them.
type Witness interface{ KnowsWatchers() bool }

// Host is a Service that shows a session its contacts when it is asked to, all at once,
// so that no probe goes to it for each of them. It must not block.
type Host interface {
	Introduce(to *Session, contacts []jid.Bare)
}

// Annex is a domain that belongs to this server, and that somebody else serves:
// there are no accounts at it, and all that is said of its addresses is said by
// stanzas. Who serves it comes and goes.
type Annex struct {
	// Fixed.
	name string
	srv  *Server

	now atomic.Pointer[Service] // nil while nobody serves it
}

// ErrTaken says that an annex has a service already.
var ErrTaken = errors.New("server: the domain is served already")

// Annex returns the annex of that canonical name, or nil.
func (srv *Server) Annex(domain string) *Annex { return srv.annexes[domain] }

// Annexes returns all annexes in the order of the configuration.
func (srv *Server) Annexes() []*Annex {
	all := make([]*Annex, 0, len(srv.cfg.Annexes))
	for _, name := range srv.cfg.Annexes {
		all = append(all, srv.annexes[name])
	}
	return all
}

// Reach says whether stanzas for a domain can be routed now: nil, or what their
// sender would be told.
func (srv *Server) Reach(domain string) error {
	if _, here := srv.domains[domain]; here {
		return nil
	}
	switch x := srv.annexes[domain]; {
	case x == nil:
		return stanza.ErrRemoteNotFound
	case x.Service() == nil:
		return stanza.ErrRemoteTimeout
	}
	return nil
}

// Name returns the domain's name.
func (x *Annex) Name() string { return x.name }

// Service returns who serves the annex now, or nil.
func (x *Annex) Service() Service {
	if s := x.now.Load(); s != nil {
		return *s
	}
	return nil
}

// KnowsWatchers reports whether the service is a [Witness] that does.
func (x *Annex) KnowsWatchers() bool {
	w, ok := x.Service().(Witness)
	return ok && w.KnowsWatchers()
}

// Introduce has the service show some contacts to a session if it is a [Host]; false if it
// is none.
func (x *Annex) Introduce(to *Session, contacts []jid.Bare) bool {
	h, ok := x.Service().(Host)
	if ok {
		h.Introduce(to, contacts)
	}
	return ok
}

// Hosts reports whether the service is a [Host].
func (x *Annex) Hosts() bool {
	_, ok := x.Service().(Host)
	return ok
}

// Attach has a service, which must be comparable, serve the annex from now on.
// There can be one at a time: else the error is ErrTaken.
func (x *Annex) Attach(s Service) error {
	if !x.now.CompareAndSwap(nil, &s) {
		return ErrTaken
	}
	for _, f := range x.srv.reg.attached {
		f(x)
	}
	return nil
}

// Detach says that a service serves the annex no more, if it was the one that
// did. What is sent there from now on is refused.
func (x *Annex) Detach(s Service) {
	now := x.now.Load()
	if now == nil || *now != s || !x.now.CompareAndSwap(now, nil) {
		return
	}
	for _, f := range x.srv.reg.detached {
		f(x)
	}
}

// Faults of a service.
var (
	errImproper     = &stream.Fault{Condition: mellium.ImproperAddressing, Text: "a stanza says from whom and to whom it is"}
	errNotOfService = &stream.Fault{Condition: mellium.InvalidFrom, Text: "the sender is not at the domain of this service"}
)

// Handle takes a stanza from the service on its way. Any goroutine may call it;
// stanzas of one goroutine stay in order. Errors about the stanza go back to the
// service, as stanzas. The error that is returned is a fault of the service
// (XEP-0114 §3): there is no sender, no receiver, or the sender is not at its
// domain.
func (x *Annex) Handle(ctx context.Context, st *stanza.Stanza) error {
	if len(st.From) == 0 || len(st.To) == 0 {
		return errImproper
	}
	from, err := jid.Parse(stanza.Text(st.From))
	if err != nil || from.Domain() != x.name {
		return errNotOfService
	}
	sc := scratches.Get().(*scratch)
	defer sc.release()
	p := &sc.leaving
	*p = Packet{Stanza: st, From: from, Annex: x, Stamp: stanza.Escape(from.String()), srv: x.srv, scratch: sc, extra: sc.extra[:0]}
	if p.To, err = jid.Parse(stanza.Text(st.To)); err != nil {
		p.toAttr, err = stanza.Escape(stanza.Text(st.To)), stanza.ErrMalformedJID
	} else {
		p.toAttr, err = stanza.Escape(p.To.String()), valid(st)
	}
	if err == nil {
		err = x.srv.route(ctx, p)
	}
	sc.extra = p.extra
	if err != nil && err != Done {
		x.srv.refuse(p, err)
	}
	return nil
}

// Post is Handle for a stanza that stands by itself, in the namespace of clients.
// It is checked whole before it goes anywhere.
func (x *Annex) Post(ctx context.Context, raw []byte) error {
	st, err := parse(raw)
	if err != nil {
		return err
	}
	return x.Handle(ctx, st)
}

// Send hands the service a stanza that the server itself has put together, with
// its addresses. An error comes back to the caller, and nobody else is told.
func (x *Annex) Send(raw []byte) error {
	st, err := parse(raw)
	if err != nil {
		return err
	}
	to, err := jid.Parse(stanza.Text(st.To))
	if err != nil {
		return err
	}
	from, _ := jid.Parse(stanza.Text(st.From)) // of an error about an address that is none, there is none
	return x.take(&Packet{
		Stanza: st, From: from, To: to, srv: x.srv,
		Stamp: stanza.Escape(stanza.Text(st.From)), toAttr: stanza.Escape(to.String()),
	})
}

// take has the service take a packet that has left its sender's account.
func (x *Annex) take(p *Packet) error {
	s := x.Service()
	if s == nil {
		if p.Stanza.Kind == stanza.Presence && !isSubscription(p.Stanza.Type) {
			return Done // whoever comes to serve it asks
		}
		return stanza.ErrRemoteTimeout
	}
	if err := s.Take(p); err != nil {
		if p.Sender != nil && p.Stanza.Kind == stanza.Presence && p.Stanza.IsType("probe") {
			return Done // RFC 6121 §4.3: a client gets no error for it
		}
		return err
	}
	x.srv.keep(p)
	return nil
}

// Append appends the stanza with the addresses that it travels under.
func (p *Packet) Append(dst []byte) []byte { return p.Stanza.Append(dst, p.fromAttr(), p.toAttr) }

// OnAttached adds a call for each service that begins to serve an annex.
func (r *Registry) OnAttached(f func(*Annex)) { r.attached = append(r.attached, f) }

// OnDetached adds a call for each annex that nobody serves any more.
func (r *Registry) OnDetached(f func(*Annex)) { r.detached = append(r.detached, f) }

// OnProbe has f answer probes from an annex for accounts that are not there; kept
// is the account of one that is there and does not let the sender in. For all
// others a probe goes through the phases.
func (r *Registry) OnProbe(f func(p *Packet, kept *Account)) { r.probe = f }
