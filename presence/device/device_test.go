package device

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rollcall/xmpp/stanza"
)

// RFC 3966 §3, §5.1.1: what is only there to be read does not count.
func TestParseNumber(t *testing.T) {
	for in, want := range map[string]string{
		"+493012345": "+493012345", "tel:+49-30-123.45": "+493012345", "+49 (30) 123/45": "+493012345",
		"2001": "2001", "20 01": "2001", "*21#": "*21#", "0301234": "0301234", "+123456789012345": "+123456789012345",
		"": "", "+": "", "+12": "", "+0301234": "", "alice": "", "+49*30": "", "1234567890123456": "", "+1234567890123456": "",
		"2001;ext=3": "", "++49301": "", "２００１": "", "sip:2001": "",
	} {
		got, err := ParseNumber(in)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

// RFC 7616 §3.4.2: H(user ":" realm ":" secret); the digits were made by md5sum and
// sha256sum.
func TestKey(t *testing.T) {
	const realm = "phones.example.org"
	k, err := NewKey("2001", realm, "correct-horse")
	want := Key{realm, "b750e5f487098fc0f504c116093f18a5", "205d98771e1fa61e798055f87a1df9b2b1703c9a70077b42aaa6c083266c0356"}
	if err != nil || k != want || !k.Set() || (Key{}).Set() {
		t.Errorf("%+v, %v", k, err)
	}
	for secret, words := range map[string]string{
		"short-1": "at least 8", strings.Repeat("x", 129): "at most 128", "with blank": "without blanks", "umläut-secret": "ASCII", "tab\tsecret": "ASCII",
	} {
		if _, err := NewKey("2001", realm, secret); !errors.Is(err, stanza.ErrNotAcceptable) || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func TestNewSecret(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s := NewSecret()
		if len(s) != 23 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567-") != "" || seen[s] {
			t.Fatalf("%q", s)
		}
		if _, err := NewKey("a", "b", s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		seen[s] = true
	}
}

func TestCanonical(t *testing.T) {
	d, faults := canonical(Device{ID: "Door-12", Numbers: []string{"tel:+49-30-1", "2001", "20.01"}}, "phones.x")
	if faults != nil || d.ID != "door-12" || d.JID != "door-12@phones.x" || d.Name != "door-12" || d.Class != Phone || d.User != "door-12" ||
		!slices.Equal(d.Numbers, []string{"+49301", "2001"}) || d.Full().String() != "door-12@phones.x/sip" || !d.Here() {
		t.Errorf("%+v, %v", d, faults)
	}
	hex := strings.Repeat("0123456789abcdef", 2)
	for _, row := range []struct {
		key, words string
		d          Device
	}{
		{"id", "id of a device", Device{ID: ""}},
		{"id", "id of a device", Device{ID: "a b"}},
		{"id", "id of a device", Device{ID: "a@b"}},
		{"id", "id of a device", Device{ID: strings.Repeat("a", 65)}},
		{"name", "more than 255 bytes", Device{ID: "a", Name: strings.Repeat("n", 256)}},
		{"name", "one line", Device{ID: "a", Name: "two\nlines"}},
		{"name", "blanks around", Device{ID: "a", Name: " a"}},
		{"name", "one line", Device{ID: "a", Name: "\xff"}},
		{"site", "one line", Device{ID: "a", Site: "\x01"}},
		{"class", `no class "door"`, Device{ID: "a", Class: "door"}},
		{"user", "cannot be a SIP user", Device{ID: "zoë"}},
		{"user", "cannot be a SIP user", Device{ID: "a", User: "a:b"}},
		{"user", "cannot be a SIP user", Device{ID: "a", User: strings.Repeat("u", 65)}},
		{"upstream", "no PBX", Device{ID: "a", Upstream: "a b"}},
		{"upstream", "no PBX", Device{ID: "a", Upstream: "sip:"}},
		{"upstream", "no PBX", Device{ID: "a", Upstream: "http://x"}},
		{"ha1_md5", "no secret here", Device{ID: "a", Upstream: "pbx", Key: Key{MD5: hex}}},
		{"ha1_md5", "32 lower-case", Device{ID: "a", Key: Key{MD5: strings.ToUpper(hex)}}},
		{"ha1_md5", "32 lower-case", Device{ID: "a", Key: Key{Realm: "x"}}},
		{"ha1_sha256", "64 lower-case", Device{ID: "a", Key: Key{MD5: hex, SHA256: hex}}},
		{"numbers", "is no number", Device{ID: "a", Numbers: []string{"x"}}},
		{"numbers", "at most 10", Device{ID: "a", Numbers: strings.Split("1 2 3 4 5 6 7 8 9 10 11", " ")}},
		{"owner", "not the address", Device{ID: "a", Owner: "x"}},
		{"owner", "not the address", Device{ID: "a", Owner: "Ada@x"}},
		{"owner", "not the address", Device{ID: "a", Owner: "ada@x/desk"}},
	} {
		if _, faults := canonical(row.d, "phones.x"); len(faults) != 1 || faults[0].Key != row.key || !strings.Contains(faults[0].Text, row.words) {
			t.Errorf("%+v: %v; want %s: %s", row.d, faults, row.key, row.words)
		}
	}
	for _, d := range []Device{
		{ID: "zoë", User: "zoe"}, {ID: "a", Upstream: "pbx-1.example.org"}, {ID: "a", Upstream: "sips:pbx.example.org:5061;transport=tls"},
		{ID: "a", User: "+4930.x_y~1", Owner: "ada@x", Key: Key{MD5: hex}}, {ID: "a", Key: Key{MD5: hex, SHA256: hex + hex}},
	} {
		if _, faults := canonical(d, "phones.x"); faults != nil {
			t.Errorf("%+v: %v", d, faults)
		}
	}
}

func TestClasses(t *testing.T) {
	if len(Classes()) != len(labels) || Class("").Valid() {
		t.Error("not all classes are listed")
	}
	for _, c := range Classes() {
		if !c.Valid() || c.Label() == "" {
			t.Errorf("%s is no class", c)
		}
	}
}
