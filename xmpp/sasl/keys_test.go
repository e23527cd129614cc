package sasl

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
)

func certificateHash(ch *channel) []byte {
	sum := sha256.Sum256(ch.certificate.Certificate[0])
	return sum[:]
}

func TestPreparePassword(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"pencil", "pencil"},
		{" pen cil ", " pen cil "},
		{"I\u00adX", "IX"},          // RFC 4013 §3
		{"USER", "USER"},            // the same
		{"\u00aa", "a"},             // the same
		{"\u2168", "IX"},            // the same
		{"pen\u00a0cil", "pen cil"}, // a space is a space
		{"p\u00e4ss", "p\u00e4ss"},
		{"pa\u0308ss", "p\u00e4ss"},
		{"\U0001f5dd", "\U0001f5dd"}, // not in Unicode 3.2
		{strings.Repeat("x", 1023), strings.Repeat("x", 1023)},
	} {
		if got, ok := preparePassword(c.in); !ok || got != c.want {
			t.Errorf("%+q: %+q, %v", c.in, got, ok)
		}
	}
	for _, bad := range []string{
		"", "\u00ad", "\x07", "a\x7f", "a\u0080", "a\nb", "\ue000", "\ufffe", "\ufffd", "\U0001fffe", "\u200e", "\U000e0001", "a\xffb", strings.Repeat("x", 1024),
	} {
		if got, ok := preparePassword(bad); ok {
			t.Errorf("%+.20q: %+.20q", bad, got)
		}
		if _, err := Derive(SHA256, bad, []byte("salt"), MinIterations); !errors.Is(err, ErrPassword) {
			t.Errorf("%+.20q: %v", bad, err)
		}
	}
}

func TestDeriveRefuses(t *testing.T) {
	for _, c := range []struct {
		h          Hash
		salt       string
		iterations int
	}{
		{0, "salt", MinIterations}, {SHA512 + 1, "salt", MinIterations}, {SHA1, "", MinIterations}, {SHA1, "salt", MinIterations - 1}, {SHA1, "salt", MaxIterations + 1},
	} {
		if k, err := Derive(c.h, "pencil", []byte(c.salt), c.iterations); err == nil || k.StoredKey != nil {
			t.Errorf("%+v: %v", c, k)
		}
	}
	if _, err := NewKeys("", MinIterations); !errors.Is(err, ErrPassword) {
		t.Errorf("NewKeys: %v", err)
	}
}

func TestNewKeys(t *testing.T) {
	a, err := NewKeys("pencil", MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewKeys("pencil", MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range Hashes() {
		k := a[h]
		if !k.usable(h) || len(k.Salt) != SaltSize || k.Iterations != MinIterations {
			t.Errorf("%s: %+v", h, k)
		}
		if bytes.Equal(k.Salt, b[h].Salt) || bytes.Equal(k.StoredKey, b[h].StoredKey) {
			t.Errorf("%s: two accounts with one password have the same keys", h)
		}
		if got, ok := HashOf(h.String()); !ok || got != h {
			t.Errorf("%s is the name of %v, %v", h, got, ok)
		}
	}
	if bytes.Equal(a[SHA1].Salt, a[SHA256].Salt) {
		t.Error("two hashes share a salt")
	}
	if h, ok := HashOf("SCRAM-SHA-256-PLUS"); ok {
		t.Error("a -PLUS mechanism is not the name of a hash:", h)
	}
	if s := Hash(0).String(); s != "no hash" {
		t.Error(s)
	}
}

func TestBindingFor(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		ch := newChannel(t, version)
		b := ch.binding()
		if !slices.Equal(b.Types(), []string{TLSExporter, TLSServerEndPoint}) {
			t.Errorf("types %v", b.Types())
		}
		if len(b.Exporter) != 32 || !bytes.Equal(b.ServerEndPoint, certificateHash(ch)) {
			t.Errorf("%x", b)
		}
		if b := BindingFor(ch.server, nil); !slices.Equal(b.Types(), []string{TLSExporter}) {
			t.Errorf("without a certificate: %v", b.Types())
		}
		if b := BindingFor(ch.server, &tls.Certificate{Certificate: [][]byte{[]byte("junk")}}); !slices.Equal(b.Types(), []string{TLSExporter}) {
			t.Errorf("with a broken certificate: %v", b.Types())
		}
	}
	if b := BindingFor(tls.ConnectionState{}, nil); b != nil || b.Types() != nil || b.data(TLSExporter) != nil {
		t.Errorf("without TLS: %v", b)
	}
}

// TestEndPoint is the table of RFC 5929 §4.1.
func TestEndPoint(t *testing.T) {
	for algorithm, size := range map[x509.SignatureAlgorithm]int{
		x509.MD5WithRSA: 32, x509.SHA1WithRSA: 32, x509.ECDSAWithSHA1: 32, x509.SHA256WithRSA: 32, x509.ECDSAWithSHA256: 32, x509.SHA256WithRSAPSS: 32,
		x509.SHA384WithRSA: 48, x509.ECDSAWithSHA384: 48, x509.SHA512WithRSA: 64, x509.ECDSAWithSHA512: 64, x509.SHA512WithRSAPSS: 64,
		x509.PureEd25519: 0, x509.UnknownSignatureAlgorithm: 0,
	} {
		leaf := &x509.Certificate{Raw: []byte("certificate"), SignatureAlgorithm: algorithm}
		if got := endPoint(&tls.Certificate{Certificate: [][]byte{leaf.Raw}, Leaf: leaf}); len(got) != size {
			t.Errorf("%s: %d bytes, want %d", algorithm, len(got), size)
		}
	}
}

func TestOffer(t *testing.T) {
	names := []string{"SCRAM-SHA-256", Plain}
	if got := Offer(names, nil); !slices.Equal(got, names) {
		t.Error(got)
	}
	if got := Offer(names, &ChannelBinding{Exporter: []byte{1}}); !slices.Equal(got, []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", Plain}) {
		t.Error(got)
	}
	if got := Offer([]string{Plain}, &ChannelBinding{Exporter: []byte{1}}); !slices.Equal(got, []string{Plain}) {
		t.Error(got)
	}
}
