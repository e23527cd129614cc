package main

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"mellium.im/sasl"
	"mellium.im/xmlstream"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/mux"
	"mellium.im/xmpp/ping"
	"mellium.im/xmpp/roster"
	"mellium.im/xmpp/stanza"
)

// errNotOffered is for what a server may lack and still be a server.
var errNotOffered = errors.New("not offered")

// A seen is a message or presence as far as the checks look into it.
type seen struct {
	XMLName  xml.Name
	From     string `xml:"from,attr"`
	Type     string `xml:"type,attr"`
	Body     string `xml:"body"`
	Show     string `xml:"show"`
	Status   string `xml:"status"`
	Priority int    `xml:"priority"`
}

// A person is one session, and what it has received.
type person struct {
	*xmpp.Session
	addr jid.JID
	tls  tls.ConnectionState

	done chan error // gives the result of Serve

	mu     sync.Mutex
	stanza []seen
	pushes []roster.Item
	news   chan struct{} // closed and renewed when something arrives
}

// How somebody logs in.
type how struct {
	mechanism sasl.Mechanism
	directTLS bool
}

// login makes an account and logs it in.
func (t *target) login(ctx context.Context, stem string, h how) (*person, error) {
	addr, password, err := t.account(ctx, stem)
	if err != nil {
		return nil, err
	}
	return t.session(ctx, addr, password, h)
}

// session logs in to an account that is there.
func (t *target) session(ctx context.Context, addr jid.JID, password string, h how) (*person, error) {
	if h.mechanism.Name == "" {
		h.mechanism = sasl.ScramSha1
	}
	config := &tls.Config{RootCAs: t.roots, ServerName: t.domain, MinVersion: tls.VersionTLS12}
	var offered []string
	features := []xmpp.StreamFeature{noting(xmpp.SASL("", password, h.mechanism), &offered), xmpp.BindResource()}
	conn, state, err := t.dial(ctx, config, h.directTLS)
	if err != nil {
		return nil, err
	}
	if !h.directTLS {
		features = append([]xmpp.StreamFeature{xmpp.StartTLS(config)}, features...)
	}
	s, err := xmpp.NewSession(ctx, addr.Domain(), addr, conn, state, xmpp.NewNegotiator(
		func(*xmpp.Session, *xmpp.StreamConfig) xmpp.StreamConfig {
			return xmpp.StreamConfig{Features: features}
		}))
	if err != nil {
		conn.Close()
		if offered != nil && !slices.Contains(offered, h.mechanism.Name) {
			return nil, fmt.Errorf("%s is %w", h.mechanism.Name, errNotOffered)
		}
		return nil, fmt.Errorf("session: %w", err)
	}
	p := &person{Session: s, addr: s.LocalAddr(), tls: s.ConnectionState(), done: make(chan error, 1), news: make(chan struct{})}
	go func() { p.done <- s.Serve(p.handler()) }()
	return p, nil
}

// dial connects, with TLS at once if direct.
func (t *target) dial(ctx context.Context, config *tls.Config, direct bool) (net.Conn, xmpp.SessionState, error) {
	if !direct {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.addr())
		return conn, 0, err
	}
	config = config.Clone()
	config.NextProtos = []string{"xmpp-client"} // XEP-0368 §2
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", t.tlsAddr())
	return conn, xmpp.Secure, err
}

// noting keeps the mechanisms that the server offers.
func noting(f xmpp.StreamFeature, offered *[]string) xmpp.StreamFeature {
	parse := f.Parse
	f.Parse = func(ctx context.Context, d *xml.Decoder, start *xml.StartElement) (bool, any, error) {
		required, data, err := parse(ctx, d, start)
		*offered, _ = data.([]string)
		return required, data, err
	}
	return f
}

// handler answers pings and roster pushes and keeps messages and presence.
func (p *person) handler() xmpp.Handler {
	keep := mux.PresenceHandlerFunc(func(_ stanza.Presence, t xmlstream.TokenReadEncoder) error { return p.keep(t) })
	options := []mux.Option{
		ping.Handle(),
		roster.Handle(roster.Handler{Push: func(_ string, item roster.Item) error {
			p.arrived(func() { p.pushes = append(p.pushes, item) })
			return nil
		}}),
	}
	for _, typ := range []stanza.PresenceType{
		stanza.AvailablePresence, stanza.UnavailablePresence, stanza.SubscribePresence, stanza.SubscribedPresence,
		stanza.UnsubscribePresence, stanza.UnsubscribedPresence, stanza.ErrorPresence,
	} {
		options = append(options, mux.Presence(typ, xml.Name{}, keep))
	}
	for _, typ := range []stanza.MessageType{stanza.NormalMessage, stanza.ChatMessage, stanza.HeadlineMessage, stanza.ErrorMessage} {
		options = append(options, mux.MessageFunc(typ, xml.Name{},
			func(_ stanza.Message, t xmlstream.TokenReadEncoder) error { return p.keep(t) }))
	}
	return mux.New(stanza.NSClient, options...)
}

func (p *person) keep(t xml.TokenReader) error {
	var s seen
	if err := xml.NewTokenDecoder(t).Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	p.arrived(func() { p.stanza = append(p.stanza, s) })
	return nil
}

// arrived makes a change and wakes who waits for one.
func (p *person) arrived(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.news)
	p.news = make(chan struct{})
}

// until waits for a state of p that found accepts.
func (p *person) until(ctx context.Context, what string, found func() bool) error {
	for {
		p.mu.Lock()
		ok, news := found(), p.news
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-news:
		case err := <-p.done:
			p.done <- err
			return fmt.Errorf("%s: the stream ended while waiting for %s: %w", p.addr, what, err)
		case <-ctx.Done():
			return fmt.Errorf("%s waited in vain for %s", p.addr, what)
		}
	}
}

// gets waits for a stanza that match accepts and returns the first such.
func (p *person) gets(ctx context.Context, what string, match func(seen) bool) (seen, error) {
	var got seen
	err := p.until(ctx, what, func() bool {
		i := slices.IndexFunc(p.stanza, match)
		if i >= 0 {
			got = p.stanza[i]
		}
		return i >= 0
	})
	return got, err
}

// bye ends the session and waits until the stream is over.
func (p *person) bye(ctx context.Context) error {
	if err := p.Close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	var err error
	select {
	case err = <-p.done:
	case <-ctx.Done():
		err = errors.New("the server did not close its stream")
	}
	p.Conn().Close()
	return err
}
