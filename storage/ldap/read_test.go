package ldap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/directory"
	"rollcall/internal/slapd"
	"rollcall/storage/ldap"
)

func read(t *testing.T, c *ldap.Client) *directory.Snapshot {
	t.Helper()
	found, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// More people than the directory gives at once are read page by page (RFC 2696).
func TestPages(t *testing.T) {
	s := slapd.Start(t)
	const many = 130 // the service may have 50 at a time
	for i := range many {
		s.AddPerson(fmt.Sprintf("p%03d", i), nil)
	}
	for _, size := range []int{1, 50, 7, 13} {
		cfg := usual(s)
		cfg.PageSize = size
		found := read(t, open(t, cfg))
		if len(found.People) != many || found.People[0].Local != "p000" || found.People[many-1].Local != "p129" {
			t.Errorf("pages of %d: %d people", size, len(found.People))
		}
	}
	cfg := usual(s)
	cfg.PageSize = 500
	if found, err := open(t, cfg).Read(t.Context()); err == nil && len(found.People) != many {
		t.Errorf("a part was taken for the whole: %d people", len(found.People))
	}
}

// What entries become, and what is left out.
func TestPeople(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", map[string][]string{
		"cn": {"ada in full"}, "displayName": {"Ada Lovelace"}, "givenName": {"Ada"}, "sn": {"Lovelace"}, "mail": {"ada@example.org"},
		"telephoneNumber": {"+44 20 1"}, "title": {"Countess"}, "o": {"Analytical Engines"}, "ou": {"Programs"},
	})
	s.AddPerson("BOB", map[string][]string{"cn": {"Bob in full"}})
	s.AddPerson("o'neill", nil) // no localpart has this quote (RFC 7622 §3.3.1)
	s.AddPerson("with blank", nil)
	s.AddPerson("bot", map[string][]string{"objectClass": {"account", "simpleSecurityObject"}, "cn": nil, "sn": nil})
	s.AddPerson("eve@example.org", nil)
	s.AddPerson("mallory@elsewhere.example", nil)
	cfg := usual(s)
	found := read(t, open(t, cfg))
	want := []directory.Person{
		{
			Local: "ada", Name: "Ada Lovelace", Given: "Ada", Family: "Lovelace", Mail: "ada@example.org",
			Phone: "+44 20 1", Title: "Countess", Org: "Analytical Engines", Unit: "Programs",
		},
		{Local: "bob", Name: "Bob in full", Family: "BOB"},
		{Local: "eve", Name: "eve@example.org", Family: "eve@example.org"},
	}
	if diff := cmp.Diff(want, found.People, cmpopts.IgnoreFields(directory.Person{}, "Entry")); diff != "" {
		t.Error(diff)
	}
	if found.Unnamed != 3 || len(found.Groups) != 0 {
		t.Errorf("%d without a name, %d groups", found.Unnamed, len(found.Groups))
	}
	// An entry keeps what names it when its name changes.
	before := found.People[0].Entry
	s.Set("uid=ada,"+slapd.People, "displayName", "Ada King")
	if p := read(t, open(t, cfg)).People[0]; p.Entry != before || p.Entry == "" || p.Name != "Ada King" {
		t.Errorf("%+v, was %s", p, before)
	}
}

// A name that two entries have is nobody's, and is said to be.
func TestDoubtful(t *testing.T) {
	s := slapd.Start(t)
	ada := s.AddPerson("ada", nil)
	s.AddPerson("bob", nil)
	other := "uid=ada," + slapd.Groups
	s.Add(other, map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {"ada"}, "cn": {"x"}, "sn": {"x"}})
	s.AddGroup("All", ada, other)
	cfg := usual(s)
	cfg.BaseDN, cfg.GroupFilter = slapd.Suffix, "(objectClass=groupOfNames)"
	found := read(t, open(t, cfg))
	if len(found.People) != 1 || found.People[0].Local != "bob" || len(found.Doubtful) != 1 || found.Doubtful[0] != "ada" {
		t.Errorf("%+v", found)
	}
	if len(found.Groups) != 1 || len(found.Groups[0].Members) != 0 {
		t.Errorf("groups: %+v", found.Groups)
	}
}

