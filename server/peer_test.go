package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	mellium "mellium.im/xmpp/stream"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

// known is a connection that knows its other end, and what it was told.
type known struct {
	drain
	peer  Peer
	fault atomic.Pointer[stream.Fault]
}

func (k *known) Peer() Peer { return k.peer }

func (k *known) HangUp(f *stream.Fault) { k.fault.Store(f) }

// A session is in the directory before it is asked whether it may be there, so
// that whoever bars an account and then looks for its sessions misses none.
func TestAdmitIsAskedOfWhoCanBeFound(t *testing.T) {
	var srv *Server
	barred, found := false, 0
	srv = New(context.Background(), Options{
		Config: Config{Domains: []Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: everybody{},
		Admit: func(_ context.Context, a *Account) error {
			if c := srv.Connected(a.JID); c != nil && c.Session("desk") != nil {
				found++
			}
			if barred {
				return ErrDisabled
			}
			return nil
		},
	})
	bound, ended := 0, 0
	srv.reg.OnBound(func(*Session) { bound++ })
	srv.reg.OnEnded(func(*Session) { ended++ })
	s, err := srv.Bind(t.Context(), NewAccount("ada@x", 1), "desk", &drain{})
	if err != nil || found != 1 || bound != 1 {
		t.Fatalf("admitted: %v, found %d times, bound %d", err, found, bound)
	}
	s.Release()
	s.End(t.Context())
	barred = true
	if _, err := srv.Bind(t.Context(), NewAccount("ada@x", 1), "desk", &drain{}); !errors.Is(err, ErrDisabled) || found != 2 {
		t.Errorf("barred: %v, found %d times", err, found)
	}
	if bound != 1 || ended != 1 {
		t.Errorf("the features have heard of %d sessions, and of the end of %d; want 1", bound, ended)
	}
	if srv.Connected("ada@x") != nil {
		t.Error("who was not admitted is still there")
	}
	if _, err := srv.Bind(t.Context(), NewAccount("guest@x", 0), "desk", &drain{}); err != nil {
		t.Errorf("a visitor: %v", err)
	}
}

// However a login and being barred interleave, nobody is left online.
func TestBarredWhileLoggingIn(t *testing.T) {
	for range 200 {
		var barred atomic.Bool
		srv := New(context.Background(), Options{
			Config: Config{Domains: []Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: everybody{},
			Admit: func(context.Context, *Account) error {
				if barred.Load() {
					return ErrDisabled
				}
				return nil
			},
		})
		var all sync.WaitGroup
		k := &known{}
		var err error
		all.Go(func() {
			a := NewAccount("ada@x", 1)
			if err = srv.Admit(context.Background(), a); err == nil {
				_, err = srv.Bind(context.Background(), a, "desk", k)
			}
		})
		all.Go(func() {
			barred.Store(true)
			srv.Bar("ada@x", &stream.Fault{Condition: mellium.NotAuthorized})
		})
		all.Wait()
		if err == nil && k.fault.Load() == nil {
			t.Fatal("neither refused nor cut off")
		}
	}
}

// Who was admitted is not looked at again, unless somebody was barred meanwhile.
func TestAdmittedOnce(t *testing.T) {
	asked, disabled := 0, false
	srv := New(t.Context(), Options{
		Config: Config{Domains: []Domain{{Name: "x"}}, OutboxBytes: 1 << 20}, Accounts: everybody{},
		Admit: func(context.Context, *Account) error {
			if asked++; disabled {
				return ErrDisabled
			}
			return nil
		},
	})
	for _, c := range []struct {
		name      string
		admitted  bool // before it is bound
		meanwhile func()
		want      int
		err       error
	}{
		{"admitted", true, func() {}, 1, nil},
		{"not admitted", false, func() {}, 1, nil},
		{"somebody else was barred", true, func() { srv.Bar("bob@x", nil) }, 2, nil},
		{"somebody was removed", true, func() { srv.Removed("bob@x", 2) }, 2, nil},
		{"somebody was changed", true, func() { srv.Changed("bob@x", 2) }, 2, nil},
		{"barred", true, func() { disabled = true; srv.Bar("ada@x", nil) }, 2, ErrDisabled},
	} {
		asked = 0
		a := NewAccount("ada@x", 1)
		if c.admitted {
			if err := srv.Admit(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		c.meanwhile()
		s, err := srv.Bind(t.Context(), a, "desk", &drain{})
		if asked != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: asked %d times, %v", c.name, asked, err)
		}
		if err == nil {
			s.End(t.Context())
		}
	}
}

// A session that is being cut off cannot be resumed.
func TestCutOffIsNotResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := testServer()
		s, _ := online(t, srv, "ada@x/desk")
		s.KeepFor(time.Minute)
		if !s.Hibernate() {
			t.Fatal("not kept")
		}
		s.Release()
		s.fault.Store(&stream.Fault{Condition: mellium.NotAuthorized}) // the first thing that HangUp does
		err := s.Resume(t.Context(), 0, &drain{}, func(uint32) []byte { return nil })
		if !errors.Is(err, ErrGone) {
			t.Errorf("resumed: %v", err)
		}
		s.HangUp(nil)
		if srv.Connected("ada@x") != nil {
			t.Error("still there")
		}
	})
}

func TestSessionInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := testServer()
		began := time.Now()
		peer := Peer{Addr: netip.MustParseAddr("192.0.2.1"), TLS: tls.VersionTLS13, Mechanism: "SCRAM-SHA-1"}
		s, err := srv.Bind(t.Context(), NewAccount(jid.Bare("ada@x"), 1), "desk", &known{peer: peer})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s.Heard(time.Now().Unix())
		want := SessionInfo{Began: began, Heard: time.Now(), Peer: peer}
		check := func(what string) {
			t.Helper()
			got := s.Info()
			if !got.Began.Equal(want.Began) || !got.Heard.Equal(want.Heard) {
				t.Errorf("%s: began %v, heard %v", what, got.Began, got.Heard)
			}
			got.Began, got.Heard = want.Began, want.Heard
			if got != want {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		check("new")
		s.KeepFor(time.Hour)
		s.SetInactive(true)
		want.Resumable, want.Inactive = true, true
		check("resumable, inactive")
		if !s.Hibernate() {
			t.Fatal("not kept")
		}
		s.Release()
		want.Waiting = true
		check("waiting")
		other := Peer{Addr: netip.MustParseAddr("2001:db8::1")}
		if err := s.Resume(t.Context(), 0, &known{peer: other}, func(uint32) []byte { return nil }); err != nil {
			t.Fatal(err)
		}
		want.Waiting, want.Peer = false, other
		check("resumed")
		s.Release()
		s.End(t.Context())
		want.Peer, want.Resumable = Peer{}, true
		check("over")
	})
}
