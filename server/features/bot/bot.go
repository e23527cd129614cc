// Package bot lets people talk with the server itself, in chat messages from any
// client to its domain: RFC 6120 §10.5.2 leaves to the server what it does with
// those.
//
// What it answers is given to it from outside. What is said here is between one
// client and the server: it is not archived, and answers are not kept for later
// (XEP-0334 §4.2). People can have the server among their contacts, where it is
// always available.
package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const (
	// MaxBytes is how long a message is at most that is read.
	MaxBytes = 1000

	// maxWaiting is how many subscriptions wait to be answered. Whoever comes then can
	// ask again.
	maxWaiting = 4096
)

// perMinute is how many messages of a client are answered.
const perMinute = 60

// Answer answers what a client of an account has said. It is called by the goroutine
// that reads the client's stream.
type Answer func(ctx context.Context, who *server.Session, text string) string

// Rosters knows who has the server among their contacts.
type Rosters interface {
	Of(ctx context.Context, owner jid.Bare) (*roster.Roster, error)
}

// Feature is the one who is talked with.
type Feature struct {
	// Fixed.
	answer  Answer
	rosters Rosters
	srv     *server.Server // fixed by Register
	slot    server.Slot    // of the time by which what a session used up is made good
	wake    chan struct{}  // holds a token if somebody is to be told something
	pace    server.Pace
	began   time.Time

	mu      sync.Mutex // guards the field below
	waiting []news
}

// news is what a person is to be told about the server as a contact.
type news struct {
	who        jid.Bare
	domain     string
	subscribed bool // they have asked to see it, else they do not want to any more
}

// New returns the feature.
func New(answer Answer, rosters Rosters) *Feature {
	return &Feature{
		answer: answer, rosters: rosters, wake: make(chan struct{}, 1),
		pace: server.PaceOf(perMinute, time.Minute), began: time.Now(),
	}
}

// Info implements server.Feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "bot",
		Title: "Setting one's state, and asking about it, in a chat with the server",
		Specs: []server.Spec{{ID: "RFC 6120 §10.5.2"}, {ID: "XEP-0334"}},
	}
}

// Register implements server.Feature. [Feature.Greet] is to be called from outside.
func (f *Feature) Register(r *server.Registry) {
	f.srv, f.slot = r.Server(), r.NewSlot()
	r.Host(stanza.Message, f.message)
	r.Host(stanza.Presence, f.presence)
}

