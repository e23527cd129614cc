package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"rollcall/xmpp/jid"
)

// reachable is a host name or an address, as it is written in URIs.
var reachable = text(`"sip.example.org"`, func(s string) (string, string, string) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && !a.IsUnspecified() {
		if a.Is6() {
			return "[" + a.String() + "]", "", ""
		}
		return s, "", ""
	}
	if a, err := netip.ParseAddr(unbracketed(s)); err == nil && a.Is6() && a.Zone() == "" && !a.IsUnspecified() {
		return s, "", ""
	}
	if host, _, err := net.SplitHostPort(s); err == nil {
		return "", "has a port", "write " + quote(host) + "; the port is the one that is listened at"
	}
	d, err := jid.Domain(s)
	if _, bad := netip.ParseAddr(s); err != nil || bad == nil || unbracketed(s) != s {
		return "", "neither a host name nor an address of this server", `write a name such as "sip.example.org", or an address`
	}
	return d, "", ""
})

func unbracketed(s string) string {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		return s[1 : len(s)-1]
	}
	return s
}

// A place is one address of a list, by its key.
type place struct{ key, address string }

// sipPlaces are all addresses that SIP listens at.
func sipPlaces(c *Config) (out []place) {
	for _, l := range []struct {
		key  string
		list []string
	}{{"sip.listen", c.SIP.Listen}, {"sip.listen_tls", c.SIP.ListenTLS}, {"sip.listen_ws", c.SIP.ListenWS}, {"sip.listen_wss", c.SIP.ListenWSS}} {
		for i, a := range l.list {
			out = append(out, place{fmt.Sprintf("%s[%d]", l.key, i), a})
		}
	}
	return out
}

// SIPAddresses returns all that SIP listens at. Those of its first list take both UDP
// and connections.
func (c *Config) SIPAddresses() (out []string) {
	for _, p := range sipPlaces(c) {
		out = append(out, p.address)
	}
	return out
}

// sipAddressesOnce finds an address that two kinds of connections would want.
func sipAddressesOnce(c *Config) (string, string, string) {
	all := sipPlaces(c)
	for i, p := range all {
		if _, port, _ := net.SplitHostPort(p.address); port == "0" {
			continue
		}
		if n := slices.IndexFunc(all, func(q place) bool { return q.address == p.address }); n < i {
			return p.key, "the same as " + all[n].key, "give one of them another port"
		}
		if slices.Contains(c.C2S.Listen, p.address) || slices.Contains(c.C2S.ListenTLS, p.address) {
			return p.key, "[c2s] listens there", "give one of them another port"
		}
	}
	return "", "", ""
}

// sipIsReached wants phones to be told an address that is one.
func sipIsReached(c *Config) (string, string, string) {
	if c.SIP.Advertise != "" {
		return "", "", ""
	}
	for _, p := range sipPlaces(c) {
		host, _, _ := net.SplitHostPort(p.address)
		if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
			return "sip.advertise", "empty, and " + p.key + " is every address of this machine",
				"write the name or address that phones reach this server by"
		}
	}
	return "", "", ""
}

// sipCertificate wants a certificate for TLS.
func sipCertificate(c *Config) (string, string, string) {
	if len(c.SIP.ListenTLS)+len(c.SIP.ListenWSS) == 0 || len(c.C2S.Certificates) > 0 || c.NeedsSelfSigned() {
		return "", "", ""
	}
	return "tls.certificates", "empty, and SIP listens with TLS", "name a certificate, or leave listen_tls and listen_wss in [sip] empty"
}
