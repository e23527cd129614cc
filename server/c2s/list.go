package c2s

import (
	"cmp"
	"crypto/tls"
	"net/netip"
	"slices"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// Connection is one connection of a client at one moment.
type Connection struct {
	Number    uint64     // which no other connection has had since the start
	Peer      netip.Addr // not valid if it has none, as a pipe
	Port      uint16     // the client's
	Listener  string     // the address that it came to
	DirectTLS bool       // it began with TLS (XEP-0368)
	Since     time.Time
	TLS       string // "TLS 1.3", or "" without
	Cipher    string
	Mechanism string // by which the client logged in
	Stage     Stage
	Account   jid.Bare // once it is proven
	JID       jid.JID  // once it is bound
	In, Out   uint64   // bytes of XML
	Heard     time.Time
	Resumable bool // the client has been told how to resume (XEP-0198)
}

// Stage is how far a connection has come.
type Stage string

// The stages of a connection.
const (
	Negotiating   Stage = "negotiating"   // not logged in
	Authenticated Stage = "authenticated" // logged in, without a resource
	Bound         Stage = "bound"
)

// proof is who a client is, and how that is known.
type proof struct {
	mechanism string
	account   jid.Bare
}

// Filter says which connections are asked for. The zero value is all.
type Filter struct {
	After   uint64       // those with greater numbers
	Network netip.Prefix // those from there
	Most    int          // as many at most
}

// Connections returns connections in the order in which they came. Those that
// have just been accepted or are about to end may be there or not.
func (s *Server) Connections(f Filter) []Connection {
	s.mu.Lock()
	var found []*conn
	for c := range s.conns {
		if c.number > f.After && (!f.Network.IsValid() || f.Network.Contains(c.addr)) {
			found = append(found, c)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(found, func(a, b *conn) int { return cmp.Compare(a.number, b.number) })
	if f.Most > 0 && len(found) > f.Most {
		found = found[:f.Most]
	}
	list := make([]Connection, len(found))
	for i, c := range found {
		list[i] = c.describe()
	}
	return list
}

// describe says what is known of a connection.
func (c *conn) describe() Connection {
	began := c.s.began.Add(c.began)
	d := Connection{
		Number: c.number, Peer: c.addr, DirectTLS: c.direct, Since: began, Stage: Negotiating,
		In: c.in.Load(), Out: c.out.Load(), Heard: began,
	}
	if a, err := netip.ParseAddrPort(c.raw.RemoteAddr().String()); err == nil {
		d.Port = a.Port()
	}
	if a := c.raw.LocalAddr(); a != nil {
		d.Listener = a.String()
	}
	if v := c.cipher.Load(); v != 0 {
		d.TLS, d.Cipher = tls.VersionName(uint16(v>>16)), tls.CipherSuiteName(uint16(v))
	}
	if p := c.proven.Load(); p != nil {
		d.Stage, d.Mechanism, d.Account = Authenticated, p.mechanism, p.account
	}
	if x := c.session.Load(); x != nil {
		d.Stage, d.JID, d.Heard = Bound, x.JID, time.Unix(x.LastHeard(), 0)
		d.Resumable = c.s.resumable.has(x)
	}
	return d
}

// HangUp ends a connection with a fault, and the session that it carries. It does
// not wait for that. False: there is no such connection.
func (s *Server) HangUp(number uint64, f *stream.Fault) bool {
	s.mu.Lock()
	var found *conn
	for c := range s.conns {
		if c.number == number {
			found = c
		}
	}
	s.mu.Unlock()
	if found == nil {
		return false
	}
	if x := found.session.Load(); x != nil {
		x.HangUp(f)
	}
	found.HangUp(f) // a session may have begun just now, or not yet
	return true
}
