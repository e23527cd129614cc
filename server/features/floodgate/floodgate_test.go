package floodgate

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// A change of the configuration holds at once, for sessions that are there too,
// and what was used up stays so.
func TestConfigure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, s := house(t, Config{}, 0)
		p := message(t, s, "bob@x")
		passes := func(want bool, why string) {
			t.Helper()
			if err := f.message(p); (err == nil) != want {
				t.Errorf("%s: %v", why, err)
			}
		}
		passes(true, "no limit")
		f.Configure(Config{MessagesPerMinute: 1}, nil)
		passes(true, "the first")
		passes(false, "the second")
		f.Configure(Config{MessagesPerMinute: 1, Exempt: []jid.Bare{"ada@x"}}, nil)
		passes(true, "exempt")
		f.Configure(Config{MessagesPerMinute: 1}, nil)
		passes(false, "exempt no more")
		f.Configure(Config{}, nil)
		passes(true, "no limit again")
		f.Configure(Config{MessagesPerMinute: 1, ReceivedPerMinute: 1}, nil)
		time.Sleep(time.Minute)
		passes(true, "a minute later")
		f.Configure(Config{MessagesPerMinute: 10, ReceivedPerMinute: 1}, nil)
		passes(false, "the crowd is remembered")
	})
}

// A session keeps nothing for what it asks of its own server, and what it keeps it
// lets go of when its client is silent. What was used up stays so.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, s := house(t, Config{MessagesPerMinute: 1, PresencePerMinute: 1}, 0)
		for _, to := range []jid.Bare{"x", "ada@x"} {
			if err := f.message(message(t, s, to)); err != nil || s.Get(f.slot) != nil {
				t.Errorf("%s: %v, and kept is %v", to, err, s.Get(f.slot))
			}
		}
		p := message(t, s, "bob@x")
		if err := f.message(p); err != nil || s.Get(f.slot) == nil {
			t.Fatalf("%v, and kept is %v", err, s.Get(f.slot))
		}
		s.Rest()
		if s.Get(f.slot) != nil || f.message(p) == nil {
			t.Errorf("kept is %v, or a rest gives more", s.Get(f.slot))
		}
		s.Rest()
		s.SetAvailability(nil) // as for somebody who comes and goes
		there := &server.Packet{Stanza: presence(t), Sender: s, Account: s.Account}
		for n, want := range []bool{true, true, false, false} { // the first is free
			if err := f.presence(there); (err == nil) != want {
				t.Errorf("presence %d: %v", n, err)
			}
			s.Rest()
		}
	})
}

// presence is that of somebody who is there.
func presence(t testing.TB) *stanza.Stanza {
	t.Helper()
	st, err := server.Whole([]byte("<presence/>"))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// broken is a place for rosters that cannot be read.
type broken struct{ err error }

// Pin implements Rosters.
func (b broken) Pin(context.Context, jid.Bare) (*roster.Pin, error) { return nil, b.err }

// As long as nobody knows who is a stranger, nobody is held back.
func TestNoRoster(t *testing.T) {
	for _, err := range []error{errors.New("the disk is gone"), roster.ErrNoAccount} {
		f, _, s := house(t, Config{MessagesPerMinute: 1}, 0)
		works := f.rosters
		f.rosters = broken{err}
		p := message(t, s, "bob@x")
		for range 3 {
			if err := f.message(p); err != nil || p.Stranger {
				t.Errorf("refused: %v", err)
			}
		}
		f.rosters = works
		if err := f.message(p); err != nil || !p.Stranger {
			t.Errorf("the first that counts: %v", err)
		}
		if err := f.message(p); !errors.Is(err, stanza.ErrPolicyViolation) {
			t.Errorf("got %v", err)
		}
	}
}

// located is a connection of somebody at an address.
type located struct {
	nowhere
	addr netip.Addr
}

// Peer implements server.Known.
func (l located) Peer() server.Peer { return server.Peer{Addr: l.addr} }

// Guests are counted by where they come from: to log in anew is no help.
func TestGuests(t *testing.T) {
	f, srv, _ := house(t, Config{MessagesPerMinute: 1}, 0)
	guest := func(who jid.Bare, from string) *server.Packet {
		s, err := srv.Bind(t.Context(), server.NewAccount(who, 0), "r", located{addr: netip.MustParseAddr(from)})
		if err != nil {
			t.Fatal(err)
		}
		return message(t, s, "bob@x")
	}
	first := guest("g1@guest.x", "2001:db8::1")
	if err := f.message(first); err != nil {
		t.Error(err)
	}
	if err := f.message(guest("g2@guest.x", "2001:db8::2")); err == nil {
		t.Error("another guest from there is not refused")
	}
	if err := f.message(guest("g3@guest.x", "2001:db8:1::1")); err != nil {
		t.Error(err)
	}
	if err := f.message(guest("g4@other.x", "2001:db8::1")); err != nil {
		t.Errorf("a guest of another domain: %v", err)
	}
}

// A refusal is written down with who and where from, and not with what was said.
func TestRefusalIsWrittenDown(t *testing.T) {
	f, srv, s := house(t, Config{MessagesPerMinute: 1, RefusalsPerMinute: 1}, 0)
	p := message(t, s, "bob@x")
	for range 4 {
		f.message(p)
	}
	want := []server.OffenceCount{
		{What: "a stanza was refused", Why: "messages to strangers", Times: 3},
		{What: "a stream was closed", Why: "messages to strangers", Times: 2},
	}
	got := srv.Offences()
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v", got)
	}
	if fault := s.Fault(); fault == nil || !strings.Contains(fault.Error(), "policy-violation") {
		t.Errorf("the session ends with %v", fault)
	}
}

// A session lets go of all that it held.
func TestEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _, s := house(t, Config{MessagesPerMinute: 1}, 0)
		f.message(message(t, s, "bob@x"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		s.Release()
		s.End(t.Context())
		if f.ledgers.peek("ada@x") == nil {
			t.Error("what was used up is forgotten")
		}
		time.Sleep(sweepEvery)
		synctest.Wait()
		if f.ledgers.peek("ada@x") != nil {
			t.Error("it is kept for ever")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