// nsEncrypted are the namespaces of messages that only their receiver's client can
// read (XEP-0384, XEP-0373, XEP-0364).
var nsEncrypted = []string{"eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "urn:xmpp:openpgp:0", "jabber:x:encrypted"}

var errOften = stanza.Refuse(stanza.ErrPolicyViolation, "that is more than is answered in a minute; wait a moment")

// message answers a message. One without words, such as that somebody types, is
// taken in silence.
func (f *Feature) message(p *server.Packet) error {
	switch string(p.Stanza.Type) {
	case "", "normal", "chat":
	default:
		return stanza.ErrServiceUnavailable
	}
	if p.Sender == nil || p.Sender.Account.ID == 0 || p.To.IsFull() {
		return stanza.ErrServiceUnavailable
	}
	for _, space := range nsEncrypted {
		if p.Stanza.HasSpace(space) {
			return f.reply(p, "This message is encrypted, and I cannot read it. Turn encryption off in this chat.")
		}
	}
	body := p.Stanza.Child(stanza.NSClient, "body")
	if body == nil {
		return server.Done
	}
	text := strings.TrimSpace(stanza.Text(p.Stanza.Bytes(body.Inner)))
	if text == "" {
		return server.Done
	}
	used, _ := p.Sender.Get(f.slot).(time.Duration)
	now := time.Since(f.began)
	if f.pace.Wait(used, now) > 0 {
		return errOften
	}
	p.Sender.Put(f.slot, f.pace.Use(used, now))
	if len(text) > MaxBytes {
		return f.reply(p, "That is too long for me.")
	}
	return f.reply(p, f.answer(f.srv.Context(), p.Sender, text))
}

// reply answers a message to the client that it came from.
func (f *Feature) reply(p *server.Packet, text string) error {
	b := f.open(p.To.Domain(), p.From.String(), string(p.Stanza.Type))
	if t := p.Stanza.Child(stanza.NSClient, "thread"); t != nil {
		b = stanza.AppendElement(b, "thread", stanza.Text(p.Stanza.Bytes(t.Inner)))
	}
	b = stanza.AppendElement(b, "body", text)
	b = append(b, "<no-store xmlns='urn:xmpp:hints'/></message>"...)
	if err := f.srv.Post(f.srv.Context(), nil, b); err != nil {
		return err
	}
	return server.Done
}

// Tell tells a person something. It is kept for them while they are away.
func (f *Feature) Tell(who jid.Bare, text string) error {
	b := stanza.AppendElement(f.open(who.Domain(), string(who), "chat"), "body", text)
	return f.srv.Post(f.srv.Context(), nil, append(b, "</message>"...))
}

func (*Feature) open(from, to, typ string) []byte {
	b := stanza.AppendAttr([]byte("<message"), "from", from)
	b = stanza.AppendAttr(stanza.AppendAttr(b, "to", to), "type", typ)
	return append(stanza.AppendAttr(b, "id", rand.Text()[:16]), '>')
}

// presence takes what people do about the server as a contact. Everybody with an
// account may see that it is there.
func (f *Feature) presence(p *server.Packet) error {
	owner := p.From.Bare()
	switch string(p.Stanza.Type) {
	case "subscribe", "unsubscribe":
		if p.Sender == nil || p.Sender.Account.ID == 0 {
			break
		}
		// The roster is being changed. What follows comes after that.
		f.mu.Lock()
		if len(f.waiting) < maxWaiting {
			f.waiting = append(f.waiting, news{owner, p.To.Domain(), p.Stanza.IsType("subscribe")})
		}
		f.mu.Unlock()
		select {
		case f.wake <- struct{}{}:
		default:
		}
	case "probe":
		if p.Sender != nil {
			f.Greet(p.Sender)
		}
	}
	return server.Done
}

// Run answers subscriptions, until ctx is done.
func (f *Feature) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.wake:
		}
		f.mu.Lock()
		all := f.waiting
		f.waiting = nil
		f.mu.Unlock()
		for _, n := range all {
			if err := f.deal(n); err != nil {
				f.srv.Log().Error("a subscription to the server could not be answered", "jid", n.who, "err", err)
			}
		}
	}
}

// deal answers one.
func (f *Feature) deal(n news) error {
	if n.subscribed {
		b := stanza.AppendAttr([]byte("<presence type='subscribed'"), "from", n.domain)
		if err := f.srv.Post(f.srv.Context(), nil, append(stanza.AppendAttr(b, "to", string(n.who)), "/>"...)); err != nil {
			return err
		}
	}
	a := f.srv.Connected(n.who)
	if a == nil {
		return nil
	}
	for _, s := range a.Sessions() {
		switch {
		case s.Availability() == nil:
		case n.subscribed:
			f.Greet(s)
		default:
			f.show(s, n.domain, "unavailable")
		}
	}
	return nil
}

// Greet shows a client that has become available the server, if it is a contact.
func (f *Feature) Greet(s *server.Session) {
	if s.Account.ID == 0 {
		return
	}
	r, err := f.rosters.Of(f.srv.Context(), s.Account.JID)
	if err != nil {
		if !errors.Is(err, roster.ErrNoAccount) { // it was removed just now
			f.srv.Log().Error("nobody knows whether the server is a contact", "jid", s.JID, "err", err)
		}
		return
	}
	for _, d := range f.srv.Domains() {
		if r.State(jid.Bare(d.Name)).Has(roster.To) {
			f.show(s, d.Name, "")
		}
	}
}

// show sends a presence of the server.
func (f *Feature) show(s *server.Session, domain, typ string) {
	b := stanza.AppendAttr([]byte("<presence"), "from", domain)
	b = stanza.AppendAttr(stanza.AppendAttr(b, "to", s.JID.String()), "type", typ)
	b = append(b, "/>"...)
	if s.Lets(b) {
		s.Deliver(server.Delivery{Kind: stanza.Presence, Class: server.Status, From: domain}, b, "", nil)
	}
}
