// Package carbons gives each client of a person both sides of all of that
// person's conversations: Message Carbons (XEP-0280), with the rules of its §6.1
// as a whole, and the hint that forbids copies (XEP-0334 §4.3).
package carbons

import (
	"context"
	"sync"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// Namespace is that of XEP-0280.
const Namespace = "urn:xmpp:carbons:2"

// Feature is message carbons.
type Feature struct {
	wanted server.Flag // fixed by Register
}

// New makes the feature.
func New() *Feature { return &Feature{} }

// Info implements server.Feature.
func (f *Feature) Info() server.Info {
	return server.Info{
		Name:  "carbons",
		Title: "Conversations on all of one's devices",
		Specs: []server.Spec{
			{ID: "XEP-0280", Note: "errors that the server itself makes are not copied"},
			{ID: "XEP-0334"},
		},
		Host: []string{Namespace, "urn:xmpp:carbons:rules:0"},
	}
}

// Register implements server.Feature.
func (f *Feature) Register(r *server.Registry) {
	f.wanted = r.NewFlag()
	r.IQ(server.ToSelf, true, Namespace, "enable", f.answer(true))
	r.IQ(server.ToSelf, true, Namespace, "disable", f.answer(false))
	r.On(stanza.Message, server.Leaving, server.Copy, f.sent)
	r.On(stanza.Message, server.Arriving, server.Copy, f.received)
}

// answer turns carbons on or off for the client that asks (XEP-0280 §4, §5).
// Asking again changes nothing and is no error (§10.1).
func (f *Feature) answer(on bool) server.Answerer {
	return func(_ context.Context, r *server.Request) ([]byte, error) {
		if r.Session == nil {
			return nil, stanza.ErrNotAllowed // §4.1: not a client of this server
		}
		r.Session.Set(f.wanted, on)
		return nil, nil
	}
}

// sent copies what a client sends to the person's other clients (§8).
func (f *Feature) sent(p *server.Packet) error {
	// A message to oneself arrives: what is not delivered then is copied then.
	if p.Account == nil || p.To.Bare() == p.Account.JID {
		return nil
	}
	f.copy(p, "sent", func(s *server.Session) bool { return s != p.Sender })
	return nil
}

// received copies what arrives to those clients that it is not delivered to (§7).
func (f *Feature) received(p *server.Packet) error {
	f.copy(p, "received", func(s *server.Session) bool { return s != p.Sender && !p.Gets(s) && p.Admits(s) })
	return nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// keepBuffer is the largest buffer that goes back to the pool.
const keepBuffer = 64 << 10

func (f *Feature) copy(p *server.Packet, direction string, to func(*server.Session) bool) {
	var buf *[]byte
	var tail int
	for _, s := range p.Account.Sessions() {
		if !s.Has(f.wanted) || !to(s) {
			continue
		}
		if buf == nil {
			if !Eligible(p.Stanza, direction == "received") {
				return
			}
			buf = buffers.Get().(*[]byte)
			*buf, tail = wrap((*buf)[:0], p, direction)
		}
		d := server.Delivery{Kind: stanza.Message}
		if s.Inactive() {
			d.Class = p.Class()
		}
		if s.Deliver(d, (*buf)[tail:], s.Full(), (*buf)[:tail]) && direction == "received" {
			p.Copies++
		}
	}
	if buf != nil && cap(*buf) <= keepBuffer {
		buffers.Put(buf)
	}
}

// wrap writes the carbon: what follows the receiver's address, then, from head
// on, what precedes it.
func wrap(b []byte, p *server.Packet, direction string) (all []byte, head int) {
	b = append(b, '\'')
	if p.Stanza.Type != nil {
		b = stanza.AppendAttr(b, "type", stanza.Text(p.Stanza.Type)) // §7: the same type
	}
	b = append(append(append(b, "><"...), direction...), " xmlns='"+Namespace+"'>"...)
	b = append(b, "<forwarded xmlns='"+stanza.NSForward+"'>"...)
	whole := buffers.Get().(*[]byte)
	// The sender's own copies carry the id in the sender's archive, the
	// receiver's that in the receiver's (XEP-0313 §3.4).
	*whole = p.AppendCopy((*whole)[:0], direction == "sent")
	b = stanza.AppendQualified(b, *whole)
	if cap(*whole) <= keepBuffer {
		buffers.Put(whole)
	}
	b = append(append(append(b, "</forwarded></"...), direction...), "></message>"...)
	head = len(b)
	b = append(append(b, "<message from='"...), p.Account.Attr()...)
	return append(b, "' to='"...), head
}
