package sasl

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	mellium "mellium.im/sasl"

	"rollcall/xmpp/jid"
)

// Who moved here with keys of one hash only can log in with a password.
func TestPlainWithWhateverKeysThereAre(t *testing.T) {
	for _, h := range Hashes() {
		keys, err := Derive(h, testPassword, []byte("salt"), MinIterations)
		if err != nil {
			t.Fatal(err)
		}
		cfg := config()
		cfg.Credentials = book{testUser + "@example.org": {h: keys}}
		for password, want := range map[string]error{testPassword: nil, "wrong": ErrNotAuthorized} {
			s := start(t, Plain, cfg)
			if _, _, err := s.Step(t.Context(), []byte("\x00"+testUser+"\x00"+password)); !errors.Is(err, want) {
				t.Errorf("%s, %s: %v", h, password, err)
			}
		}
	}
}

func TestPlain(t *testing.T) {
	const who, pw = testUser, testPassword
	long := strings.Repeat("a", 1024)
	for _, c := range []struct {
		in   string
		want error
	}{
		{"\x00" + who + "\x00" + pw, nil},
		{"\x00ADA,L=1\x00" + pw, nil},
		{who + "\x00" + who + "\x00" + pw, nil},
		{who + "@example.org\x00" + who + "\x00" + pw, nil},
		{who + "@EXAMPLE.ORG.\x00" + who + "\x00" + pw, nil},
		{"eve\x00" + who + "\x00" + pw, ErrInvalidAuthzid},
		{"eve@example.org\x00" + who + "\x00" + pw, ErrInvalidAuthzid},
		{who + "@example.net\x00" + who + "\x00" + pw, ErrInvalidAuthzid},
		{who + "@example.org/desk\x00" + who + "\x00" + pw, ErrInvalidAuthzid},
		{"example.org\x00" + who + "\x00" + pw, ErrInvalidAuthzid},
		{"@\x00" + who + "\x00" + pw, ErrInvalidAuthzid},
		{"eve\x00" + who + "\x00wrong", ErrNotAuthorized},
		{"\x00" + who + "\x00wrong", ErrNotAuthorized},
		{"\x00" + who + "\x00" + pw + " ", ErrNotAuthorized},
		{"\x00" + who + "\x00\x01", ErrNotAuthorized},
		{"\x00eve\x00" + pw, ErrNotAuthorized},
		{"\x00" + who + "@example.org\x00" + pw, ErrNotAuthorized},
		{"", ErrMalformedRequest},
		{"\x00", ErrMalformedRequest},
		{"\x00\x00", ErrMalformedRequest},
		{"\x00\x00\x00", ErrMalformedRequest},
		{"\x00" + who + "\x00", ErrMalformedRequest},
		{"\x00\x00" + pw, ErrMalformedRequest},
		{who + "\x00" + pw, ErrMalformedRequest},
		{"\x00" + who + "\x00" + pw + "\x00", ErrMalformedRequest},
		{"\x00" + who + "\x00" + pw + "\xff", ErrMalformedRequest},
		{"\x00" + long + "\x00" + pw, ErrMalformedRequest},
		{"\x00" + who + "\x00" + long, ErrMalformedRequest},
		{long + long + "\x00" + who + "\x00" + pw, ErrMalformedRequest},
		{strings.Repeat("\x00", maxMessage+1), ErrMalformedRequest},
	} {
		s := start(t, Plain, config())
		out, done, err := s.Step(t.Context(), []byte(c.in))
		if !errors.Is(err, c.want) || out != nil || done != (err == nil) {
			t.Errorf("%.60q: %q, %v, %v", c.in, out, done, err)
		}
		if done != (s.User() == testUser) || done != (s.Account() == testUser+"@example.org") {
			t.Errorf("%.60q: user %q", c.in, s.User())
		}
		checkOver(t, s)
	}
}

