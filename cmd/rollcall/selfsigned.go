package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/net/idna"

	"rollcall/server/c2s"
)

const (
	selfSignedFor   = 2 * 365 * 24 * time.Hour
	selfSignedRenew = 30 * 24 * time.Hour // before it ends
)

// selfSigned returns a self-signed certificate for the domains, from the files
// in dir. It makes a new one when there is none, when it is about to expire, and
// when it is for other domains. Otherwise it stays the same, so that clients
// that were told to trust it go on doing so.
func selfSigned(dir string, domains []string, now time.Time) (c2s.Certificate, error) {
	pair := selfSignedPair(dir)
	loaded, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
	switch {
	case err == nil && serves(loaded.Leaf, domains, now):
		return pair, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return pair, fmt.Errorf("the self-signed certificate cannot be used: %w; remove %s and %s to have another made", err, pair.Cert, pair.Key)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return pair, fmt.Errorf("make a place for the certificate: %w", err)
	}
	cert, key, err := makeSelfSigned(domains, now)
	if err != nil {
		return pair, fmt.Errorf("make a certificate: %w", err)
	}
	if err := writePEM(pair.Key, "PRIVATE KEY", key); err != nil {
		return pair, err
	}
	return pair, writePEM(pair.Cert, "CERTIFICATE", cert)
}

// selfSignedPair names the files of the certificate.
func selfSignedPair(dir string) c2s.Certificate {
	return c2s.Certificate{Cert: filepath.Join(dir, "self-signed.crt"), Key: filepath.Join(dir, "self-signed.key")}
}

// serves reports whether a certificate is good for all domains, for some time
// to come.
func serves(leaf *x509.Certificate, domains []string, now time.Time) bool {
	if now.Add(selfSignedRenew).After(leaf.NotAfter) {
		return false
	}
	return !slices.ContainsFunc(domains, func(d string) bool { return leaf.VerifyHostname(asciiDomain(d)) != nil })
}

func makeSelfSigned(domains []string, now time.Time) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	// It is its own authority, says so, and names no purpose: NSS (Pidgin) does not
	// even ask people whether to trust a certificate that signed itself and must
	// not sign, and takes an authority with a purpose for no server.
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: asciiDomain(domains[0]), Organization: []string{"Rollcall, self-signed"}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(selfSignedFor),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, d := range domains {
		template.DNSNames = append(template.DNSNames, asciiDomain(d))
	}
	if cert, err = x509.CreateCertificate(rand.Reader, template, template, private.Public(), private); err != nil {
		return nil, nil, err
	}
	key, err = x509.MarshalPKCS8PrivateKey(private)
	return cert, key, err
}

// writePEM replaces a file at once, so that nobody reads half of it. Only its
// owner can read it.
func writePEM(path, kind string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return writeFile(path, text)
}

// writeFile replaces a file that only its owner may read.
func writeFile(path string, text []byte) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// asciiDomain writes a domain as certificates and DNS have it, with A-labels.
func asciiDomain(d string) string {
	ascii, err := idna.Lookup.ToASCII(d)
	if err != nil {
		return d // an IP address
	}
	return ascii
}
