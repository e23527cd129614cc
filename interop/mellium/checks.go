package main

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"mellium.im/sasl"
	"mellium.im/xmlstream"
	"mellium.im/xmpp/disco"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/ping"
	"mellium.im/xmpp/roster"
	"mellium.im/xmpp/stanza"
	"mellium.im/xmpp/version"
)

var checks = []struct {
	name string
	run  func(context.Context, *target) error
}{
	{"log in by SCRAM-SHA-256-PLUS", loginWith(sasl.ScramSha256Plus)},
	{"log in by SCRAM-SHA-1-PLUS", loginWith(sasl.ScramSha1Plus)},
	{"log in by SCRAM-SHA-256", loginWith(sasl.ScramSha256)},
	{"log in by SCRAM-SHA-1", loginWith(sasl.ScramSha1)},
	{"log in by PLAIN", loginWith(sasl.Plain)},
	{"log in by direct TLS with channel binding", loginDirectly},
	{"refuse a wrong password", wrongPassword},
	{"roster, subscription and presence", contacts},
	{"messages both ways", messages},
	{"ping, version and discovery", questions},
	{"a component and its contacts", components},
}

func loginWith(m sasl.Mechanism) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		p, err := t.login(ctx, "ada", how{mechanism: m})
		if err != nil {
			return err
		}
		if p.addr.Resourcepart() == "" || p.addr.Domainpart() != t.domain {
			return fmt.Errorf("bound to %q", p.addr)
		}
		if err := p.ping(ctx, t); err != nil {
			return err
		}
		return p.bye(ctx)
	}
}

func loginDirectly(ctx context.Context, t *target) error {
	if t.tlsPort == "" {
		return fmt.Errorf("direct TLS is %w", errNotOffered)
	}
	p, err := t.login(ctx, "ada", how{mechanism: sasl.ScramSha256Plus, directTLS: true})
	if err != nil {
		return err
	}
	if p.tls.NegotiatedProtocol != "xmpp-client" {
		return fmt.Errorf("the protocol xmpp-client is %w in TLS", errNotOffered)
	}
	if p.tls.Version < tls.VersionTLS13 {
		return fmt.Errorf("TLS 1.3 is %w", errNotOffered)
	}
	return p.bye(ctx)
}

func wrongPassword(ctx context.Context, t *target) error {
	addr, password, err := t.account(ctx, "ada")
	if err != nil {
		return err
	}
	_, err = t.session(ctx, addr, password+"x", how{})
	if err == nil {
		return errors.New("was let in with a wrong password")
	}
	// Mellium's type for a SASL failure is internal to it; its text may be the
	// server's, its name is not.
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.HasSuffix(fmt.Sprintf("%T", e), "saslerr.Error") {
			return nil
		}
	}
	return fmt.Errorf("refused, but not by a SASL failure: %w", err)
}

// two logs two people in and makes them available.
func two(ctx context.Context, t *target) (ada, bob *person, err error) {
	if ada, err = t.login(ctx, "ada", how{}); err != nil {
		return nil, nil, err
	}
	if bob, err = t.login(ctx, "bob", how{}); err != nil {
		return nil, nil, err
	}
	for _, p := range []*person{ada, bob} {
		// RFC 6121 §2.2: the roster first, so that pushes come.
		if _, err := p.contacts(ctx); err != nil {
			return nil, nil, err
		}
		if err := p.Send(ctx, stanza.Presence{}.Wrap(nil)); err != nil {
			return nil, nil, err
		}
		if err := p.ping(ctx, t); err != nil {
			return nil, nil, err
		}
	}
	return ada, bob, nil
}

func contacts(ctx context.Context, t *target) error {
	ada, bob, err := two(ctx, t)
	if err != nil {
		return err
	}
	if err := errors.Join(befriend(ctx, ada, bob), befriend(ctx, bob, ada)); err != nil {
		return err
	}
	for _, p := range [][2]*person{{ada, bob}, {bob, ada}} {
		if err := p[0].knows(ctx, p[1]); err != nil {
			return err
		}
	}
	const status = "until <Monday> & on"
	if err := ada.Send(ctx, stanza.Presence{}.Wrap(xmlstream.MultiReader(
		child("show", "xa"), child("status", status), child("priority", "-3")))); err != nil {
		return err
	}
	if _, err := bob.gets(ctx, "ada's new presence", func(s seen) bool {
		return s.From == ada.addr.String() && s.Show == "xa" && s.Status == status && s.Priority == -3
	}); err != nil {
		return err
	}
	if err := ada.bye(ctx); err != nil {
		return err
	}
	if _, err := bob.gets(ctx, "ada's unavailable presence", func(s seen) bool {
		return s.From == ada.addr.String() && s.Type == "unavailable"
	}); err != nil {
		return err
	}
	return bob.bye(ctx)
}

