package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"strings"

	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/component"
	"mellium.im/xmpp/disco"
	"mellium.im/xmpp/disco/items"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/mux"
	"mellium.im/xmpp/ping"
	"mellium.im/xmpp/stanza"
)

// echo connects as a component (XEP-0114) which answers pings, sends each message
// back, and lets everybody see it.
func (t *target) echo(ctx context.Context, secret string) (*xmpp.Session, error) {
	addr, err := jid.Parse(t.component)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(t.host, t.componentPort))
	if err != nil {
		return nil, err
	}
	s, err := component.NewSession(ctx, addr, []byte(secret), conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	go s.Serve(mux.New(component.NSAccept, ping.Handle(),
		mux.MessageFunc(stanza.ChatMessage, xml.Name{}, repeat),
		mux.PresenceFunc(stanza.SubscribePresence, xml.Name{}, agree)))
	return s, nil
}

// repeat sends a message back.
func repeat(m stanza.Message, t xmlstream.TokenReadEncoder) error {
	var got seen
	if err := xml.NewTokenDecoder(t).Decode(&got); err != nil && got.Body == "" {
		return err
	}
	back := stanza.Message{To: m.From, From: m.To, Type: m.Type}
	_, err := xmlstream.Copy(t, back.Wrap(child("body", strings.ToUpper(got.Body))))
	return err
}

// agree lets somebody see whom they asked for, who is there.
func agree(p stanza.Presence, t xmlstream.TokenReadEncoder) error {
	yes := stanza.Presence{Type: stanza.SubscribedPresence, To: p.From, From: p.To}
	if _, err := xmlstream.Copy(t, yes.Wrap(nil)); err != nil {
		return err
	}
	there, err := p.To.WithResource("bot")
	if err != nil {
		return err
	}
	_, err = xmlstream.Copy(t, stanza.Presence{To: p.From, From: there}.Wrap(child("show", "chat")))
	return err
}

func components(ctx context.Context, t *target) error {
	if t.component == "" {
		return fmt.Errorf("a domain for a component is %w", errNotOffered)
	}
	if _, err := t.echo(ctx, t.componentSecret+"x"); err == nil {
		return errors.New("a component was let in with a wrong secret")
	}
	c, err := t.echo(ctx, t.componentSecret)
	if err != nil {
		return fmt.Errorf("the component is not let in: %w", err)
	}
	if _, err := t.echo(ctx, t.componentSecret); err == nil {
		return errors.New("a second component was let in")
	}
	p, err := t.login(ctx, "ada", how{})
	if err != nil {
		return err
	}
	err = errors.Join(p.meet(ctx, t), c.Close(), c.Conn().Close())
	if err != nil {
		return err
	}
	// When it is gone its contacts are.
	bot := "bot@" + t.component
	if _, err := p.gets(ctx, "the end of the component's contact", func(s seen) bool {
		return s.Type == "unavailable" && s.From == bot+"/bot"
	}); err != nil {
		return err
	}
	if err := p.tell(ctx, jid.MustParse(bot), "still there?"); err != nil {
		return err
	}
	if _, err := p.gets(ctx, "an error", func(s seen) bool { return s.Type == "error" && s.From == bot }); err != nil {
		return err
	}
	return p.bye(ctx)
}

// meet finds the component and somebody at it.
func (p *person) meet(ctx context.Context, t *target) error {
	domain, bot := jid.MustParse(t.component), jid.MustParse("bot@"+t.component)
	found := false
	list := disco.FetchItems(ctx, items.Item{JID: jid.MustParse(t.domain)}, p.Session)
	for list.Next() {
		found = found || list.Item().JID.Equal(domain)
	}
	if err := errors.Join(list.Err(), list.Close()); err != nil || !found {
		return fmt.Errorf("the server does not list the component: %w", err)
	}
	if err := ping.Send(ctx, p.Session, domain); err != nil {
		return fmt.Errorf("ping of the component: %w", err)
	}
	if _, err := p.contacts(ctx); err != nil {
		return err
	}
	if err := p.Send(ctx, stanza.Presence{}.Wrap(nil)); err != nil {
		return err
	}
	if err := p.Send(ctx, stanza.Presence{Type: stanza.SubscribePresence, To: bot}.Wrap(nil)); err != nil {
		return err
	}
	if _, err := p.gets(ctx, "the approval", func(s seen) bool { return s.Type == "subscribed" && s.From == bot.String() }); err != nil {
		return err
	}
	if _, err := p.gets(ctx, "the presence", func(s seen) bool { return s.Show == "chat" && s.From == bot.String()+"/bot" }); err != nil {
		return err
	}
	if err := p.tell(ctx, bot, "tea & biscuits"); err != nil {
		return err
	}
	_, err := p.gets(ctx, "the echo", func(s seen) bool { return s.Body == "TEA & BISCUITS" && s.From == bot.String() })
	return err
}
