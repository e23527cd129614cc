package ldap

import (
	"strings"
	"testing"
	"unicode/utf8"

	lib "github.com/go-ldap/ldap/v3"

	"rollcall/directory"
	"rollcall/xmpp/jid"
)

// A login name is a localpart as it is written, or a whole address that is ours.
func TestLocalpart(t *testing.T) {
	tests := []struct {
		dn     string
		values []string
		want   string // "": none
	}{
		{"uid=ada,dc=x", []string{"ada"}, "ada"},
		{"cn=x", []string{"Ada.Lovelace"}, "ada.lovelace"},
		{"cn=x", []string{"ada@example.org"}, "ada"},
		{"cn=x", []string{"ada@EXAMPLE.org."}, "ada"},
		{"cn=x", []string{"ada@example.com"}, ""},
		{"cn=x", []string{"ada@bob@example.org"}, ""},
		{"cn=x", []string{"@example.org"}, ""},
		{"cn=x", []string{"ada@"}, ""},
		{"cn=x", nil, ""},
		{"cn=x", []string{""}, ""},
		{"cn=x", []string{"a b"}, ""}, // RFC 7622 §3.3
		{"cn=x", []string{"a/b"}, ""}, // §3.3.1
		{"cn=x", []string{"\xff"}, ""},
		{"cn=x", []string{strings.Repeat("a", 1024)}, ""},
		{"cn=x", []string{"ＡＤＡ"}, "ada"},        // full width (RFC 8265 §3.3)
		{"cn=x", []string{"bob", "ada"}, "ada"}, // in the order of bytes
		{"cn=x", []string{"ada", "bob"}, "ada"},
		{"uid=bob,dc=x", []string{"ada", "bob"}, "bob"}, // the entry's own name
		{"UID=Bob+cn=x,dc=x", []string{"ada", "bob"}, "bob"},
		{"uid=carol,dc=x", []string{"bob", "ada"}, "ada"},
		{"not a dn", []string{"bob"}, "bob"},
		{"cn=x", []string{"a b", "bob"}, "bob"},
	}
	for _, tt := range tests {
		e := lib.NewEntry(tt.dn, map[string][]string{"uid": tt.values})
		got, ok := localpart(e, "UID", "example.org")
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %q: %q, %v; want %q", tt.dn, tt.values, got, ok, tt.want)
		}
	}
}

func TestClean(t *testing.T) {
	tests := map[string]string{
		"":                        "",
		" Ada \t Lovelace\r\n":    "Ada Lovelace",
		"a\x00b":                  "a b",
		"\xff\xfe":                "",
		strings.Repeat("é", 1000): strings.Repeat("é", maxText/2),
		strings.Repeat("€", 1000): strings.Repeat("€", maxText/3),
		strings.Repeat("x", 5000): strings.Repeat("x", maxText),
	}
	for in, want := range tests {
		if got := clean(in); got != want {
			t.Errorf("%.20q: %.20q (%d bytes), want %.20q", in, got, len(got), want)
		}
	}
}

func TestDNKey(t *testing.T) {
	same := [][]string{
		{"uid=ada,ou=people,dc=x", "UID=Ada, OU=People ,DC=X", "uid=\\61da,ou=people,dc=x"},
		{"cn=a+uid=b,dc=x", "uid=B+CN=a,dc=x"},
		{"cn=Smith\\, John,dc=x", "CN=smith\\2C john,DC=x"},
		{"cn=a  b,dc=x", "cn=a b,dc=x"},
	}
	seen := map[string]int{}
	for i, list := range same {
		first, _ := dnKey(list[0])
		for _, dn := range list {
			if key, ok := dnKey(dn); !ok || key != first {
				t.Errorf("%s: %q, %v; want %q", dn, key, ok, first)
			}
		}
		if other, twice := seen[first]; twice {
			t.Errorf("%s is the same as %s", list[0], same[other][0])
		}
		seen[first] = i
	}
	for _, none := range []string{"", "ada", "=x", "uid=ada,,dc=x"} {
		if key, ok := dnKey(none); ok {
			t.Errorf("%q is a DN: %q", none, key)
		}
	}
}