// befriend subscribes asker to asked's presence.
func befriend(ctx context.Context, asker, asked *person) error {
	ask := stanza.Presence{Type: stanza.SubscribePresence, To: asked.addr.Bare()}
	if err := asker.Send(ctx, ask.Wrap(nil)); err != nil {
		return err
	}
	from := func(p *person, typ string) func(seen) bool {
		return func(s seen) bool { return s.Type == typ && s.From == p.addr.Bare().String() }
	}
	if _, err := asked.gets(ctx, "a subscription request", from(asker, "subscribe")); err != nil {
		return err
	}
	allow := stanza.Presence{Type: stanza.SubscribedPresence, To: asker.addr.Bare()}
	if err := asked.Send(ctx, allow.Wrap(nil)); err != nil {
		return err
	}
	if _, err := asker.gets(ctx, "the approval", from(asked, "subscribed")); err != nil {
		return err
	}
	_, err := asker.gets(ctx, "the presence after approval", func(s seen) bool {
		return s.Type == "" && s.From == asked.addr.String()
	})
	return err
}

// knows waits until a push says that the subscription is mutual, and then
// expects the same of the roster.
func (p *person) knows(ctx context.Context, other *person) error {
	both := func(i roster.Item) bool { return i.Subscription == "both" && i.JID.Equal(other.addr.Bare()) }
	if err := p.until(ctx, "a roster push with both", func() bool {
		for _, i := range p.pushes {
			if both(i) {
				return true
			}
		}
		return false
	}); err != nil {
		return err
	}
	items, err := p.contacts(ctx)
	if err != nil {
		return err
	}
	if len(items) != 1 || !both(items[0]) {
		return fmt.Errorf("the roster of %s is %v", p.addr, items)
	}
	return nil
}

// contacts asks for the roster.
func (p *person) contacts(ctx context.Context) ([]roster.Item, error) {
	iter := roster.Fetch(ctx, p.Session)
	var items []roster.Item
	for iter.Next() {
		items = append(items, iter.Item())
	}
	return items, errors.Join(iter.Err(), iter.Close())
}

func messages(ctx context.Context, t *target) error {
	ada, bob, err := two(ctx, t)
	if err != nil {
		return err
	}
	for n, body := range []string{"tea?", "2 < 3 & \"quotes\" 'too'", "茶 👋🏽", strings.Repeat("long ", 2000)} {
		for _, p := range [][2]*person{{ada, bob}, {bob, ada}} {
			to := p[1].addr
			if n%2 == 0 {
				to = to.Bare()
			}
			if err := p[0].tell(ctx, to, body); err != nil {
				return err
			}
			if _, err := p[1].gets(ctx, fmt.Sprintf("message %d", n), func(s seen) bool {
				return s.Body == body && s.Type == "chat" && s.From == p[0].addr.String()
			}); err != nil {
				return err
			}
		}
	}
	return errors.Join(ada.bye(ctx), bob.bye(ctx))
}

func (p *person) tell(ctx context.Context, to jid.JID, body string) error {
	return p.Send(ctx, stanza.Message{To: to, Type: stanza.ChatMessage}.Wrap(child("body", body)))
}

func child(name, text string) xml.TokenReader {
	return xmlstream.Wrap(xmlstream.Token(xml.CharData(text)), xml.StartElement{Name: xml.Name{Local: name}})
}

func (p *person) ping(ctx context.Context, t *target) error {
	domain, err := jid.Parse(t.domain)
	if err != nil {
		return err
	}
	if err := ping.Send(ctx, p.Session, domain); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

func questions(ctx context.Context, t *target) error {
	p, err := t.login(ctx, "ada", how{})
	if err != nil {
		return err
	}
	domain, err := jid.Parse(t.domain)
	if err != nil {
		return err
	}
	v, err := version.Get(ctx, p.Session, domain)
	if err != nil || v.Name == "" {
		return fmt.Errorf("version: %+v, %w", v, err)
	}
	info, err := disco.GetInfo(ctx, "", domain, p.Session)
	if err != nil {
		return fmt.Errorf("discovery: %w", err)
	}
	for _, want := range []string{disco.NSInfo, ping.NS} {
		found := false
		for _, f := range info.Features {
			found = found || f.Var == want
		}
		if !found {
			return fmt.Errorf("the server does not offer %s", want)
		}
	}
	return errors.Join(p.ping(ctx, t), p.bye(ctx))
}
