package transport_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/transport"
)

// What a certificate proves: nothing without being asked for, by nobody's authority, or
// for another name; and by WebSocket nobody is asked.
func TestProves(t *testing.T) {
	var roots *x509.CertPool
	authority := newAuthority(t, &roots)
	ours, pbx, stranger := authority("sip.example.org"), authority("pbx.example.org"), selfSigned(t)
	for _, c := range []struct {
		name  string
		asks  bool
		shows *tls.Certificate
		want  string
	}{
		{"a PBX", true, pbx, "pbx.example.org"},
		{"somebody with nothing", true, nil, ""},
		{"somebody whom nobody vouches for", true, stranger, ""},
		{"nobody is asked", false, pbx, ""},
	} {
		o := transport.Options{
			Config:         transport.Config{ListenTLS: []string{"192.0.2.1:5061"}},
			Certificate:    func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return ours, nil },
			Trust:          &tls.Config{RootCAs: roots},
			AskCertificate: func() bool { return c.asks },
		}
		proven := "nothing was heard"
		set := func(b *bed) {
			b.tr.Handle("OPTIONS", func(r *transport.Request) {
				proven = ""
				for _, name := range []string{"example.org", "other.example.org", "pbx.example.org"} {
					if r.Flow().Proves(name) {
						proven += name
					}
				}
				r.Respond(200, "")
			})
		}
		play(t, o, set, func(b *bed) {
			nc, err := b.net.DialFrom(context.Background(), netip.MustParseAddrPort(tcpFrom), netip.MustParseAddrPort("192.0.2.1:5061"))
			if err != nil {
				t.Fatal(err)
			}
			tc := tls.Client(nc, &tls.Config{RootCAs: roots, ServerName: "sip.example.org", GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if c.shows == nil {
					return &tls.Certificate{}, nil
				}
				return c.shows, nil
			}})
			if err := tc.Handshake(); err != nil {
				t.Fatal(err)
			}
			peer := b.reading(tc)
			defer peer.close()
			peer.send(strings.ReplaceAll(strings.Replace(wire(register), "/UDP", "/TLS", 1), "REGISTER", "OPTIONS"))
			got, _ := peer.take()
			b.starts(got, "SIP/2.0 200 OK")
		})
		if proven != c.want {
			t.Errorf("%s proves %q, want %q", c.name, proven, c.want)
		}
	}
	if (transport.Flow{}).Proves("pbx.example.org") {
		t.Error("no flow proves something")
	}
}

// newAuthority makes an authority, and returns what makes certificates of it.
func newAuthority(t *testing.T, roots **x509.CertPool) func(name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(100 * 365 * 24 * time.Hour)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: until, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if root, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	*roots = x509.NewCertPool()
	(*roots).AddCert(root)
	return func(name string) *tls.Certificate {
		its, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, root, its.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: its}
	}
}
