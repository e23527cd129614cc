package uplink

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// Config is what the link needs to know of the configuration file.
type Config struct {
	Server string // host:port, where components connect to; "" is nowhere

	Secret     string // the one that the server has for the domain; or
	SecretFile string // a file whose first line it is

	// Plaintext lets the server be on another machine, though the stream is not
	// encrypted.
	Plaintext bool

	RetryMax time.Duration // the longest pause between two attempts
}

// Parts are what a link needs.
type Parts struct {
	Config Config
	Domain string                 // that it serves: the devices'
	Host   string                 // a domain of the server itself, to be asked whether it is there
	Secret func() (string, error) // reads the secret; for each connection, since it may have been changed

	// Dial connects. nil is by TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)

	// Take takes what comes, in order. The error is for its sender. It must not wait for
	// anything slow, and the stanza is needed during the call only.
	Take func(st *stanza.Stanza, from, to jid.JID) error

	// Up hears that there is a connection, and Down that there is none any more, one
	// after the other. Up may take its time, until its context ends. nil: nobody does.
	Up   func(context.Context)
	Down func()

	Limits stream.Limits // of what the server sends
	Outbox int           // bytes that may wait to be written
	Log    *slog.Logger
}

// Link is the connection to the server, or that there is none. It is safe for use by
// many goroutines.
type Link struct {
	parts Parts // fixed

	mu      sync.Mutex // guards the fields below; nobody is called under it
	now     *conn      // nil while there is none
	said    string     // why the last attempt failed, which was logged
	pings   uint64
	asked   []func(bool) // wait for the answer to the ping that is on its way
	late    *time.Timer  // ends their patience; nil while nobody waits
	waiting []func(bool) // wait for the next one
}

// Limits that are not configured.
const (
	retryMin   = time.Second
	longEnough = 30 * time.Second // a connection that has stood for so long was good
	greetIn    = 15 * time.Second // is how long connecting and the handshake may take
	hello      = 64 << 10         // bytes of it
	silence    = 30 * time.Second // after which the server is asked whether it is there
	pongIn     = 20 * time.Second // an answer to those who want to know what has arrived
	writeIn    = 30 * time.Second // a write may take so long
	partIn     = 3 * time.Second  // the end of a stream may
)

// DefaultOutbox is how much may wait to be written if nothing else is said.
const DefaultOutbox = 8 << 20

// New returns a link. It starts nothing.
func New(parts Parts) *Link {
	if parts.Dial == nil {
		parts.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence, Interval: silence / 2, Count: 3}}
			return d.DialContext(ctx, "tcp", address)
		}
	}
	if parts.Outbox <= 0 {
		parts.Outbox = DefaultOutbox
	}
	if parts.Config.RetryMax < retryMin {
		parts.Config.RetryMax = retryMin
	}
	if parts.Limits == (stream.Limits{}) {
		parts.Limits = stream.DefaultLimits
	}
	if parts.Log == nil {
		parts.Log = slog.New(slog.DiscardHandler)
	}
	return &Link{parts: parts}
}

// Run keeps the link up until ctx is done, and then ends the stream in good order.
func (l *Link) Run(ctx context.Context) error {
	pause := retryMin
	for {
		began := time.Now()
		err := l.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) >= longEnough {
			pause = retryMin
		}
		l.complain(err, pause)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause + rand.N(pause/4)):
		}
		pause = min(2*pause, l.parts.Config.RetryMax)
	}
}

