package c2s_test

import (
	"crypto/tls"
	"net/netip"
	"testing"
	"time"

	"rollcall/internal/wire"
	"rollcall/server"
)

// Of each session it is known from where it comes, and how.
func TestSessionsKnowTheirPeer(t *testing.T) {
	eachKind(t, nil, func(t *testing.T, s *wire.Server, dial func() *wire.Client) {
		c := dial()
		c.Login("ada", "desk")
		a := s.Server().Connected("ada@x")
		if a == nil || len(a.Sessions()) != 1 {
			t.Fatal("there is no session")
		}
		info := a.Sessions()[0].Info()
		want := server.Peer{Addr: netip.MustParseAddr("127.0.0.1"), TLS: version(c), Mechanism: "PLAIN"}
		if info.Peer != want {
			t.Errorf("the peer is %+v, want %+v", info.Peer, want)
		}
		if ago := time.Since(info.Began); ago < 0 || ago > time.Minute {
			t.Errorf("it began %v ago", ago)
		}
		if info.Waiting || info.Resumable || info.Inactive {
			t.Errorf("%+v", info)
		}
	})
}

func version(c *wire.Client) uint16 {
	if t, ok := c.Conn.(*tls.Conn); ok {
		return t.ConnectionState().Version
	}
	return 0
}
