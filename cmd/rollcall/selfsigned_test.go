package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/server/c2s"
)

func loadLeaf(t *testing.T, c c2s.Certificate) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	make := func(now time.Time, domains ...string) *x509.Certificate {
		t.Helper()
		pair, err := selfSigned(dir, domains, now)
		if err != nil {
			t.Fatal(err)
		}
		return loadLeaf(t, pair)
	}
	first := make(now, "localhost", "bücher.example")
	for _, name := range []string{"localhost", "xn--bcher-kva.example", "127.0.0.1", "::1"} {
		if err := first.VerifyHostname(name); err != nil {
			t.Errorf("not good for %s: %v", name, err)
		}
	}
	if first.VerifyHostname("example.org") == nil {
		t.Error("good for a domain that is not served")
	}
	if err := first.CheckSignatureFrom(first); err != nil || len(first.ExtKeyUsage) != 0 {
		t.Errorf("not its own authority, or for one purpose: NSS (Pidgin) does not ask people then: %v", err)
	}
	for _, file := range []string{"self-signed.crt", "self-signed.key"} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", file, info.Mode(), err)
		}
	}
	if again := make(now.Add(time.Hour), "localhost"); !again.Equal(first) {
		t.Error("another certificate was made though the first was still good")
	}
	other := make(now, "localhost", "new.example")
	if other.Equal(first) {
		t.Error("the certificate stayed though a domain was added")
	}
	if late := make(now.Add(selfSignedFor-selfSignedRenew+time.Minute), "localhost", "new.example"); late.Equal(other) {
		t.Error("the certificate stayed though it is about to expire")
	}
}

func TestSelfSignedThatIsBrokenIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	pair := selfSignedPair(dir)
	for _, file := range []string{pair.Cert, pair.Key} {
		if err := os.WriteFile(file, []byte("not PEM"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := selfSigned(dir, []string{"localhost"}, time.Now()); err == nil || !strings.Contains(err.Error(), "remove "+pair.Cert) {
		t.Errorf("got %v, want what to do", err)
	}
}
