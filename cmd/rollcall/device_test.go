package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDeviceCommands(t *testing.T) {
	secret := regexp.MustCompile(`(?m)^Secret +[a-z2-7]{5}(-[a-z2-7]{5}){3}$`)
	for _, server := range []bool{false, true} {
		c := newCommand(t, "")
		if server {
			c.openSocket()
		}
		c.must("x y z\n", "account", "add", "alice@localhost", "--password-stdin")
		c.must("", "group", "add", "staff", "--everybody")
		out := c.must("", "device", "add", "2001", "--name", "Desk Alice", "--class", "phone", "--site", "HQ", "--group", "staff-phones", "--number", "+49 30 1", "--number", "2001")
		for _, words := range []string{"added the device 2001, which is 2001@phones.localhost\n", "made the group staff-phones\n", "rollcall group visible staff-phones --to staff\n", "SIP user    2001\n"} {
			if !strings.Contains(out, words) {
				t.Errorf("no %q in\n%s", words, out)
			}
		}
		if !secret.MatchString(out) {
			t.Errorf("no secret is printed:\n%s", out)
		}
		c.must("", "group", "visible", "staff-phones", "--to", "staff")
		for _, row := range []struct{ in, typed, printed string }{
			{"a-good-secret\n", "device add door-12 --class intercom --group intercoms --visible-to staff --secret-stdin", "added the device door-12, which is door-12@phones.localhost\nmade the group intercoms\n"},
			{"", "device add far --upstream sip:pbx.example.org --critical", "added the device far, which is far@phones.localhost\n"},
			{"", "device assign 2001 alice", "2001 is alice@localhost's\n"},
			{"", "device set 2001 --site= --number 2001 --leave staff-phones --group staff-desks --visible-to staff", "changed the device 2001\nmade the group staff-desks\n"},
			{"another-secret\n", "device secret 2001 --secret-stdin", "changed the secret of 2001\n"},
			{"", "device unassign 2001@phones.localhost", "2001 is not alice@localhost's any more\n"},
			{"", "device set far --owner alice --critical=false --disabled", "changed the device far\n"},
		} {
			if out := c.must(row.in, strings.Fields(row.typed)...); out != row.printed {
				t.Errorf("%s printed %q", row.typed, out)
			}
		}
		if out := c.must("", "device", "secret", "2001"); !secret.MatchString(out) {
			t.Errorf("no secret is printed:\n%s", out)
		}
		c.prints(words("device list"), "DEVICE  NAME  CLASS  SITE  OWNER  NUMBERS  REGISTERS  STATE",
			"2001  Desk Alice  phone  -  -  2001  here  -", "door-12  door-12  intercom", "far  far  phone  -  alice@localhost  -  at sip:pbx.example.org  disabled")
		if out := c.must("", "device", "list", "--owner", "alice", "--no-header"); !strings.HasPrefix(out, "far ") || strings.Count(out, "\n") != 1 {
			t.Errorf("alice has\n%s", out)
		}
		c.prints(words("device show 2001"), "Address  2001@phones.localhost/sip", "Groups  staff-desks", "Seen by the groups  staff")
		c.fails("", words("device add 2001"), "2001 exists already", "rollcall device set --help")
		c.fails("", words("device add 2002 --class house"), "none of the choices", "intercom")
		c.fails("", words("device set none"), "no device none", "rollcall device list")
		c.fails("", words("device add 2002 --group x --visible-to none"), "no group none", "rollcall group list")
		c.fails("", words("device assign 2001 bob"), "no account bob@localhost", "rollcall account list")
		c.fails("", words("device assign 2001"), "type: rollcall device assign 2001 alice")
		c.fails("", words("device remove"), "type: rollcall device remove 2001")
		c.fails("", words("device show"), "type: rollcall device show 2001")
		c.fails("short\n", words("device secret 2001 --secret-stdin"), "at least 8 characters")
		c.fails("\n", words("device secret 2001 --secret-stdin"), "the secret is empty")
		c.fails("", words("device secret 2001 --secret-stdin --secret-prompt"), "secret-prompt")
		c.must("", "device", "remove", "2001", "door-12")
		if list := c.must("", "device", "list", "--no-header"); !strings.HasPrefix(list, "far ") || strings.Count(list, "\n") != 1 {
			t.Errorf("two were removed, and the list is\n%s", list)
		}
		if list := c.must("", "group", "member", "list", "intercoms"); list != "" {
			t.Errorf("a device that was removed is in a group:\n%s", list)
		}
	}
}

// A list goes out and comes in again, through the server and without.
func TestDeviceLists(t *testing.T) {
	for _, server := range []bool{false, true} {
		c := newCommand(t, "")
		if server {
			c.openSocket()
		}
		var text strings.Builder
		for i := range 600 {
			text.WriteString("[[device]]\r\nid = 'd" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "'\r\nsecret = 'a-good-secret'\r\ngroups = ['all']\r\n")
		}
		if out := c.must(text.String(), "device", "import", "-"); !strings.HasPrefix(out, "imported 600 devices, 600 of them new\nmade the group all\n") {
			t.Errorf("printed %q", out)
		}
		list := c.must("", "device", "export")
		if n := strings.Count(list, "[[device]]"); n != 600 || strings.Contains(list, "a-good-secret") {
			t.Errorf("%d devices are exported:\n%.500s", n, list)
		}
		file := filepath.Join(c.dir, "devices.toml")
		if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := c.must("", "device", "import", "--dry-run", file); out != "would import 600 devices, 0 of them new\n" {
			t.Errorf("printed %q", out)
		}
		c.must("", "device", "import", file)
		if again := c.must("", "device", "export"); again != list {
			t.Errorf("it is not what it was:\n%.500s", again)
		}
		c.fails("[[device]]\nid = 1\n[[device]]\nname = 'x'\n", words("device import -"), "2 problems, and nothing was changed\n  line 2: id is a string", "\n  line 3: the device has no id")
		c.fails("", words("device import"), "type: rollcall device import devices.toml")
		c.fails("", words("device import none.toml"), "none.toml")
		c.fails(strings.Repeat("#", 8<<20+1), words("device import -"), "import it in parts")
	}
}
