package c2s_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/internal/wire"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/xmpp/stream"
)

// The list says of each connection how far it has come and how.
func TestConnectionsList(t *testing.T) {
	s, _ := encrypted(t, map[string]string{"c2s.plaintext_on_loopback": "true"}, "x")
	silent := wire.Dial(t, s.Plain)
	wire.Within(t, "the first one is there", func() bool { return len(s.Streams().Connections(c2s.Filter{})) == 1 })
	known := wire.Dial(t, s.Plain)
	known.Authenticate("ada")
	bound := wire.DialTLS(t, s.Direct, client("x"))
	bound.Login("bob", "home")
	bound.Say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	bound.Until("<enabled ")
	bound.Until(">")
	list := s.Streams().Connections(c2s.Filter{})
	if len(list) != 3 {
		t.Fatalf("%d connections: %+v", len(list), list)
	}
	for i, want := range []c2s.Connection{
		{Number: 1, Stage: c2s.Negotiating, Listener: s.Plain},
		{Number: 2, Stage: c2s.Authenticated, Listener: s.Plain, Account: "ada@x", Mechanism: "PLAIN"},
		{Number: 3, Stage: c2s.Bound, Listener: s.Direct, DirectTLS: true, Account: "bob@x", Mechanism: "PLAIN", TLS: "TLS 1.3", Resumable: true},
	} {
		got := list[i]
		if got.Peer != netip.MustParseAddr("127.0.0.1") || got.Port == 0 || time.Since(got.Since) > wire.Patience || got.Heard.IsZero() {
			t.Errorf("connection %d is from %v port %d, since %v, heard at %v", i, got.Peer, got.Port, got.Since, got.Heard)
		}
		if (got.Cipher != "") != (want.TLS != "") || (got.JID.String() == "bob@x/home") != (want.Stage == c2s.Bound) {
			t.Errorf("connection %d: cipher %q, address %q", i, got.Cipher, got.JID)
		}
		if said := got.In > 0; said != (i > 0) || got.Out > 0 != said {
			t.Errorf("connection %d: %d bytes in, %d out", i, got.In, got.Out)
		}
		got.Peer, got.Port, got.Since, got.Heard, got.Cipher, got.JID, got.In, got.Out = want.Peer, 0, want.Since, want.Heard, "", want.JID, 0, 0
		if got != want {
			t.Errorf("connection %d is\n%+v, want\n%+v", i, got, want)
		}
	}
	silent.Close()
}

// It comes in pages, and for a network.
func TestConnectionsFilter(t *testing.T) {
	s, _ := encrypted(t, nil, "x")
	for range 5 {
		wire.Dial(t, s.Plain).Open()
	}
	numbers := func(f c2s.Filter) (all []uint64) {
		for _, c := range s.Streams().Connections(f) {
			all = append(all, c.Number)
		}
		return all
	}
	for _, c := range []struct {
		filter      c2s.Filter
		first, last uint64
	}{
		{c2s.Filter{}, 1, 5},
		{c2s.Filter{Most: 2}, 1, 2},
		{c2s.Filter{Most: 2, After: 2}, 3, 4},
		{c2s.Filter{Most: 2, After: 4}, 5, 5},
		{c2s.Filter{After: 5}, 0, 0},
		{c2s.Filter{Network: netip.MustParsePrefix("127.0.0.0/8"), After: 3}, 4, 5},
		{c2s.Filter{Network: netip.MustParsePrefix("192.0.2.0/24")}, 0, 0},
	} {
		got := numbers(c.filter)
		if c.first == 0 && len(got) == 0 {
			continue
		}
		if len(got) != int(c.last-c.first+1) || got[0] != c.first || got[len(got)-1] != c.last {
			t.Errorf("%+v: %v, want %d to %d", c.filter, got, c.first, c.last)
		}
	}
}

// Whoever is hung up on is told why, wherever it is; its session does not wait.
func TestHangUp(t *testing.T) {
	s, _ := encrypted(t, map[string]string{"c2s.plaintext_on_loopback": "true"}, "x")
	fault := &stream.Fault{Condition: mellium.PolicyViolation, Text: "by an operator"}
	open, known, bound, noTLS := wire.Dial(t, s.Plain), wire.Dial(t, s.Plain), wire.Dial(t, s.Plain), wire.Dial(t, s.Direct)
	open.Open()
	known.Authenticate("ada")
	bound.Login("bob", "home")
	bound.Say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	bound.Until("<enabled ")
	wire.Within(t, "all are there", func() bool { return len(s.Streams().Connections(c2s.Filter{})) == 4 })
	for _, c := range s.Streams().Connections(c2s.Filter{}) {
		if !s.Streams().HangUp(c.Number, fault) {
			t.Errorf("there is no connection %d", c.Number)
		}
	}
	for _, c := range []*wire.Client{open, known, bound} {
		if got := c.Fails("policy-violation"); !strings.Contains(got, "by an operator") {
			t.Errorf("got %q", got)
		}
	}
	if got := noTLS.Rest(); got != "" {
		t.Errorf("said in the clear: %q", got)
	}
	wire.Within(t, "all are gone", func() bool { n, _ := s.Streams().Conns(); return n == 0 })
	s.Server().EachSession(func(x *server.Session) { t.Errorf("the session of %s waits", x.JID) })
	if s.Streams().HangUp(1, fault) || s.Streams().HangUp(0, fault) {
		t.Error("what is gone was hung up on")
	}
}
