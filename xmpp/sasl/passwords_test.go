package sasl

import (
	"context"
	"errors"
	"testing"

	"rollcall/xmpp/jid"
)

// elsewhere knows passwords that are not kept here, and notes what it was asked.
type elsewhere struct {
	passwords map[jid.Bare]string
	fails     error
	asked     []jid.Bare
}

func (e *elsewhere) CheckPassword(_ context.Context, account jid.Bare, password string) error {
	e.asked = append(e.asked, account)
	if e.fails != nil {
		return e.fails
	}
	if e.passwords[account] != password {
		return refused("not there either")
	}
	return nil
}

// Who knows passwords elsewhere is asked when no key here matches, and only with
// PLAIN.
func TestPasswords(t *testing.T) {
	const here = testUser + "@example.org"
	away := errors.New("it is away")
	for _, c := range []struct {
		in    string
		fails error
		want  error
		asked int
	}{
		{in: "\x00" + testUser + "\x00" + testPassword},
		{in: "\x00" + testUser + "\x00" + testPassword, fails: ErrAway},
		{in: "\x00" + testUser + "\x00wrong", want: ErrNotAuthorized, asked: 1},
		{in: "\x00bob\x00right", asked: 1},
		{in: "\x00BOB\x00right", asked: 1},
		{in: "\x00bob\x00p\u00a0\u2168", asked: 1, want: ErrNotAuthorized}, // is not what bob typed there, though SASLprep thinks so
		{in: "\x00bob\x00wrong", want: ErrNotAuthorized, asked: 1},
		{in: "eve\x00bob\x00right", want: ErrInvalidAuthzid, asked: 1},
		{in: "\x00bob\x00", want: ErrMalformedRequest},
		{in: "\x00bob\x00\u00ad", want: ErrNotAuthorized}, // a soft hyphen is nothing (RFC 4013 §2.1)
		{in: "\x00a b\x00right", want: ErrNotAuthorized},
		{in: "\x00bob\x00right", fails: ErrAway, want: ErrTemporary, asked: 1},
		{in: "\x00bob\x00right", fails: away, want: away, asked: 1},
	} {
		others := &elsewhere{passwords: map[jid.Bare]string{"bob@example.org": "right", here: "another"}, fails: c.fails}
		if c.in == "\x00bob\x00p\u00a0\u2168" {
			others.passwords["bob@example.org"] = "p IX"
		}
		cfg := config()
		cfg.Passwords = others
		s := start(t, Plain, cfg)
		_, done, err := s.Step(t.Context(), []byte(c.in))
		if !errors.Is(err, c.want) || done != (c.want == nil) || len(others.asked) != c.asked {
			t.Errorf("%q: %v, %v, asked about %q", c.in, done, err, others.asked)
		}
		if done && s.Mechanism() != Plain {
			t.Errorf("the mechanism is %s", s.Mechanism())
		}
	}
	others := &elsewhere{passwords: map[jid.Bare]string{"bob@example.org": "right"}}
	cfg := config()
	cfg.Passwords = others
	c := &client{hash: SHA256, user: "bob", password: "right"}
	s := start(t, "SCRAM-SHA-256", cfg)
	challenge, _, err := s.Step(t.Context(), []byte(c.first()))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Step(t.Context(), []byte(c.answer(t, string(challenge)))); !errors.Is(err, ErrNotAuthorized) || len(others.asked) != 0 {
		t.Errorf("SCRAM: %v, asked about %q", err, others.asked)
	}
	if Condition(ErrAway) != "temporary-auth-failure" || Condition(away) != "temporary-auth-failure" {
		t.Error("a directory that is away must not look like a wrong password")
	}
}
