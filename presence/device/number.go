package device

import (
	"strings"

	"rollcall/xmpp/stanza"
)

// ParseNumber returns the canonical form of a telephone number: one of the world
// (RFC 3966 §5.1.4: "+" and up to 15 digits) or one of the house (up to 15 digits,
// * and #). What only makes it easier to read is left out.
func ParseNumber(s string) (string, error) {
	digits := strings.NewReplacer("-", "", ".", "", "(", "", ")", "", " ", "", "/", "").Replace(strings.TrimPrefix(s, "tel:"))
	local, world := strings.CutPrefix(digits, "+")
	allowed, least := "0123456789*#", 1
	if world {
		allowed, least = "0123456789", 3
	}
	if len(local) < least || len(local) > 15 || strings.Trim(local, allowed) != "" || world && local[0] == '0' {
		return "", stanza.Refuse(stanza.ErrNotAcceptable, "%q is no number; write one as +493012345, or 2001 for one of the house", shorten(s))
	}
	return digits, nil
}

// shorten cuts what is said about a value that may be anything.
func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
