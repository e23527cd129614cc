package server

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// scratch is what one stanza's journey needs; it is pooled.
type scratch struct {
	leaving, arriving Packet
	out               []byte
	extra, own        []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// keepScratch is the largest buffer that goes back to the pool.
const keepScratch = 64 << 10

func (sc *scratch) release() {
	if cap(sc.out) > keepScratch {
		sc.out = nil
	}
	sc.leaving, sc.arriving = Packet{}, Packet{}
	scratches.Put(sc)
}

var errInvalidFrom = &stream.Fault{Condition: mellium.InvalidFrom}

// Handle takes a stanza from a session's client on its way. It runs on the
// goroutine that reads the stream. An error is a fault of the stream.
func (srv *Server) Handle(ctx context.Context, s *Session, st *stanza.Stanza) error {
	s.counted++
	sc := scratches.Get().(*scratch)
	defer sc.release()
	p := &sc.leaving
	*p = Packet{Stanza: st, From: s.JID, Sender: s, Account: s.Account, srv: srv, extra: sc.extra[:0], own: sc.own[:0], scratch: sc}
	if st.From != nil && !s.is(st.From) {
		return errInvalidFrom // RFC 6120 §8.1.2.1
	}
	if st.Lang == nil {
		st.Inherits = s.lang // RFC 6120 §8.1.5
	}
	err := s.address(p)
	if err == nil {
		err = valid(st)
	}
	if err == nil {
		err = leave(p)
	}
	if err == nil {
		err = srv.run(p, Leaving, Guard, numPhases)
	}
	if err == nil {
		err = srv.route(ctx, p)
	}
	sc.extra, sc.own = p.extra, p.own
	if err != nil && err != Done {
		srv.refuse(p, err)
	}
	return nil
}

// is reports whether an address as it came is the session's own.
func (s *Session) is(from []byte) bool {
	if string(from) == s.full || string(from) == s.Account.attr {
		return true
	}
	j, err := jid.Parse(stanza.Text(from))
	return err == nil && (j == s.JID || j.IsBare() && j.Bare() == s.JID.Bare())
}

// address finds out whom the stanza is for.
func (s *Session) address(p *Packet) error {
	to := p.Stanza.To
	if to == nil {
		p.To, p.toAttr = s.JID.Bare().With(""), s.Account.attr // RFC 6120 §10.3
		return nil
	}
	if s.to == nil || !bytes.Equal(to, s.to.raw) {
		j, err := jid.Parse(stanza.Text(to))
		if err != nil {
			return stanza.ErrMalformedJID
		}
		if s.to == nil {
			s.to = recipients.Get().(*recipient)
		}
		*s.to = recipient{append(s.to.raw[:0], to...), j, stanza.Escape(j.String())}
	}
	p.To, p.toAttr = s.to.jid, s.to.attr
	return nil
}

// valid checks what RFC 6120 §8.2 and RFC 6121 §4.7.1 ask of the type.
func valid(st *stanza.Stanza) error {
	switch st.Kind {
	case stanza.IQ:
		switch string(st.Type) {
		case "get", "set":
			if len(st.Children) != 1 {
				return stanza.ErrBadRequest // RFC 6120 §8.2.3, rule 3
			}
		case "result", "error":
		default:
			return stanza.ErrBadRequest
		}
		if st.ID == nil {
			return stanza.ErrBadRequest
		}
	case stanza.Presence:
		switch string(st.Type) {
		case "", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error":
		default:
			return stanza.ErrBadRequest
		}
	}
	return nil
}

// run takes a packet through phases [from, to) of its account.
func (srv *Server) run(p *Packet, d Direction, from, to Phase) error {
	phases := &srv.reg.handlers[p.Stanza.Kind][d]
	for ph := from; ph < to; ph++ {
		for _, h := range phases[ph] {
			if err := h(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// route takes a packet that has left its sender's account to its receiver.
func (srv *Server) route(ctx context.Context, p *Packet) error {
	if _, here := srv.domains[p.To.Domain()]; !here {
		if x := srv.annexes[p.To.Domain()]; x != nil {
			return x.take(p)
		}
		if p.Stanza.Kind == stanza.Presence && !isSubscription(p.Stanza.Type) {
			return Done
		}
		return stanza.ErrRemoteNotFound
	}
	if p.To.Local() == "" {
		return srv.toHost(ctx, p)
	}
	a := srv.dir.lookup(p.To.Bare())
	exists := a != nil
	if a == nil {
		var err error
		if a, exists, err = srv.Account(ctx, p.To.Bare()); err != nil {
			return err
		}
	}
	return srv.arrive(ctx, p, a, exists)
}

func isSubscription(typ []byte) bool {
	switch string(typ) {
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		return true
	}
	return false
}

// toHost takes a stanza that is for the server itself (RFC 6120 §10.5.2).
func (srv *Server) toHost(ctx context.Context, p *Packet) error {
	switch p.Stanza.Kind {
	case stanza.IQ:
		if t := string(p.Stanza.Type); t != "get" && t != "set" {
			return Done
		}
		if p.To.IsFull() {
			return stanza.ErrServiceUnavailable
		}
		return srv.answer(ctx, p, ToHost)
	case stanza.Message:
		if p.Stanza.IsType("error") {
			return Done
		}
		if h := srv.reg.host[stanza.Message]; h != nil {
			return h(p)
		}
		return stanza.ErrServiceUnavailable
	case stanza.Presence:
		if h := srv.reg.host[stanza.Presence]; h != nil && !p.Stanza.IsType("error") {
			return h(p)
		}
	}
	return Done
}

// arrive takes a packet through its receiver's account.
func (srv *Server) arrive(ctx context.Context, p *Packet, a *Account, exists bool) error {
	q := &p.scratch.arriving
	*q = *p
	q.Account, q.extra = a, p.extra[:0]
	q.Action = Decide(situation(q, a, exists))
	var kept *Account
	if exists && q.keptOut() {
		// To whom an account does not let in there is no such account, so that
		// nobody learns which it is (XEP-0016 §2.14).
		exists, kept = false, a
		q.Action = Decide(situation(q, a, exists))
		q.Account = nil
	}
	if q.Action == Refuse {
		return stanza.ErrServiceUnavailable
	}
	if !exists {
		if q.Action == Answer && p.Stanza.Kind == stanza.IQ {
			return srv.answer(ctx, q, ToNobody) // RFC 6121 §8.5.1
		}
		if q.Annex != nil && q.Stanza.IsType("probe") && srv.reg.probe != nil {
			srv.reg.probe(q, kept)
		}
		return Done
	}
	if err := srv.run(q, Arriving, Guard, Record); err != nil {
		return err
	}
	if q.Action == Answer {
		if p.Stanza.Kind != stanza.IQ {
			return Done
		}
		t := ToOther
		switch {
		case q.To.IsFull():
			t = ToAlias
		case q.From.Bare() == a.JID:
			t = ToSelf
		}
		return srv.answer(ctx, q, t)
	}
	if p.Stanza.Kind == stanza.Message {
		if err := srv.record(q); err != nil {
			return err
		}
	}
	if err := srv.run(q, Arriving, Copy, numPhases); err != nil {
		return err
	}
	srv.deliver(q)
	return nil
}

func situation(p *Packet, a *Account, exists bool) Situation {
	s := Situation{Kind: p.Stanza.Kind, Full: p.To.IsFull() && !p.Again, Exists: exists}
	s.Type = typeName(p.Stanza.Type)
	if !exists {
		return s
	}
	resource := p.To.Resource()
	for _, x := range a.Sessions() {
		if x.out.over.Load() {
			continue
		}
		if s.Full && x.JID.Resource() == resource {
			s.Match = true
		}
		if v := x.Availability(); v != nil {
			s.Avail = true
			s.Willing = s.Willing || v.Priority >= 0
		}
	}
	s.Alias = s.Full && !s.Match && slices.Contains(p.srv.reg.aliases, resource)
	return s
}

// typeName is string(b), without an allocation for the usual ones.
func typeName(b []byte) string {
	switch string(b) {
	case "":
		return ""
	case "chat":
		return "chat"
	case "get":
		return "get"
	case "result":
		return "result"
	case "unavailable":
		return "unavailable"
	}
	return string(b)
}

// record lets the Record phase decide what is kept, and has it kept.
func (srv *Server) record(q *Packet) error {
	if err := srv.run(q, Arriving, Record, Copy); err != nil {
		return err
	}
	k := &q.Keep
	if q.Action == Refuse || q.Action == Store && !k.Offline {
		return stanza.ErrServiceUnavailable
	}
	srv.keep(q)
	return nil
}

// keep has a message stored for whom it is to be kept.
func (srv *Server) keep(q *Packet) {
	k := &q.Keep
	if !k.Sender && !k.Recipient && !k.Offline || srv.keeper == nil {
		return
	}
	q.Stamped()
	sc := q.scratch
	sc.out = q.Stanza.Append(sc.out[:0], q.fromAttr(), q.toAttr)
	kept := Kept{Keep: *k, From: q.From, To: q.To, Stanza: sc.out, Extra: q.extra, Since: q.Since}
	t := srv.keeper.Keep(&kept)
	if q.Sender != nil {
		q.Sender.covered = t
	}
}

// Stamped returns the archive id of the message, and makes it if need be.
func (p *Packet) Stamped() int64 {
	if p.Keep.ID == 0 {
		p.Keep.ID = p.srv.ids.next(time.Now())
	}
	return p.Keep.ID
}

// Gets reports whether the message itself will go to that session.
func (p *Packet) Gets(s *Session) bool { return p.meant(s) && p.Admits(s) }

// meant reports whether it would, if the session lets it in.
func (p *Packet) meant(s *Session) bool {
	if s.out.over.Load() {
		return false
	}
	switch p.Action {
	case ToMatch:
		return s.JID.Resource() == p.To.Resource()
	case ToWilling:
		v := s.Availability()
		return v != nil && v.Priority >= 0
	case ToAvailable:
		return s.Availability() != nil
	}
	return false
}

// deliver puts the stanza into the outboxes of those that get it.
func (srv *Server) deliver(q *Packet) {
	if q.Action != ToMatch && q.Action != ToWilling && q.Action != ToAvailable {
		return
	}
	sc := q.scratch
	sc.out = q.Stanza.Append(sc.out[:0], q.fromAttr(), q.toAttr, q.extra)
	all := q.Account.Sessions()
	n := 0
	for _, s := range all {
		if q.Gets(s) {
			n++
		}
	}
	d := Delivery{Kind: q.Stanza.Kind, Sole: n+q.Copies == 1}
	if d.Kind == stanza.Presence && !isSubscription(q.Stanza.Type) {
		d.Class, d.From = Status, q.From.String()
	}
	taken := 0
	for _, s := range all {
		if !q.Gets(s) {
			continue
		}
		if d.Kind == stanza.Message && s.Inactive() {
			d.Class = messageClass(q.Stanza)
		}
		if s.out.deliver(d, sc.out, "", nil) {
			taken++
		}
	}
	if taken == 0 && q.Copies == 0 && d.Kind == stanza.Message {
		srv.retry(sc.out, q.Account)
	}
}

const nsChatStates = "http://jabber.org/protocol/chatstates"

// messageClass finds the messages that say no more than what somebody's
// fingers do: they wait while nobody looks (XEP-0352 §5).
func messageClass(st *stanza.Stanza) Class {
	if st.IsType("error") || len(st.Children) == 0 || !st.HasSpace(nsChatStates) {
		return Urgent
	}
	for i := range st.Children {
		switch string(st.Children[i].Space) {
		case nsChatStates, "urn:xmpp:hints", "urn:xmpp:sid:0":
		default:
			if !st.Children[i].Is(stanza.NSClient, "thread") {
				return Urgent
			}
		}
	}
	return Aside
}
