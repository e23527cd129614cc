package ldap

import (
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	lib "github.com/go-ldap/ldap/v3"

	"rollcall/directory"
	"rollcall/xmpp/jid"
)

const (
	maxText  = 255 // bytes of a name and the like; what is longer is cut
	maxEntry = 128 // bytes of what names an entry; what is longer is none
)

// userAttributes are what is read of a person.
func (c *Client) userAttributes() []string {
	a := c.cfg.Attributes
	list := []string{a.Login, a.ID, a.Name, fallbackName, a.Given, a.Family, a.Mail, a.Phone, a.Title, a.Org, a.Unit}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// fallbackName is the attribute with the name of an entry that has no other.
const fallbackName = "cn"

// person makes a person of an entry. It is not ok if the entry has no name that an
// address can be made of.
func (c *Client) person(e *lib.Entry) (p directory.Person, ok bool) {
	a := c.cfg.Attributes
	local, ok := localpart(e, a.Login, c.domain)
	if !ok {
		return p, false
	}
	return directory.Person{
		Local: local, Entry: entryID(e, a.ID),
		Name:  firstText(e, a.Name, fallbackName),
		Given: firstText(e, a.Given), Family: firstText(e, a.Family),
		Mail: firstText(e, a.Mail), Phone: firstText(e, a.Phone),
		Title: firstText(e, a.Title), Org: firstText(e, a.Org), Unit: firstText(e, a.Unit),
	}, true
}

// localpart returns the localpart for an entry's login name, which is that, or the
// whole address. The values of an attribute have no order: of several the one in
// the entry's own name counts, and else the first in the order of bytes.
func localpart(e *lib.Entry, attribute, domain string) (string, bool) {
	var all []string
	for _, v := range e.GetEqualFoldAttributeValues(attribute) {
		if local, ok := loginName(v, domain); ok {
			all = append(all, local)
		}
	}
	if len(all) == 0 {
		return "", false
	}
	for _, v := range ownName(e.DN, attribute) {
		if local, ok := loginName(v, domain); ok && slices.Contains(all, local) {
			return local, true
		}
	}
	return slices.Min(all), true
}

// loginName makes a localpart of a login name.
func loginName(v, domain string) (string, bool) {
	if at := strings.LastIndexByte(v, '@'); at >= 0 {
		if d, err := jid.Domain(v[at+1:]); err != nil || d != domain {
			return "", false
		}
		v = v[:at]
	}
	local, err := jid.Local(v)
	return local, err == nil && local != ""
}

// ownName returns the values of an attribute in the last part of a DN.
func ownName(dn, attribute string) (values []string) {
	d, err := lib.ParseDN(dn)
	if err != nil || len(d.RDNs) == 0 {
		return nil
	}
	for _, a := range d.RDNs[0].Attributes {
		if strings.EqualFold(a.Type, attribute) {
			values = append(values, a.Value)
		}
	}
	return values
}

// entryID returns what names an entry for good: text as it is, bytes in hex.
func entryID(e *lib.Entry, attribute string) string {
	if attribute == "" {
		return ""
	}
	b := e.GetEqualFoldRawAttributeValue(attribute)
	if len(b) > maxEntry {
		return ""
	}
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return hex.EncodeToString(b)
		}
	}
	return string(b)
}

// firstText returns the first of the attributes that says something.
func firstText(e *lib.Entry, attributes ...string) string {
	for _, name := range attributes {
		if name == "" {
			continue
		}
		for _, v := range e.GetEqualFoldAttributeValues(name) {
			if v = clean(v); v != "" {
				return v
			}
		}
	}
	return ""
}

// clean makes one line of text of a value: of what can be printed, without blanks
// around it, and not too long.
func clean(s string) string {
	if !utf8.ValidString(s) {
		return ""
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s[:min(len(s), 4*maxText)])
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return strings.TrimSpace(s)
}

// dnKey returns the same string for DNs that are the same (RFC 4514, RFC 4517
// §4.2.15): as far as case and the order within a part go. ok is false if it is no
// DN.
func dnKey(dn string) (key string, ok bool) {
	d, err := lib.ParseDN(dn)
	if err != nil || len(d.RDNs) == 0 {
		return "", false
	}
	var b strings.Builder
	for _, rdn := range d.RDNs {
		parts := make([]string, 0, len(rdn.Attributes))
		for _, a := range rdn.Attributes {
			value := strings.Join(strings.Fields(strings.ToLower(a.Value)), " ")
			parts = append(parts, lib.EscapeDN(strings.ToLower(a.Type))+"="+lib.EscapeDN(value))
		}
		slices.Sort(parts)
		b.WriteString(strings.Join(parts, "+"))
		b.WriteByte(',')
	}
	return b.String(), true
}
