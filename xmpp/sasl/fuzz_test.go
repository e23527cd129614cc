package sasl

import (
	"errors"
	"testing"

	"rollcall/xmpp/jid"
)

// checkResult checks that a step gave a result or an error of a known kind, and
// never both.
func checkResult(t *testing.T, s *Server, out []byte, done bool, err error) {
	t.Helper()
	if err == nil {
		if done == (s.User() == "") {
			t.Fatalf("done %v as %q", done, s.User())
		}
		return
	}
	if out != nil || done || s.User() != "" {
		t.Fatalf("an error with a result: %q, %v, %q, %v", out, done, s.User(), err)
	}
	if !errors.Is(err, ErrMalformedRequest) && !errors.Is(err, ErrNotAuthorized) && !errors.Is(err, ErrInvalidAuthzid) {
		t.Fatalf("an error of no kind: %v", err)
	}
	if _, _, err := s.Step(t.Context(), nil); !errors.Is(err, ErrMalformedRequest) {
		t.Fatalf("after the end: %v", err)
	}
}

func FuzzClientFirst(f *testing.F) {
	for _, s := range []string{
		"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "y,a=user,n=user,r=x", "p=tls-exporter,,n=a=2C=3D,r=x,x=y", "n,,m=x,n=u,r=x", "n,a==2C,n=u,r=x", ",,,", "n,,n=,r=",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	cfg := bound(&ChannelBinding{Exporter: []byte("exported")})
	f.Fuzz(func(t *testing.T, in string, plus bool) {
		mechanism := "SCRAM-SHA-256"
		if plus {
			mechanism += plusSuffix
		}
		s := start(t, mechanism, cfg)
		out, done, err := s.Step(t.Context(), []byte(in))
		if done {
			t.Fatalf("%q authenticates", in)
		}
		checkResult(t, s, out, done, err)
	})
}

func FuzzClientFinal(f *testing.F) {
	for _, s := range []string{
		"c=biws,r=rOprNGfwEbeRWgbNEkqOserver,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "c=biws,r=x,m=y,p=AAAA", "c=,r=,p=", ",p=", "c=biws,r=rOprNGfwEbeRWgbNEkqOserver,x=y,p=AAAA",
	} {
		f.Add(s)
	}
	cfg := config()
	f.Fuzz(func(t *testing.T, in string) {
		c := &client{hash: SHA256, user: testUser}
		s := start(t, "SCRAM-SHA-256", cfg)
		s.nonce = "server"
		if _, _, err := s.Step(t.Context(), []byte(c.first())); err != nil {
			t.Fatal(err)
		}
		out, done, err := s.Step(t.Context(), []byte(in))
		if done {
			t.Fatalf("%q authenticates", in)
		}
		checkResult(t, s, out, done, err)
	})
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"\x00user\x00pencil", "user@example.org\x00user\x00pencil", "\x00\x00", "\x00user\x00\u00a0", "\x00\xff\x00x"} {
		f.Add(s)
	}
	// A low count, which no Derive makes, keeps this fast.
	cfg := config()
	cfg.Iterations = 1
	salted, err := saltPassword(SHA256, "pencil", []byte("salt"), 1)
	if err != nil {
		f.Fatal(err)
	}
	cfg.Credentials = book{"user@example.org": {SHA256: {
		Salt: []byte("salt"), StoredKey: storedKey(SHA256, salted), ServerKey: mac(SHA256, salted, "Server Key"), Iterations: 1,
	}}}
	f.Fuzz(func(t *testing.T, in string) {
		s := start(t, Plain, cfg)
		out, done, err := s.Step(t.Context(), []byte(in))
		checkResult(t, s, out, done, err)
		if !done {
			return
		}
		m, err := parsePlain(in)
		if err != nil {
			t.Fatal(err)
		}
		user, _ := jid.Local(m.name)
		if p, _ := preparePassword(m.password); user != "user" || p != "pencil" {
			t.Fatalf("%q authenticates", in)
		}
	})
}
