package sasl

import (
	"encoding/base64"
	"testing"
)

func BenchmarkLogin(b *testing.B) {
	for _, h := range []Hash{SHA1, SHA256, SHA512} {
		b.Run(h.String(), func(b *testing.B) {
			cfg := config()
			// The client's work is done once: its proof does not depend on the
			// run, because the nonce is always the same.
			c := &client{hash: h, user: testUser, password: testPassword}
			first := []byte(c.first())
			k := testBook[testUser+"@example.org"][h]
			final := []byte(c.answer(b, "r=rOprNGfwEbeRWgbNEkqOserver,s="+base64.StdEncoding.EncodeToString(k.Salt)+",i=4096"))
			b.ReportAllocs()
			for b.Loop() {
				s := start(b, h.String(), cfg)
				s.nonce = "server"
				if _, _, err := s.Step(b.Context(), first); err != nil {
					b.Fatal(err)
				}
				if _, done, err := s.Step(b.Context(), final); !done || err != nil {
					b.Fatal(done, err)
				}
			}
		})
	}
}

func BenchmarkPlain(b *testing.B) {
	cfg := config()
	in := []byte("\x00" + testUser + "\x00" + testPassword)
	b.ReportAllocs()
	for b.Loop() {
		if _, done, err := start(b, Plain, cfg).Step(b.Context(), in); !done || err != nil {
			b.Fatal(done, err)
		}
	}
}
