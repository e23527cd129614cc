package jid

import "testing"

func BenchmarkCanonical(b *testing.B) {
	for _, s := range []string{"juliet@capulet.example/balcony", "juliet@capulet.example/gajim.7d793f7e-2d5c-4b3a-9f7e-0c2f3c1d8a11"} {
		b.Run(s[23:30], func(b *testing.B) {
			p := []byte(s)
			b.ReportAllocs()
			for b.Loop() {
				Canonical(p)
			}
		})
	}
}

func BenchmarkParseBytes(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"canonical", "juliet@capulet.example/balcony"},
		{"prepared", "Juliet@Capulet.Example/balcony"},
		{"unicode", "jülïet@bücher.example/bälcony"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := []byte(c.in)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseBytes(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
