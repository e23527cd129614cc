package main

import (
	"strings"
	"testing"
)

func TestGroups(t *testing.T) {
	for _, server := range []bool{false, true} {
		c := newCommand(t, "")
		if server {
			c.openSocket()
		}
		c.must("x y z\n", "account", "add", "ada@localhost", "--password-stdin")
		for _, row := range []struct{ typed, printed string }{
			{"group add sales --title Sales", "added the group sales\n"},
			{"group add phones --mutual=false", "added the group phones\n"},
			{"group add all --everybody", "added the group all\n"},
			{"group member add sales Ada@localhost bob@localhost", "2 people joined sales\n"},
			{"group member add sales eve@localhost --name Evelyn", "eve@localhost joined sales\n"},
			{"group member remove sales bob@localhost", "bob@localhost left sales\n"},
			{"group visible phones --to sales", "sales sees the members of phones\n"},
			{"group set all --title All", "changed the group all\n"},
		} {
			if out := c.must("", strings.Fields(row.typed)...); out != row.printed {
				t.Errorf("%s printed %q", row.typed, out)
			}
		}
		if out := c.must("", "group", "member", "list", "sales", "--no-header"); strings.Join(strings.Fields(out), " ") != "ada@localhost - eve@localhost Evelyn" {
			t.Errorf("the members of sales are printed as %q", out)
		}
		list := c.must("", "group", "list")
		for _, words := range []string{"all All everybody seen", "phones phones 0 unseen sales", "sales Sales 2 seen"} {
			if !strings.Contains(strings.Join(strings.Fields(list), " "), words) {
				t.Errorf("the list has no %q: %q", words, list)
			}
		}
		if out := c.must("", "account", "roster", "ada@localhost"); !strings.Contains(strings.Join(strings.Fields(out), " "), "eve@localhost both Evelyn Sales") {
			t.Errorf("with a server %v: what is in a roster by the groups is printed as %q", server, out)
		}
		c.prints([]string{"account", "show", "ada@localhost"}, "Contacts  1")
		c.fails("", []string{"group", "add", "sales"}, "exists already", "rollcall group set")
		c.fails("", []string{"group", "remove", "none"}, "none", "rollcall group list")
		c.fails("", []string{"group", "member", "add", "none", "ada@localhost"}, "none", "rollcall group list")
		c.fails("", []string{"group", "member", "add", "sales"}, "type: rollcall group member add sales ada@example.org")
		c.fails("", []string{"group", "member", "add", "sales", "ada"}, "no name before a domain")
		c.fails("", []string{"group", "visible", "sales"}, "--to staff")
		c.fails("", []string{"group", "visible", "sales", "--to", "none"}, "none", "rollcall group list")
		for _, name := range []string{"sales", "phones", "all"} {
			c.must("", "group", "remove", name)
		}
		if list := c.must("", "group", "list", "--no-header"); list != "" {
			t.Errorf("all groups were removed, and the list is %q", list)
		}
	}
}