// once connects and serves the connection to its end. It always returns an error: why
// there is none, or none any more.
func (l *Link) once(ctx context.Context) error {
	c, err := l.connect(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.now, l.said = c, ""
	l.mu.Unlock()
	l.parts.Log.Info("connected to the XMPP server", "jid", l.parts.Domain, "addr", l.parts.Config.Server)
	err = c.serve(ctx)
	l.mu.Lock()
	l.now = nil
	lost := append(l.answered(), l.waiting...)
	l.waiting = nil
	l.mu.Unlock()
	for _, f := range lost {
		f(false)
	}
	if l.parts.Down != nil {
		l.parts.Down()
	}
	return err
}

// complain logs why there is no connection, once for each reason.
func (l *Link) complain(err error, pause time.Duration) {
	text := err.Error()
	l.mu.Lock()
	again := l.said == text
	l.said = text
	l.mu.Unlock()
	var refused *refusal
	switch {
	case again:
		l.parts.Log.Debug("there is still no connection to the XMPP server", "err", err, "retry_in", pause)
	case errors.As(err, &refused):
		l.parts.Log.Error("the XMPP server does not let the gateway in; trying again", "jid", l.parts.Domain,
			"addr", l.parts.Config.Server, "err", err, "retry_max", l.parts.Config.RetryMax)
	default:
		l.parts.Log.Warn("no connection to the XMPP server; trying again", "jid", l.parts.Domain,
			"addr", l.parts.Config.Server, "err", err, "retry_max", l.parts.Config.RetryMax)
	}
}

// Connected reports whether there is a connection.
func (l *Link) Connected() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now != nil
}

// Send sends a stanza, which has its addresses, on its way. It does not wait. Without a
// connection the error is one for whoever has sent it.
func (l *Link) Send(_ context.Context, raw []byte) error {
	l.mu.Lock()
	c := l.now
	l.mu.Unlock()
	if c == nil {
		return stanza.ErrRemoteTimeout
	}
	return c.out.put(outgoing(raw))
}

// Room waits until a good part of the outbox is free, for whoever sends much.
func (l *Link) Room(ctx context.Context) error {
	l.mu.Lock()
	c := l.now
	l.mu.Unlock()
	if c == nil {
		return stanza.ErrRemoteTimeout
	}
	return c.out.room(ctx)
}

// Stored calls f once when the server has taken all that was sent so far, or when it
// cannot be known that it has. It does not wait for that.
func (l *Link) Stored(f func(bool)) {
	l.mu.Lock()
	c := l.now
	if c == nil {
		l.mu.Unlock()
		f(false)
		return
	}
	l.waiting = append(l.waiting, f)
	l.mu.Unlock()
	l.ask(c)
}

// ask pings the server for those who wait, unless a ping is on its way.
func (l *Link) ask(c *conn) {
	l.mu.Lock()
	if l.now != c || len(l.asked) > 0 || len(l.waiting) == 0 {
		l.mu.Unlock()
		return
	}
	l.asked, l.waiting = l.waiting, nil
	l.pings++
	n := l.pings
	l.late = time.AfterFunc(pongIn, func() { l.arrived(c, n, false) })
	l.mu.Unlock()
	c.out.put(l.ping(n)) // that it cannot be sent ends the connection
}

// answered returns who waits for an answer, which has come or will not. The caller holds
// mu.
func (l *Link) answered() (all []func(bool)) {
	if l.late != nil {
		l.late.Stop()
	}
	all, l.asked, l.late = l.asked, nil, nil
	return all
}

// arrived tells those who wait for the answer to a ping, and asks for those who have come
// since.
func (l *Link) arrived(c *conn, n uint64, ok bool) {
	l.mu.Lock()
	var done []func(bool)
	if l.now == c && n == l.pings {
		done = l.answered()
	}
	l.mu.Unlock()
	for _, f := range done {
		f(ok)
	}
	l.ask(c)
}

// pingID begins the ids of our pings.
const pingID = "uplink-"

// ping is a request that any server answers, even if only by an error (XEP-0199 §4.3).
func (l *Link) ping(n uint64) []byte {
	b := stanza.AppendAttr([]byte("<iq type='get'"), "id", pingID+strconv.FormatUint(n, 10))
	b = stanza.AppendAttr(stanza.AppendAttr(b, "from", l.parts.Domain), "to", l.parts.Host)
	return append(b, "><ping xmlns='urn:xmpp:ping'/></iq>"...)
}

// ponged takes the answer to a ping, if it is one.
func (l *Link) ponged(c *conn, st *stanza.Stanza, from jid.JID) bool {
	id, is := strings.CutPrefix(stanza.Text(st.ID), pingID)
	if !is || st.Kind != stanza.IQ || !st.IsType("result") && !st.IsType("error") || from.String() != l.parts.Host {
		return false
	}
	if n, err := strconv.ParseUint(id, 10, 64); err == nil && n > 0 {
		l.arrived(c, n, true)
	}
	return true
}
