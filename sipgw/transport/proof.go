package transport

import (
	"crypto/tls"
	"crypto/x509"
)

// Proves reports whether the other end has shown a certificate that is for a name and
// can be trusted: with TLS alone, and over connections that came in only if
// Options.AskCertificate wants it (RFC 5922 §7.3).
func (f Flow) Proves(name string) bool {
	c, ok := f.link.(*conn)
	if !ok {
		return false
	}
	c.mu.Lock()
	shown := c.proven
	c.mu.Unlock()
	return shown != nil && shown.VerifyHostname(name) == nil
}

// met takes note of the certificate that the other end has proven; nil is none.
func (c *conn) met(shown *x509.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proven = shown
}

// serverTLS is how connections that come in are encrypted. Browsers would ask people
// which certificate of theirs to show, so they are not asked.
func (t *Transport) serverTLS(kind Kind) *tls.Config {
	cfg := &tls.Config{MinVersion: t.minTLS, GetCertificate: t.cert}
	if kind == TLS && t.asks != nil && t.asks() {
		cfg.ClientAuth = tls.RequestClientCert
	}
	return cfg
}

// verified returns the certificate of who has connected, if it can be trusted. Phones
// have some of their makers that nobody here knows, so one that cannot is as none.
func (t *Transport) verified(c *tls.Conn) *x509.Certificate {
	shown := c.ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return nil
	}
	o := x509.VerifyOptions{Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if t.trust != nil {
		o.Roots = t.trust.RootCAs
	}
	for _, between := range shown[1:] {
		o.Intermediates.AddCert(between)
	}
	if _, err := shown[0].Verify(o); err != nil {
		return nil
	}
	return shown[0]
}