// TestErrorsAreQuiet: what was sent is in no error.
func TestErrorsAreQuiet(t *testing.T) {
	for mechanism, in := range map[string]string{Plain: "swordfish\x00swordfish\x00swordfish", "SCRAM-SHA-1": "swordfish,,n=swordfish,r=swordfish"} {
		_, _, err := start(t, mechanism, config()).Step(t.Context(), []byte(in))
		if err == nil || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
}

func TestAnonymous(t *testing.T) {
	seen := map[string]bool{}
	for _, in := range [][]byte{nil, {}, []byte("sirhc@example.org"), []byte(strings.Repeat("ä", 255))} {
		s := start(t, Anonymous, config())
		out, done, err := s.Step(t.Context(), in)
		if out != nil || !done || err != nil {
			t.Fatalf("%q: %q, %v, %v", in, out, done, err)
		}
		if user, err := jid.Local(s.User()); err != nil || user != s.User() || len(user) < 26 || seen[user] {
			t.Errorf("%q: user %q, %v", in, s.User(), err)
		}
		seen[s.User()] = true
		checkOver(t, s)
	}
	for _, in := range []string{strings.Repeat("a", 256), "\xff"} {
		s := start(t, Anonymous, config())
		if _, _, err := s.Step(t.Context(), []byte(in)); !errors.Is(err, ErrMalformedRequest) || s.User() != "" {
			t.Errorf("%.20q: %q, %v", in, s.User(), err)
		}
	}
	if err := exchange(t, mellium.Anonymous, start(t, Anonymous, config()), "", "", ""); err != nil {
		t.Error(err)
	}
}

// TestNoInitialResponse: the client waits for the server (RFC 6120 §6.4.2).
func TestNoInitialResponse(t *testing.T) {
	for mechanism, in := range map[string]string{Plain: "\x00" + testUser + "\x00" + testPassword, "SCRAM-SHA-1": "n,,n=ada,r=nonce"} {
		s := start(t, mechanism, config())
		if out, done, err := s.Step(t.Context(), nil); out == nil || len(out) != 0 || done || err != nil {
			t.Fatalf("%s: %q, %v, %v", mechanism, out, done, err)
		}
		if _, _, err := s.Step(t.Context(), []byte(in)); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
		s = start(t, mechanism, config())
		_, _, _ = s.Step(t.Context(), nil)
		if _, _, err := s.Step(t.Context(), nil); !errors.Is(err, ErrMalformedRequest) {
			t.Errorf("%s, nothing twice: %v", mechanism, err)
		}
	}
}

func TestNewServerRefuses(t *testing.T) {
	b := &ChannelBinding{Exporter: []byte("exported")}
	only := config()
	only.Mechanisms = []string{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "EXTERNAL", "PLAIN-PLUS"}
	noSecret, noStore, noDomain := config(), config(), config()
	noSecret.Secret, noStore.Credentials, noDomain.Domain = nil, nil, ""
	for _, c := range []struct {
		mechanism string
		cfg       *Config
		want      error
	}{
		{"", config(), ErrInvalidMechanism},
		{"plain", config(), ErrInvalidMechanism},
		{"SCRAM-SHA-1", only, ErrInvalidMechanism},
		{Plain, only, ErrInvalidMechanism},
		{Anonymous, only, ErrInvalidMechanism},
		{"EXTERNAL", only, ErrInvalidMechanism},
		{"PLAIN-PLUS", only, ErrInvalidMechanism},
		{"SCRAM-SHA-256-PLUS", config(), ErrInvalidMechanism},
		{"SCRAM-SHA-256-PLUS", only, ErrInvalidMechanism}, // offered, with nothing to bind to
		{"SCRAM-SHA-256-PLUS", bound(b), nil},
		{"SCRAM-SHA-256", noSecret, ErrTemporary},
		{Plain, noStore, ErrTemporary},
		{Plain, noDomain, ErrTemporary},
	} {
		s, err := NewServer(c.mechanism, c.cfg)
		if !errors.Is(err, c.want) || (s == nil) != (err != nil) {
			t.Errorf("%q: %v, %v", c.mechanism, s, err)
		}
	}
}

func TestCondition(t *testing.T) {
	for want, err := range map[string]error{
		"malformed-request":      malformed("x"),
		"not-authorized":         fmt.Errorf("outer: %w", refused("x")),
		"invalid-authzid":        ErrInvalidAuthzid,
		"invalid-mechanism":      ErrInvalidMechanism,
		"account-disabled":       ErrDisabled,
		"temporary-auth-failure": errors.New("anything else"),
	} {
		if got := Condition(err); got != want {
			t.Errorf("%v: %s", err, got)
		}
	}
}

// TestAdmit: who is held back is not even looked up.
func TestAdmit(t *testing.T) {
	held := fmt.Errorf("%w: too many failures", ErrTemporary)
	for mechanism, in := range map[string]string{Plain: "\x00" + testUser + "\x00" + testPassword, "SCRAM-SHA-1": "n,,n=ada=2Cl=3D1,r=nonce"} {
		cfg := config()
		cfg.Credentials = broken{errors.New("looked up")}
		var asked jid.Bare
		cfg.Admit = func(account jid.Bare) error {
			asked = account
			return held
		}
		s := start(t, mechanism, cfg)
		if _, _, err := s.Step(t.Context(), []byte(in)); err != held || asked != testUser+"@example.org" || s.Claimed() != asked {
			t.Errorf("%s: asked for %q: %v", mechanism, asked, err)
		}
	}
}

// TestGate: one at a time, and nobody waits for longer than he wants to.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(1)
		inside, leave := make(chan struct{}), make(chan struct{})
		finished := make(chan error, 2)
		go func() {
			finished <- g.Do(t.Context(), func() { close(inside); <-leave })
		}()
		<-inside
		ctx, cancel := context.WithCancel(t.Context())
		cfg := config()
		cfg.Gate = g
		go func() {
			_, _, err := start(t, Plain, cfg).Step(ctx, []byte("\x00"+testUser+"\x00"+testPassword))
			finished <- err
		}()
		synctest.Wait()
		select {
		case err := <-finished:
			t.Fatalf("somebody is through: %v", err)
		default:
		}
		cancel()
		if err := <-finished; !errors.Is(err, ErrTemporary) || !errors.Is(err, context.Canceled) {
			t.Fatalf("who gave up: %v", err)
		}
		close(leave)
		if err := <-finished; err != nil {
			t.Fatal(err)
		}
		if err := g.Do(t.Context(), func() {}); err != nil {
			t.Fatalf("the gate stays shut: %v", err)
		}
		if err := g.Do(ctx, func() { t.Error("ran for somebody who is gone") }); !errors.Is(err, ErrTemporary) {
			t.Error(err)
		}
	})
}
