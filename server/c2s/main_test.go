package c2s_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/config"
	"rollcall/internal/wire"
)

// TestMain wants every goroutine of every test to have come to its end.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// certificate writes a self-signed certificate and its key, and returns the
// value of tls.certificates that names them.
func certificate(t *testing.T, dir string, names ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, dir, key, names...)
}

// signed is certificate with a key of any kind.
func signed(t *testing.T, dir string, key crypto.Signer, names ...string) string {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(dir, names[0]+".crt"), filepath.Join(dir, names[0]+".key")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("{ cert = %q, key = %q }", certFile, keyFile)
}

// encrypted serves with certificates for the names, and encryption required.
// Each option is a key and a value.
func encrypted(t *testing.T, options map[string]string, names ...string) (*wire.Server, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	var list []string
	for _, name := range names {
		list = append(list, certificate(t, dir, name))
	}
	all := map[string]string{"tls.certificates": "[" + strings.Join(list, ", ") + "]", "c2s.plaintext_on_loopback": "false", "auth.backoff_after": "0"}
	for key, value := range options {
		all[key] = value
	}
	return wire.Serve(t, all, "ada", "bob"), all
}

// client is the TLS configuration of a client that takes every certificate: who
// the server is, is not what is tested.
func client(name string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true}
}

// parsed are config lines as the program would read them.
func parsed(t *testing.T, options map[string]string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("the lines", lines(options))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// reload has the server take up config lines.
func reload(t *testing.T, s *wire.Server, options map[string]string) {
	t.Helper()
	if err := s.Streams().Reload(parsed(t, options).C2S); err != nil {
		t.Fatal(err)
	}
}

func lines(options map[string]string) []byte {
	var b []byte
	for key, value := range options {
		b = fmt.Appendf(b, "%s = %s\n", key, value)
	}
	return b
}
