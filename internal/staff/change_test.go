package staff

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/internal/slapd"
	"rollcall/internal/transcript"
	"rollcall/internal/wire"
	"rollcall/roster"
)

// People who never logged in have accounts: messages wait for them, and others see
// who they are.
func TestBeforeTheFirstLogin(t *testing.T) {
	o := open(t, nil, func(s *slapd.Server) {
		s.AddPerson("bob", map[string][]string{"displayName": {"Bob & Sons"}, "mail": {"bob@x"}})
	}, "ada")
	o.sync()
	ada := o.logIn("ada", transcript.Password, "desk")
	ada.Say("<message to='bob@x' type='chat' id='m1'><body>welcome</body></message>")
	ada.Say("<iq type='get' id='v' to='bob@x'><vCard xmlns='vcard-temp'/></iq>")
	card := ada.Until("</iq>")
	if !strings.Contains(card, "<FN>Bob &amp; Sons</FN>") || !strings.Contains(card, "<USERID>bob@x</USERID>") {
		t.Errorf("the vCard: %s", card)
	}
	bob, _ := o.dial()
	if got := plain(bob, "bob", slapd.Password); got != "" {
		t.Fatal(got)
	}
	bob.Open()
	bob.Bind("desk")
	bob.Say("<presence/>")
	if got := bob.Until("</message>"); !strings.Contains(got, "<body>welcome</body>") {
		t.Errorf("got %s", got)
	}
}

// Groups of the directory are groups of contacts, as soon as it is read.
func TestGroups(t *testing.T) {
	o := open(t, map[string]string{
		"directory.group_base_dn": fmt.Sprintf("%q", slapd.Groups), "directory.group_filter": `"(objectClass=groupOfNames)"`,
	}, func(s *slapd.Server) {
		bob := s.AddPerson("bob", nil)
		carol := s.AddPerson("carol", map[string][]string{"displayName": {"Carol Danvers"}})
		s.AddPerson("dora", map[string][]string{"displayName": {"Dora the New"}})
		s.AddPerson("ada", nil)
		s.AddGroup("Sales & Friends", bob, carol, "uid=ada,"+slapd.People)
	}, "ada")
	o.sync()
	bob, _ := o.dial()
	if got := plain(bob, "bob", slapd.Password); got != "" {
		t.Fatal(got)
	}
	bob.Open()
	bob.Bind("desk")
	bob.Say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
	list := bob.Until("</iq>")
	if strings.Count(list, "<item ") != 1 || !strings.Contains(list, "name='Carol Danvers'") || !strings.Contains(list, "<group>Sales &amp; Friends</group>") {
		t.Errorf("bob's contacts: %s", list) // ada has an account that was made here, and is not the ada of the group
	}
	bob.Say("<presence/>")
	o.logIn("carol", slapd.Password, "desk")
	bob.Until("from='carol@x/desk'")

	group := "cn=Sales & Friends," + slapd.Groups
	o.ldap.Set(group, "member", "uid=bob,"+slapd.People, "uid=dora,"+slapd.People)
	o.sync()
	pushes := bob.Until("Dora the New")
	if !strings.Contains(pushes, "<iq ") || !strings.Contains(pushes, "jid='dora@x'") {
		t.Errorf("pushed: %s", pushes)
	}
	o.ldap.Remove(group)
	o.sync()
	bob.Until("jid='dora@x' subscription='remove'")
}

// A group that the operator made keeps its name.
func TestGroupsOfTheOperator(t *testing.T) {
	o := open(t, map[string]string{
		"directory.group_base_dn": fmt.Sprintf("%q", slapd.Groups), "directory.group_filter": `"(objectClass=groupOfNames)"`,
	}, people("bob"))
	o.ldap.AddGroup("Sales", "uid=bob,"+slapd.People)
	o.ldap.AddGroup("Support", "uid=bob,"+slapd.People)
	if err := o.Groups().Add(t.Context(), roster.Group{Name: "Sales", Mutual: true}); err != nil {
		t.Fatal(err)
	}
	o.sync()
	list, err := o.Groups().List(t.Context())
	if err != nil || len(list) != 2 || list[0].Source != "" || list[1].Name != "Support" || list[1].Source != "ldap" || len(list[1].Members) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// Whoever is in the directory can log in before it is read again.
func TestFirstLogin(t *testing.T) {
	o := open(t, nil, people("bob"), "ada")
	o.sync()
	o.ldap.AddPerson("carol", nil)
	o.logIn("carol", slapd.Password, "desk")
}

// Who is taken out of the directory is logged out by the next reading, and cannot
// log in; who is put back can. A session that waits to be resumed is over, too.
func TestVanish(t *testing.T) {
	o := open(t, map[string]string{"auth.backoff_after": "0"}, people("bob", "carol"), "ada")
	o.sync()
	bob := o.logIn("bob", slapd.Password, "desk")
	carol := o.logIn("carol", slapd.Password, "desk")
	away := o.logIn("bob", slapd.Password, "phone")
	away.Say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	away.Until("/>")
	away.Close()

	o.ldap.Remove("uid=bob," + slapd.People)
	o.fails("bob", slapd.Password, "not-authorized")
	bob.Ping() // nobody has looked yet
	if r := o.sync(); r.Vanished != 1 || len(o.World.Server().Connected("carol@x").Sessions()) != 1 {
		t.Errorf("%+v", r)
	}
	bob.Fails("not-authorized")
	carol.Ping()
	wire.Within(t, "all of bob's sessions are over", func() bool { return o.World.Server().Connected("bob@x") == nil })
	o.fails("bob", slapd.Password, "not-authorized")
	o.ldap.AddPerson("bob", nil)
	o.fails("bob", slapd.Password, "not-authorized") // a new entry: is it the same bob?
	if r := o.sync(); len(r.Strangers) != 1 {
		t.Errorf("%+v", r)
	}
}

// An account that the directory has is not changed here.
func TestNotChangedHere(t *testing.T) {
	o := open(t, map[string]string{"registration.open": "true"}, people("bob"), "ada")
	_, features := o.dial()
	if strings.Contains(features, "iq-register") {
		t.Errorf("anybody can take a name: %s", features)
	}
	c := o.logIn("bob", slapd.Password, "desk")
	for _, query := range []string{"<username>bob</username><password>something new</password>", "<remove/>"} {
		c.Say("<iq type='set' id='r'><query xmlns='jabber:iq:register'>" + query + "</query></iq>")
		got := c.Until("</iq>")
		if !strings.Contains(got, "<not-allowed ") || !strings.Contains(got, "directory") {
			t.Errorf("%s: %s", query, got)
		}
	}
	c.Ping()
	ada := o.logIn("ada", transcript.Password, "desk")
	ada.Say("<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>ada</username><password>something new</password></query></iq>")
	ada.Until("<iq type='result' id='r'")
	o.logIn("ada", "something new", "phone")
	o.logIn("bob", slapd.Password, "phone")
}