// Groups name their people by DN or by login name; or the people are asked.
func TestGroups(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", map[string][]string{"displayName": {"Ada Lovelace"}})
	bob := s.AddPerson("bob", nil)
	s.AddPerson("carol", nil)
	// DNs are the same however they are written (RFC 4514).
	s.AddGroup("Sales", "UID=Ada , OU=People,DC=example,dc=ORG", bob, slapd.Service, "uid=gone,"+slapd.People)
	s.AddGroup("Empty", slapd.Service)
	s.Add("cn=unix,"+slapd.Groups, map[string][]string{
		"objectClass": {"posixGroup"}, "cn": {"unix"}, "gidNumber": {"100"}, "memberUid": {"carol", "Ada", "ada", "nobody", "x y"},
	})
	member := func(name, shown string) directory.Member {
		return directory.Member{JID: "", Name: shown + "|" + name}
	}
	tests := []struct {
		name   string
		change func(*ldap.Config)
		want   map[string][]directory.Member
	}{
		{"none", func(*ldap.Config) {}, nil},
		{
			"by DN", func(c *ldap.Config) { c.GroupFilter = "(objectClass=groupOfNames)" },
			map[string][]directory.Member{"Sales": {member("ada", "Ada Lovelace"), member("bob", "bob")}, "Empty": {}},
		},
		{
			"by login name", func(c *ldap.Config) { c.GroupFilter, c.Attributes.Member = "(objectClass=posixGroup)", "memberUid" },
			map[string][]directory.Member{"unix": {member("ada", "Ada Lovelace"), member("carol", "carol")}},
		},
		{
			"some of them", func(c *ldap.Config) {
				c.GroupFilter, c.Groups = "(objectClass=groupOfNames)", []string{"sales", "Marketing"}
			},
			map[string][]directory.Member{"Sales": {member("ada", "Ada Lovelace"), member("bob", "bob")}},
		},
		{
			"by asking the people", func(c *ldap.Config) {
				c.GroupFilter, c.GroupMemberFilter = "(objectClass=groupOfNames)", "(memberOf={group})"
			},
			map[string][]directory.Member{"Sales": {member("ada", "Ada Lovelace"), member("bob", "bob")}, "Empty": {}},
		},
	}
	for _, tt := range tests {
		cfg := usual(s)
		cfg.GroupBaseDN = slapd.Suffix
		tt.change(&cfg)
		found := read(t, open(t, cfg))
		got := map[string][]directory.Member{}
		for _, g := range found.Groups {
			list := []directory.Member{}
			for _, m := range g.Members {
				if m.JID.Domain() != "example.org" {
					t.Errorf("%s: %s is elsewhere", tt.name, m.JID)
				}
				list = append(list, member(m.JID.Local(), m.Name))
			}
			if got[g.Title] != nil || g.ID == "" {
				t.Errorf("%s: the group %+v", tt.name, g)
			}
			got[g.Title] = list
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

// The recipe for Active Directory, as far as OpenLDAP can play it.
func TestActiveDirectory(t *testing.T) {
	s := slapd.Start(t)
	user := func(class, name, control string, id string) {
		s.Add("cn="+name+","+slapd.People, map[string][]string{
			"objectClass": {class}, "cn": {name + " in full"}, "sn": {name}, "sAMAccountName": {strings.ToUpper(name)},
			"userAccountControl": {control}, "objectGUID": {id}, "company": {"Example"}, "department": {"Sales"},
			"userPassword": {slapd.Password},
		})
	}
	user("user", "ada", "512", "\x00\x01\x02\xff")
	user("user", "bob", "514", "b") // ACCOUNTDISABLE
	user("user", "carol", "66048", "c")
	user("computer", "desk", "4096", "d")
	s.AddGroup("Sales", "cn=ada,"+slapd.People, "cn=bob,"+slapd.People)
	cfg := usual(s)
	cfg.UserFilter = "(&(objectClass=user)(!(objectClass=computer))(sAMAccountName={name})(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
	cfg.Attributes.Login, cfg.Attributes.ID = "sAMAccountName", "objectGUID"
	cfg.Attributes.Org, cfg.Attributes.Unit = "company", "department"
	cfg.GroupBaseDN, cfg.GroupFilter, cfg.GroupMemberFilter = slapd.Groups, "(objectClass=groupOfNames)", "(memberOf={group})"
	c := open(t, cfg)
	found := read(t, c)
	want := []directory.Person{
		{Local: "ada", Entry: "000102ff", Name: "ada in full", Family: "ada", Org: "Example", Unit: "Sales"},
		{Local: "carol", Entry: "c", Name: "carol in full", Family: "carol", Org: "Example", Unit: "Sales"},
	}
	if diff := cmp.Diff(want, found.People); diff != "" {
		t.Error(diff)
	}
	if len(found.Groups) != 1 || len(found.Groups[0].Members) != 1 || found.Groups[0].Members[0].JID != "ada@example.org" {
		t.Errorf("groups: %+v", found.Groups)
	}
	for name, right := range map[string]bool{"ada": true, "bob": false, "carol": true, "desk": false} {
		if _, err := c.Check(t.Context(), name, slapd.Password); (err == nil) != right {
			t.Errorf("%s: %v", name, err)
		}
	}
}
