package c2s

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
)

// certificates are those that are shown to clients; they can change while
// streams go on.
type certificates struct {
	all atomic.Pointer[[]*tls.Certificate]
	min uint16
}

// load reads the files. Either all are good or nothing changes.
func (c *certificates) load(cfg Config) error {
	var all []*tls.Certificate
	for _, f := range cfg.Certificates {
		cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
		}
		if cert.Leaf == nil {
			if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
				return fmt.Errorf("certificate %s: %w", f.Cert, err)
			}
		}
		all = append(all, &cert)
	}
	c.min = max(cfg.MinTLSVersion, tls.VersionTLS12)
	c.all.Store(&all)
	return nil
}

func (c *certificates) any() bool { return len(*c.all.Load()) > 0 }

var errNoCertificate = errors.New("no certificate is configured")

// fitting returns the certificates for a name: the one of the TLS handshake, or
// else the domain that the stream was opened to; all if there is none for them.
func (c *certificates) fitting(names ...string) []*tls.Certificate {
	all := *c.all.Load()
	for _, name := range names {
		var found []*tls.Certificate
		for _, cert := range all {
			if name != "" && cert.Leaf.VerifyHostname(name) == nil {
				found = append(found, cert)
			}
		}
		if found != nil {
			return found
		}
	}
	return all
}

// choose returns the certificate to show: where there are several for a name,
// say one with an RSA key and one with an ECDSA key, the first that the client
// can use.
func (c *certificates) choose(h *tls.ClientHelloInfo, domain string) (*tls.Certificate, error) {
	found := c.fitting(h.ServerName, domain)
	if len(found) == 0 {
		return nil, errNoCertificate
	}
	for _, cert := range found {
		if h.SupportsCertificate(cert) == nil {
			return cert, nil
		}
	}
	return found[0], nil
}

// alpn is what a client that starts with TLS asks for (XEP-0368 §3).
const alpn = "xmpp-client"

// renewTLS forgets the TLS sessions that could be resumed. A client that resumes
// one binds to the certificate that it was shown then (RFC 5929 §4), and there
// may be another now.
func (s *Server) renewTLS() {
	s.tls.Store(s.shared(false))
	s.directTLS.Store(s.shared(true))
}

// shared is the configuration of all TLS connections.
func (s *Server) shared(direct bool) *tls.Config {
	cfg := &tls.Config{
		MinVersion: s.certs.min,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := h.Conn.(interface{ owner() *conn }).owner()
			cert, err := s.certs.choose(h, c.domain)
			c.cert = cert
			return cert, err
		},
	}
	if direct {
		cfg.NextProtos = []string{alpn}
	}
	return cfg
}

// owned is a connection that is not a socket, with the conn that it carries.
type owned struct {
	net.Conn
	c *conn
}

func (o owned) owner() *conn { return o.c }

// handshake makes a TLS server of the connection. The certificate shown is
// kept, since channel binding is to it (RFC 5929 §4); a resumed session shows
// none and is bound to the one that was shown then, if it can only be one.
func (c *conn) handshake(direct bool) error {
	cfg := c.s.tls.Load()
	if direct {
		cfg = c.s.directTLS.Load()
	}
	var raw net.Conn = owned{c.raw, c}
	if w, ok := c.raw.(*socket); ok {
		raw = w
	}
	t := tls.Server(raw, cfg)
	if err := t.Handshake(); err != nil {
		return err
	}
	if c.cert == nil {
		if found := c.s.certs.fitting(t.ConnectionState().ServerName, c.domain); len(found) == 1 {
			c.cert = found[0]
		}
	}
	c.tls, c.nc = t, t
	state := t.ConnectionState()
	c.cipher.Store(uint32(state.Version)<<16 | uint32(state.CipherSuite))
	return nil
}

// Certificate chooses what to show where TLS is not ours to begin: SIP has the
// same certificates.
func (s *Server) Certificate(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.certs.choose(h, "")
}
