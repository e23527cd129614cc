package slapd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates writes an authority, ca.crt, and a certificate of it for this
// machine, server.crt and server.key, and one of nobody's, other.crt.
func certificates(dir string) error {
	ca, caKey, err := sign(template("An authority", true), nil, nil)
	if err != nil {
		return err
	}
	server := template("localhost", false)
	server.DNSNames, server.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf, leafKey, err := sign(server, ca, caKey)
	if err != nil {
		return err
	}
	other, _, err := sign(template("Another authority", true), nil, nil)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"ca.crt": {Type: "CERTIFICATE", Bytes: ca.Raw}, "other.crt": {Type: "CERTIFICATE", Bytes: other.Raw},
		"server.crt": {Type: "CERTIFICATE", Bytes: leaf.Raw}, "server.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Pair returns the files with the server's certificate and its key, which are good
// for any other server on this machine, too.
func (s *Server) Pair() (cert, key string) {
	return filepath.Join(s.dir, "server.crt"), filepath.Join(s.dir, "server.key")
}

// OtherCAFile returns a file with an authority that signed nothing here.
func (s *Server) OtherCAFile() string { return filepath.Join(s.dir, "other.crt") }

func template(name string, isCA bool) *x509.Certificate {
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: isCA,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	if isCA {
		c.KeyUsage = x509.KeyUsageCertSign
	}
	return c
}

// sign makes a key and a certificate for it, signed by an authority or by itself.
func sign(c, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return nil, nil, err
	}
	if ca == nil {
		ca, caKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, ca, key.Public(), caKey)
	if err != nil {
		return nil, nil, err
	}
	signed, err := x509.ParseCertificate(der)
	return signed, key, err
}
