package server

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/xmpp/jid"
)

var (
	near = netip.MustParseAddr("192.0.2.1")
	far  = netip.MustParseAddr("2001:db8::1")
)

// There is one line for an offender and a minute, and it says how often.
func TestBlotter(t *testing.T) {
	var b blotter
	flood := Offence{"a stanza was refused", "messages to strangers", near, "mallory@x"}
	if !b.note(flood, 0) {
		t.Error("the first one is not told")
	}
	for range 10 {
		if b.note(flood, 30*time.Second) {
			t.Error("told again within the minute")
		}
	}
	other := flood
	other.JID = "eve@x"
	if !b.note(other, 30*time.Second) {
		t.Error("somebody else is not told of")
	}
	if all := b.due(59 * time.Second); all != nil {
		t.Errorf("told early: %v", all)
	}
	if got, want := b.due(time.Minute), []told{{flood, 10}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	// Both have stopped, and are forgotten a minute later.
	if all := b.due(3 * time.Minute); all != nil || len(b.pages) != 0 {
		t.Errorf("told %v, %d remembered", all, len(b.pages))
	}
	if !b.note(flood, 4*time.Minute) {
		t.Error("whoever begins anew is not told of")
	}
	want := []OffenceCount{{flood.What, flood.Why, 13}}
	if got := b.totals(); !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// A network of IPv6 is one offender.
func TestBlotterByNetwork(t *testing.T) {
	var b blotter
	b.note(Offence{What: "a connection was refused", Peer: far}, 0)
	next := far.Next()
	if b.note(Offence{What: "a connection was refused", Peer: next}, 0) {
		t.Error("the neighbour is told of")
	}
	if got := b.due(time.Hour); len(got) != 1 || got[0].Peer != next {
		t.Errorf("got %v, want the last address", got)
	}
}

func TestBlotterIsBounded(t *testing.T) {
	var b blotter
	addr, said := near, 0
	for range 2 * maxOffenders {
		if b.note(Offence{What: "w", Peer: addr}, 0) {
			said++
		}
		addr = addr.Next()
	}
	if said != maxOffenders || len(b.pages) != maxOffenders {
		t.Errorf("%d lines, %d remembered", said, len(b.pages))
	}
	if got := b.totals(); got[0].Times != 2*maxOffenders {
		t.Errorf("%d were counted", got[0].Times)
	}
	for i := range 2 * maxKinds {
		b.note(Offence{What: strings.Repeat("w", i)}, 0)
	}
	if got := b.totals(); len(got) != maxKinds {
		t.Errorf("%d kinds", len(got))
	}
}

// The log has fixed keys, and only those that are known.
func TestOffend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		srv := New(context.Background(), Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))})
		for range 3 {
			srv.Offend(Offence{"a login failed", "not-authorized", near, jid.Bare("ada@x")})
			srv.Offend(Offence{What: "a connection was refused", Why: "too many", Peer: near})
		}
		srv.TellOffences()
		time.Sleep(time.Minute)
		srv.Offend(Offence{What: "a connection was refused", Why: "too many", Peer: near})
		srv.TellOffences()
		want := `level=WARN msg="a login failed" jid=ada@x peer=192.0.2.1 why=not-authorized times=1
level=WARN msg="a connection was refused" peer=192.0.2.1 why="too many" times=1
level=WARN msg="a connection was refused" peer=192.0.2.1 why="too many" times=3
level=WARN msg="a login failed" jid=ada@x peer=192.0.2.1 why=not-authorized times=2
`
		if got := log.String(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if got := srv.Offences(); len(got) != 2 || got[0].Times != 4 || got[1].Times != 3 {
			t.Errorf("counted %v", got)
		}
	})
}