func TestEntryID(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "7c0b5a0e-6d7e-103f": "7c0b5a0e-6d7e-103f", "\x00\xff": "00ff", "a b": "612062", strings.Repeat("x", 200): "",
	} {
		e := lib.NewEntry("cn=x", map[string][]string{"objectGUID": {value}})
		if got := entryID(e, "objectguid"); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// Active Directory tells only a part of a large group, which is no group.
func TestPartOfAGroup(t *testing.T) {
	c := &Client{cfg: Config{Attributes: Attributes{Member: "member", GroupTitle: "cn"}}, domain: "example.org"}
	e := lib.NewEntry("cn=g,dc=x", map[string][]string{"cn": {"g"}, "member": {}, "member;Range=0-1499": {"uid=ada,dc=x"}})
	if _, err := c.listed(e, c.gather(nil)); err == nil || !strings.Contains(err.Error(), "group_member_filter") {
		t.Errorf("got %v", err)
	}
}

func TestCheckFilter(t *testing.T) {
	for filter, ok := range map[string]bool{
		"(uid={name})": true, "(&(a=b)(uid={name}))": true, "(mail={name}@example.org)": true, "(uid={name}": false,
		"uid={name}": false, "": false, "(uid={nme})": false, "(uid={name}{x})": false,
	} {
		if err := CheckFilter(filter, NamePlaceholder); (err == nil) != ok {
			t.Errorf("%s: %v", filter, err)
		}
	}
}

// FuzzPerson: whatever is in an entry, what is made of it is an address that can
// be, and text that can be shown.
func FuzzPerson(f *testing.F) {
	f.Add("uid=ada,dc=x", "ada", "Ada", []byte("id"))
	f.Add("uid=a\\,b+cn=c,dc=x", "ada@example.org", "\x00\xff", []byte{0})
	f.Add("", "a b", strings.Repeat("é", 600), []byte(nil))
	f.Fuzz(func(t *testing.T, dn, login, name string, id []byte) {
		c := &Client{cfg: Config{Attributes: Attributes{Login: "uid", ID: "id", Name: "name", Mail: "name", Member: "member", GroupTitle: "name"}}, domain: "example.org"}
		e := lib.NewEntry(dn, map[string][]string{"uid": {login}, "name": {name}, "id": {string(id)}, "member": {dn, login, name}})
		p, ok := c.person(e)
		if !ok {
			if p != (directory.Person{}) {
				t.Fatalf("nobody is %+v", p)
			}
			return
		}
		if local, err := jid.Local(p.Local); err != nil || local != p.Local {
			t.Fatalf("%q became %q: %v", login, p.Local, err)
		}
		for _, s := range []string{p.Name, p.Mail, p.Entry} {
			if !utf8.ValidString(s) || len(s) > maxText || strings.ContainsAny(s, "\x00\n") {
				t.Fatalf("%q", s)
			}
		}
		all := c.gather([]*lib.Entry{e, e})
		if len(all.list()) != 0 || !all.doubtful[p.Local] {
			t.Fatalf("two are one: %+v", all)
		}
		all = c.gather([]*lib.Entry{e})
		list, err := c.listed(e, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.members(list) {
			if m.JID != jid.Bare(p.Local+"@example.org") {
				t.Fatalf("the member %+v", m)
			}
		}
	})
}

// FuzzFilter: a name has no meaning in a filter, whatever it is.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"ada", "*", "a)(b=*", "\\", "\x00", "é", "(", "\\2a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 1023 {
			return // no localpart is longer, and what makes filters is slow
		}
		text := strings.ReplaceAll("(&(objectClass=inetOrgPerson)(uid={name}))", NamePlaceholder, lib.EscapeFilter(name))
		packet, err := lib.CompileFilter(text)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		// And, of two comparisons for equality; the second is with the name.
		if packet.Tag != lib.FilterAnd || len(packet.Children) != 2 || packet.Children[1].Tag != lib.FilterEqualityMatch {
			t.Fatalf("%q has another meaning: %s", name, text)
		}
		if got := packet.Children[1].Children[1].Data.String(); got != name {
			t.Fatalf("%q became %q", name, got)
		}
	})
}
