package sasl

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"strings"
)

// The channel binding types that are offered, by their registered names.
const (
	TLSExporter       = "tls-exporter"         // RFC 9266
	TLSServerEndPoint = "tls-server-end-point" // RFC 5929 §4
)

// plusSuffix marks a mechanism that binds to the channel (RFC 5802 §4).
const plusSuffix = "-PLUS"

// ChannelBinding is what the server knows of a TLS connection that only the
// peer at its other end knows too. A type without data is not offered. A nil
// ChannelBinding has no types.
type ChannelBinding struct {
	Exporter, ServerEndPoint []byte
}

// BindingFor returns the channel binding of a connection on which the server
// showed the certificate. It is nil if there is none: before TLS, and where the
// connection allows neither type.
func BindingFor(state tls.ConnectionState, certificate *tls.Certificate) *ChannelBinding {
	if !state.HandshakeComplete {
		return nil
	}
	var b ChannelBinding
	// RFC 9266 §4.2: TLS 1.2 needs the extended master secret. Go knows whether
	// it was negotiated and refuses to export without.
	if data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32); err == nil {
		b.Exporter = data
	}
	if certificate != nil && len(certificate.Certificate) > 0 {
		b.ServerEndPoint = endPoint(certificate)
	}
	if b.Exporter == nil && b.ServerEndPoint == nil {
		return nil
	}
	return &b
}

// Types lists the types that the client may use, for XEP-0440.
func (b *ChannelBinding) Types() []string {
	var types []string
	for _, name := range []string{TLSExporter, TLSServerEndPoint} {
		if b.data(name) != nil {
			types = append(types, name)
		}
	}
	return types
}

// data returns what both sides must know, or nil for a type that is not offered.
func (b *ChannelBinding) data(name string) []byte {
	switch {
	case b == nil:
		return nil
	case name == TLSExporter && len(b.Exporter) > 0:
		return b.Exporter
	case name == TLSServerEndPoint && len(b.ServerEndPoint) > 0:
		return b.ServerEndPoint
	}
	return nil
}

// endPoint hashes the certificate as RFC 5929 §4.1 says: with the hash of its
// signature, but SHA-256 in place of MD5 and SHA-1. Signatures without one hash
// function, such as Ed25519, leave the type undefined.
func endPoint(c *tls.Certificate) []byte {
	leaf := c.Leaf
	if leaf == nil {
		var err error
		if leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return nil
		}
	}
	var h crypto.Hash
	switch leaf.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256, x509.DSAWithSHA256:
		h = crypto.SHA256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		h = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		h = crypto.SHA512
	default:
		return nil
	}
	d := h.New()
	d.Write(leaf.Raw)
	return d.Sum(nil)
}

// Offer lists the mechanisms to advertise: first the -PLUS forms of those SCRAM
// mechanisms that are in names, if the channel can be bound to, then names.
func Offer(names []string, channel *ChannelBinding) []string {
	var offer []string
	if len(channel.Types()) > 0 {
		for _, name := range names {
			if _, scram := HashOf(name); scram {
				offer = append(offer, name+plusSuffix)
			}
		}
	}
	return append(offer, names...)
}

// offersPlus reports whether a mechanism with channel binding was advertised.
func offersPlus(mechanisms []string) bool {
	for _, name := range mechanisms {
		if strings.HasSuffix(name, plusSuffix) {
			return true
		}
	}
	return false
}
