package device

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const (
	maxID       = 64  // bytes
	maxText     = 255 // bytes of a name, or of a site
	maxUser     = 64  // bytes
	maxUpstream = 255 // bytes
	maxNumbers  = 10  // of one device
)

// Fault is one thing that is wrong with one device.
type Fault struct {
	ID   string
	Key  string // which value it is, by its name in a list: "numbers"; or ""
	Text string // in words for people
}

// Faults are all things that are wrong with a change. They are an error.
type Faults []Fault

// Error says all of it in one line.
func (f Faults) Error() string {
	texts := make([]string, len(f))
	for i := range f {
		texts[i] = f[i].Text
	}
	return strings.Join(texts, "; ")
}

// Unwrap makes it a stanza error.
func (f Faults) Unwrap() error { return stanza.Refuse(stanza.ErrNotAcceptable, "%s", f.Error()) }

// finder gathers what is wrong with one device.
type finder struct {
	id    string
	found Faults
}

func (f *finder) wrong(key, format string, args ...any) {
	f.found = append(f.found, Fault{ID: f.id, Key: key, Text: fmt.Sprintf(format, args...)})
}

// ID returns the canonical form of a device's id, which is what stands before the
// @ of an address.
func ID(s string) (string, error) {
	id, err := jid.Local(s)
	if err != nil || id == "" || len(id) > maxID {
		return "", stanza.Refuse(stanza.ErrNotAcceptable, "%q cannot be the id of a device: it stands before the @ of its address, and has at most %d bytes", shorten(s), maxID)
	}
	return id, nil
}

// canonical returns a device at a domain as it is kept, and what is wrong with it.
// What is left out and can be told from the rest is filled in.
func canonical(d Device, domain string) (Device, Faults) {
	f := &finder{id: d.ID}
	id, err := ID(d.ID)
	if err != nil {
		f.wrong("id", "%v", text(err))
		return d, f.found
	}
	d.ID, f.id = id, id
	d.JID = jid.Bare(id + "@" + domain)
	d.Name, d.Class, d.User = cmp.Or(d.Name, id), cmp.Or(d.Class, Phone), cmp.Or(d.User, id)
	f.texts(&d)
	f.sip(&d)
	f.numbers(&d)
	if who, err := jid.Parse(string(d.Owner)); d.Owner != "" && (err != nil || !who.IsBare() || who.Local() == "" || who.Bare() != d.Owner) {
		f.wrong("owner", "%q is not the address of an account", shorten(string(d.Owner)))
	}
	return d, f.found
}

// texts looks at what people read.
func (f *finder) texts(d *Device) {
	line := func(key, what, s string) {
		switch {
		case len(s) > maxText:
			f.wrong(key, "the %s of %s has more than %d bytes", what, d.ID, maxText)
		case !printable(s):
			f.wrong(key, "the %s of %s is not what can be printed on one line, with no blanks around it", what, d.ID)
		}
	}
	line("name", "name", d.Name)
	line("site", "site", d.Site)
	if !d.Class.Valid() {
		f.wrong("class", "there is no class %q; there are %v", shorten(string(d.Class)), Classes())
	}
}

// sip looks at what it says by SIP.
func (f *finder) sip(d *Device) {
	if !user(d.User) {
		f.wrong("user", "%q cannot be a SIP user: it is of letters, digits and any of %s, at most %d", shorten(d.User), userSigns, maxUser)
	}
	if d.Upstream != "" && !upstream(d.Upstream) {
		f.wrong("upstream", "%q is no PBX: write a name of letters, digits, dots and hyphens, or a SIP URI", shorten(d.Upstream))
	}
	switch k := d.Key; {
	case k == Key{}:
	case !d.Here():
		f.wrong("ha1_md5", "%s registers at %s, and has no secret here", d.ID, d.Upstream)
	case !hexadecimal(k.MD5, 32):
		f.wrong("ha1_md5", "the MD5 of the secret of %s is not of 32 lower-case hexadecimal digits", d.ID)
	case k.SHA256 != "" && !hexadecimal(k.SHA256, 64):
		f.wrong("ha1_sha256", "the SHA-256 of the secret of %s is not of 64 lower-case hexadecimal digits", d.ID)
	}
}

// numbers looks at the numbers, and makes them canonical.
func (f *finder) numbers(d *Device) {
	if len(d.Numbers) > maxNumbers {
		f.wrong("numbers", "%s has %d numbers, and a device has at most %d", d.ID, len(d.Numbers), maxNumbers)
		return
	}
	var all []string
	for _, s := range d.Numbers {
		n, err := ParseNumber(s)
		switch {
		case err != nil:
			f.wrong("numbers", "%s", text(err))
		case !slices.Contains(all, n):
			all = append(all, n)
		}
	}
	d.Numbers = all
}

// userSigns are those of RFC 3261 §25.1 (mark, user-unreserved) that are not
// trouble in an address, in digest, or for those who type them.
const userSigns = "-_.!~*+"

func user(s string) bool {
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(userSigns, r))
	}
	return s != "" && len(s) <= maxUser && !strings.ContainsFunc(s, odd)
}

func upstream(s string) bool {
	if len(s) > maxUpstream {
		return false
	}
	for _, scheme := range []string{"sip:", "sips:"} {
		if rest, is := strings.CutPrefix(s, scheme); is {
			return rest != "" && !strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>"`, r) })
		}
	}
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.' || r == '_')
	}
	return !strings.ContainsFunc(s, odd)
}

// printable wants one line of text.
func printable(s string) bool {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	return strings.IndexFunc(s, odd) < 0 && strings.TrimSpace(s) == s
}

// text is what an error says to people.
func text(err error) string {
	if refusal, known := stanza.AsError(err); known && refusal.Text != "" {
		return refusal.Text
	}
	return err.Error()
}
