// Package floodgate keeps accounts from flooding people, above all those who have
// nothing to do with them (XEP-0205 §4.6, §4.8, §4.9): messages, subscription
// requests and other requests to strangers are limited, and how often presence
// changes, for all clients of an account together.
//
// A stranger is whoever is no contact: neither side sees the other's presence,
// and the stranger has not asked to. What one writes into one's own roster makes
// nobody a contact, for else it would take no more than that. Contacts of shared
// groups are contacts.
//
// A stanza over a limit is refused with policy-violation and a text that says
// when to go on. It is refused where it leaves, before anybody looks whether
// there is such an account, so an address without one answers alike. Whoever
// goes on all the same has the stream closed.
//
// Of accounts that write to contacts only nothing is kept but a note in the
// session, and that only while its client is busy.
package floodgate

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Rosters knows who is whose contact.
type Rosters interface {
	Pin(ctx context.Context, owner jid.Bare) (*roster.Pin, error)
}

// Feature holds back floods.
type Feature struct {
	// Fixed after Register.
	rosters Rosters
	srv     *server.Server
	slot    server.Slot // of a session's *view
	told    server.Flag // the session has told its contacts that it is there
	seed    maphash.Seed
	began   time.Time

	// Safe.
	rules   atomic.Pointer[rules] // nil: there is no limit
	ledgers shelf
}

// New returns the feature. Nothing is refused to administrators.
func New(rosters Rosters, c Config, admins []jid.Bare) *Feature {
	f := &Feature{rosters: rosters, seed: maphash.MakeSeed(), began: time.Now()}
	f.ledgers.seed = f.seed
	f.Configure(c, admins)
	return f
}

// Configure changes the configuration of a running server. What was used up
// stays so.
func (f *Feature) Configure(c Config, admins []jid.Bare) {
	r := newRules(c, admins)
	if before := f.rules.Load(); r != nil && before != nil && before.crowd != nil && r.crowd != nil {
		r.crowd = before.crowd
	}
	f.rules.Store(r)
}

// Info implements server.Feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "floodgate",
		Title: "Protection from floods",
		Specs: []server.Spec{{ID: "XEP-0205"}},
	}
}

// Register implements server.Feature.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	f.slot, f.told = r.NewSlot(), r.NewFlag()
	r.On(stanza.Message, server.Leaving, server.Guard, f.message)
	r.On(stanza.Presence, server.Leaving, server.Guard, f.presence)
	r.On(stanza.IQ, server.Leaving, server.Guard, f.request)
	r.OnRested(f.release)
	r.OnEnded(f.release)
}

// Run forgets accounts that have been quiet, until ctx is done.
func (f *Feature) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			f.ledgers.sweep(time.Since(f.began))
		}
	}
}

const sweepEvery = 10 * time.Minute

// message looks at a message. Errors are messages, too: their receiver gets
// them all the same.
func (f *Feature) message(p *server.Packet) error {
	r := f.rules.Load()
	if r == nil || p.Stanza.To == nil {
		return nil
	}
	return f.weigh(p, r, messages)
}

// presence looks at presence. Being gone, taking a subscription back and
// answering a request are never refused.
func (f *Feature) presence(p *server.Packet) error {
	r := f.rules.Load()
	if r == nil {
		return nil
	}
	if p.Stanza.To == nil {
		return f.broadcast(p, r)
	}
	switch string(p.Stanza.Type) {
	case "", "unavailable", "error":
		return f.weigh(p, r, messages)
	case "subscribe":
		return f.weigh(p, r, subscriptions)
	case "probe":
		if f.weigh(p, r, requests) != nil {
			return server.Done // RFC 6121 §4.3: a client gets no error for it
		}
	}
	return nil
}

// broadcast looks at presence that goes to all contacts. The first of a session
// is free, so that most sessions need nothing to be kept for them.
func (f *Feature) broadcast(p *server.Packet, r *rules) error {
	if !r.pace[broadcasts].Limits() || len(p.Stanza.Type) > 0 {
		return nil
	}
	if !p.Sender.Has(f.told) {
		p.Sender.Set(f.told, true)
		return nil
	}
	v := f.view(p.Sender, r)
	if v.exempt {
		return nil
	}
	return f.charge(p, v, r, broadcasts)
}

// Tells counts what a session is about to tell all its contacts by other means than
// presence, as if it were that. The error is a refusal. It is called on the goroutine that
// reads the stream.
func (f *Feature) Tells(s *server.Session) error {
	r := f.rules.Load()
	if r == nil || !r.pace[broadcasts].Limits() {
		return nil
	}
	v := f.view(s, r)
	if v.exempt {
		return nil
	}
	return f.charge(&server.Packet{Sender: s, Account: s.Account}, v, r, broadcasts)
}

// request looks at a request, not at answers.
func (f *Feature) request(p *server.Packet) error {
	r := f.rules.Load()
	if r == nil || p.Stanza.To == nil || !p.Stanza.IsType("get") && !p.Stanza.IsType("set") {
		return nil
	}
	return f.weigh(p, r, requests)
}

// weigh lets a stanza pass or refuses it.
func (f *Feature) weigh(p *server.Packet, r *rules, what limit) error {
	to := p.To.Bare()
	if to == p.Account.JID || to.IsDomain() {
		return nil // what every client asks of its own server: nothing is kept for that
	}
	v := f.view(p.Sender, r)
	if v.exempt {
		return nil
	}
	f.look(v, p.Sender, to)
	switch v.standing {
	case stranger:
		p.Stranger = true
	case contact:
		if what != messages || !r.pace[contactMessages].Limits() {
			return nil
		}
		what = contactMessages
	default:
		return nil
	}
	return f.charge(p, v, r, what)
}

// charge takes what a stanza costs of what its account has left.
func (f *Feature) charge(p *server.Packet, v *view, r *rules, what limit) error {
	if v.ledger == nil {
		v.ledger = f.ledgers.take(ledgerKey(p.Sender))
	}
	over, wait := f.spend(v, r, what, time.Since(f.began))
	if wait <= 0 {
		return nil
	}
	return f.refuse(p, v, r, over, wait)
}

// refuse writes the refusal down, and ends the stream of somebody who is
// refused all the time.
func (f *Feature) refuse(p *server.Packet, v *view, r *rules, over limit, wait time.Duration) error {
	o := server.Offence{What: "a stanza was refused", Why: names[over], Peer: p.Sender.Info().Peer.Addr, JID: p.Account.JID}
	f.srv.Offend(o)
	if v.ledger.refused(r, time.Since(f.began)) {
		o.What = "a stream was closed"
		f.srv.Offend(o)
		p.Sender.HangUp(errClosed)
	}
	return r.refusal(over, wait)
}

// release lets go of what a session holds. What it has used up stays so.
func (f *Feature) release(s *server.Session) {
	v, ok := s.Get(f.slot).(*view)
	if !ok {
		return
	}
	s.Put(f.slot, nil)
	if v.pin != nil {
		v.pin.Release()
	}
	if v.ledger != nil {
		f.ledgers.give(v.ledger, time.Since(f.began))
	}
}
