package config

import (
	"net/url"
	"strings"

	"rollcall/xmpp/jid"
)

// uri is an address at which people are reached, of one of a few kinds.
var uri = text(`"mailto:help@example.org"`, func(s string) (string, string, string) {
	u, err := url.Parse(s)
	if err != nil || strings.ContainsAny(s, " \t\r\n<>\"") {
		return "", "not a URI", "write blanks and the like as %20"
	}
	if u.Scheme == "" {
		return "", "not an address that says of what kind it is", "write " + quote("mailto:"+s) + " or " + quote("xmpp:"+s)
	}
	switch u.Scheme {
	case "mailto":
		if to, err := url.PathUnescape(u.Opaque); err != nil || !strings.Contains(strings.Trim(to, "@"), "@") {
			return "", "not a mail address", `write "mailto:help@example.org"`
		}
	case "xmpp": // RFC 5122 §2.2
		to, err := url.PathUnescape(u.Opaque)
		if _, bad := jid.Parse(to); err != nil || bad != nil {
			return "", "not a chat address", `write "xmpp:help@example.org"`
		}
	case "http", "https":
		if u.Host == "" {
			return "", "an address without a host", `write "https://example.org/help"`
		}
	case "tel": // RFC 3966 §3
		number, _, _ := strings.Cut(u.Opaque, ";")
		if strings.Trim(number, "+0123456789-.()*#") != "" || !strings.ContainsAny(number, "0123456789") {
			return "", "not a telephone number", `write "tel:+44-20-7946-0018"`
		}
	default:
		return "", "none of the kinds of address", "begin it with mailto:, xmpp:, https:, http: or tel:"
	}
	return s, "", ""
})
