package address

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"

	"rollcall/xmpp/jid"
)

// ErrSecure is for a sips address, which demands TLS on every hop. XMPP cannot
// promise that, so it must not be translated (RFC 7247 §8).
var ErrSecure = errors.New("address: XMPP cannot promise what sips demands")

// Mapper translates addresses. The zero value leaves domains as they are.
type Mapper struct {
	// Hosts says which XMPP domain a SIP host is, by both names in lower case; the
	// way back is Domains. Others are the same on both sides.
	Hosts   map[string]string
	Domains map[string]string

	Numbers Plan

	// Secure lets sips addresses through: by agreement every hop has TLS.
	Secure bool
}

// JID returns the XMPP address of a SIP address (RFC 7247 §6.4). What has a gr
// parameter is a full address.
func (m *Mapper) JID(u URI) (jid.JID, error) {
	if u.Scheme == "sips" && !m.Secure {
		return jid.JID{}, ErrSecure
	}
	if phone, _ := u.Param("user"); m.Numbers.Domain != "" && (u.Scheme == "tel" || phone == "phone") {
		number := m.Numbers.tel(u)
		if number == "" {
			return jid.JID{}, ErrURI
		}
		return jid.Parse(number + "@" + m.Numbers.Domain)
	}
	if u.Host == "" {
		return jid.JID{}, ErrURI
	}
	host := u.Host
	if to, ok := m.Hosts[host]; ok {
		host = to
	}
	s := host
	if u.User != "" {
		// XEP-0106 §3: no escaped space at either end.
		if u.User[0] == ' ' || u.User[len(u.User)-1] == ' ' {
			return jid.JID{}, ErrURI
		}
		s = Escape(u.User) + "@" + host
	}
	if gr, ok := u.Param("gr"); ok && gr != "" { // one without a value is temporary
		s += "/" + gr
	}
	return jid.Parse(s)
}

// Parse is JID for an address as it is written.
func (m *Mapper) Parse(s string) (jid.JID, error) {
	u, err := ParseURI(s)
	if err != nil {
		return jid.JID{}, err
	}
	return m.JID(u)
}

// URI returns the SIP address of an XMPP address (RFC 7247 §6.5): tel for a global
// number of the plan, else sip; a resource becomes a gr parameter.
func (m *Mapper) URI(j jid.JID) (string, error) {
	domain, local := j.Domain(), Unescape(j.Local())
	if domain == m.Numbers.Domain && strings.HasPrefix(local, "+") && digits(local) == local && !j.IsFull() {
		return "tel:" + local, nil
	}
	host, ok := m.Domains[domain]
	if !ok {
		host = domain
	}
	host, err := ascii(host)
	if err != nil {
		return "", err
	}
	b := make([]byte, 0, len("sip:")+len(local)+len(host)+len(j.Resource())+8)
	b = append(b, "sip:"...)
	if local != "" {
		b = append(appendEscaped(b, local, inUser), '@')
	}
	b = append(b, host...)
	if j.IsFull() {
		b = appendEscaped(append(b, ";gr="...), j.Resource(), inParam)
	}
	return string(b), nil
}

// ascii returns a domain as SIP has it: A-labels.
func ascii(domain string) (string, error) {
	if strings.HasPrefix(domain, "[") {
		return domain, nil
	}
	for i := range len(domain) {
		if domain[i] >= 0x80 {
			a, err := idna.Lookup.ToASCII(domain)
			if err != nil {
				return "", ErrURI
			}
			return a, nil
		}
	}
	return domain, nil
}
