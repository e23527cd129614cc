package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	clients "rollcall/internal/wire"
)

const prosody = "../../internal/portable/testdata/prosody-0.12/"

// imported is what `account import` is told to move Prosody's people here.
func imported(more ...string) []string {
	return append([]string{"account", "import", "--domain", "old.example=localhost"}, more...)
}

func fromProsody(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(prosody + "*@*.xml")
	if err != nil || len(files) != 5 {
		t.Fatalf("%q, %v", files, err)
	}
	return files
}

func prints(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("not printed %q:\n%s", w, out)
		}
	}
}

// Whether a server runs or not, accounts come in and go out in the same way.
func TestAccountsMove(t *testing.T) {
	for _, way := range []string{"without a server", "through the server"} {
		t.Run(way, func(t *testing.T) {
			var c *command
			if way == "without a server" {
				c = newCommand(t, "")
			} else {
				s := serve(t, false)
				defer s.stop()
				c = s.command
			}
			moveThere(t, c)
			moveAway(t, c)
		})
	}
}

func moveThere(t *testing.T, c *command) {
	t.Helper()
	out := c.must("", imported(append([]string{"--dry-run"}, fromProsody(t)...)...)...)
	prints(t, out, "ada@localhost would be added", "nothing was changed; it would be: accounts: 5 added", "22 archived messages", "5 of these accounts have no keys of SCRAM-SHA-512 and SCRAM-SHA-256")
	if list := c.must("", "account", "list"); strings.Contains(list, "@") {
		t.Errorf("a dry run added %q", list)
	}
	out = c.must("", imported(fromProsody(t)...)...)
	prints(t, out, "accounts: 5 added, 0 changed, 0 as they were\n", "added: 5 passwords, 4 contacts, 2 contact requests, 1 vCards, 2 namespaces of private XML, 22 archived messages\n")
	if strings.Contains(out, "scram") || strings.Contains(out, "tea for two") {
		t.Errorf("secrets were printed:\n%s", out)
	}
	out = c.must("", imported("--existing", "merge", prosody+"rest.xml")...)
	prints(t, out, "accounts: 0 added, 3 changed, 0 as they were\n", "added: 1 privacy lists, 4 offline messages\n")
	out = c.must("", imported(fromProsody(t)...)...)
	prints(t, out, "ada@localhost is here already and is left as it is\n", "5 left as they are (--existing merge or replace would change them)")
	out = c.must("", imported(append([]string{"--existing", "merge"}, fromProsody(t)...)...)...)
	prints(t, out, "accounts: 0 added, 0 changed, 5 as they were\n", "here already: 5 passwords, 4 contacts")
	if out, err := c.run("", "doctor"); err == nil || !strings.Contains(out, "5 accounts have no keys of SCRAM-SHA-256") {
		t.Errorf("the doctor says %v,\n%s", err, out)
	}
	audit := c.must("", "audit", "list")
	prints(t, audit, "account.import", "ada@localhost")
	if n := strings.Count(audit, "account.import"); n != 8 {
		t.Errorf("%d imports were noted:\n%s", n, audit)
	}
}

func moveAway(t *testing.T, c *command) {
	t.Helper()
	file := filepath.Join(c.dir, "all.xml")
	prints(t, c.must("", "account", "export", "--output", file), "exported 5 accounts")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; only its owner may read it", info.Mode(), err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	prints(t, string(text), "<user name='zoë'>", "<archive ", "Ada Lovelace", "for later 2", "tea@rooms.example")
	if again := c.must("", "account", "export"); !strings.Contains(again, string(text)) {
		t.Error("standard output is something else")
	}
	some := c.must("", "account", "export", "bob@localhost", "--without", "archive,offline")
	if strings.Count(some, "<user ") != 1 || strings.Contains(some, "<archive") || strings.Contains(some, "<offline") {
		t.Errorf("bob without archive is\n%s", some)
	}
	dir := filepath.Join(c.dir, "each")
	c.must("", "account", "export", "--directory", dir)
	names, err := filepath.Glob(dir + "/*.xml")
	if err != nil || len(names) != 5 || filepath.Base(names[0]) != "ada@localhost.xml" {
		t.Errorf("%q, %v", names, err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	other := newCommand(t, "")
	prints(t, other.must("", append([]string{"account", "import"}, names...)...), "accounts: 5 added", "22 archived messages")
	c.fails("", []string{"account", "export", "nobody@localhost", "--output", filepath.Join(c.dir, "no.xml")}, "there is no account nobody@localhost")
	if left, _ := filepath.Glob(filepath.Join(c.dir, "no.xml*")); len(left) > 0 {
		t.Errorf("an export that failed left %q", left)
	}
	c.fails("", []string{"account", "export", "--without", "shoes"}, "there is no section \"shoes\"")
	c.fails("", []string{"account", "export", "--for", "nobody"}, "--for ejabberd")
	prints(t, c.must("", "audit", "list"), "account.export", "everybody")
}

func TestImportErrors(t *testing.T) {
	c := newCommand(t, "")
	c.fails("", []string{"account", "import"}, "wants files", "rollcall account import accounts.xml")
	c.fails("", imported("--existing", "overwrite", "-"), "skip, merge or replace")
	c.fails("", []string{"account", "import", "--domain", "old", "-"}, "which domain becomes which")
	c.fails("", imported("--without", "shoes", "-"), "there is no \"shoes\"")
	for what, in := range map[string]string{
		"no XML": "<server-data xmlns='urn:xmpp:pie:0'>", "an account": "<user/>",
	} {
		if out, err := c.run(in, imported("-")...); err == nil || !strings.Contains(out, "standard input:1") {
			t.Errorf("%s: %v, %q", what, err, out)
		}
	}
	if out, err := c.run("", imported(filepath.Join(c.dir, "nothing.xml"), prosody+"dave@old.example.xml")...); err == nil || !strings.Contains(out, "no such file") || !strings.Contains(out, "1 added") {
		t.Errorf("one file of two is missing: %v, %q", err, out)
	}
}

// A password in the clear is for every mechanism. One that cannot be used is told,
// but not shown.
func TestImportOfPasswords(t *testing.T) {
	c := newCommand(t, "")
	bad := strings.Repeat("secret", 200)
	out := c.must("<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='x' password='coffee'/><user name='y'/><user name='z' password='"+bad+"'/></host><host jid='elsewhere'><user name='a'/></host></server-data>", "account", "import", "-")
	prints(t, out, "y@localhost: has no password", "rollcall account passwd y@localhost", "z@localhost: the password", "elsewhere is not a domain with accounts here, which is localhost", "--domain elsewhere=localhost", "accounts: 3 added", "added: 1 passwords")
	if strings.Contains(out, "secret") || strings.Contains(out, "coffee") || strings.Contains(out, "have no keys") {
		t.Errorf("printed\n%s", out)
	}
	if !c.accepts("x@localhost", "coffee") {
		t.Error("the password does not work")
	}
}

// Whoever moved here with keys of SCRAM-SHA-1 alone logs in with the password of
// before, by that or by PLAIN.
func TestLoginAfterMoving(t *testing.T) {
	s := serve(t, false)
	defer s.stop()
	s.must("", imported(prosody+"ada@old.example.xml")...)
	c := clients.DialTLS(t, s.direct, &tls.Config{InsecureSkipVerify: true}) // of this test's own server
	c.Say(strings.Replace(clients.Header, "to='x'", "to='localhost'", 1))
	c.Until("</stream:features>")
	c.Say(clients.Plain("ada", "coffee"))
	c.Until("<not-authorized/></failure>")
	c.Say(clients.Plain("ada", "tea for two"))
	c.Until("<success")
}

// Others that can read a file are a reason to say so.
func TestImportOfReadableFiles(t *testing.T) {
	c := newCommand(t, "")
	file := filepath.Join(c.dir, "all.xml")
	if err := os.WriteFile(file, []byte("<server-data xmlns='urn:xmpp:pie:0'/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o600, 0o640, 0o604} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if out := c.must("", "account", "import", file); strings.Contains(out, "others can read") != (mode != 0o600) {
			t.Errorf("mode %o: %q", mode, out)
		}
	}
}

// Clients of an account that is changed by an import are told to come back, and
// then see what there is now. Others are left in peace.
func TestImportOverSessions(t *testing.T) {
	s := serve(t, false)
	defer s.stop()
	for _, name := range []string{"ada", "bob"} {
		s.must("pass\n", "account", "add", name+"@localhost", "--password-stdin")
	}
	login := func(name string) *clients.Client {
		c := clients.DialTLS(t, s.direct, &tls.Config{InsecureSkipVerify: true}) // of this test's own server
		header := strings.Replace(clients.Header, "to='x'", "to='localhost'", 1)
		c.Say(header)
		c.Until("</stream:features>")
		c.Say(clients.Plain(name, "pass"))
		c.Until("<success")
		c.Say(header)
		c.Until("</stream:features>")
		c.Bind("desk")
		c.Say("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq><presence/>")
		return c
	}
	ada, bob := login("ada"), login("bob")
	if got := ada.Until("<presence"); strings.Contains(got, "carol") {
		t.Errorf("ada knows carol before: %s", got)
	}
	bob.Until("<presence")
	out := s.must("", imported("--existing", "merge", prosody+"ada@old.example.xml", prosody+"rest.xml")...)
	prints(t, out, "1 added, 3 changed, 0 as they were") // carol is new
	ada.Until("<reset ")
	ada.Rest()
	bob.Until("<reset ") // of what waits for him
	bob.Rest()
	bob = login("bob")
	got := bob.Until("for later 2")
	if strings.Count(got, "<message") != 3 {
		t.Errorf("bob got %s", got)
	}
	ada = login("ada")
	got = ada.Until("type='subscribe'")
	prints(t, got, "carol@localhost", "dave@localhost")
	// Nothing is new, and nobody is disturbed.
	s.must("", imported("--existing", "merge", prosody+"ada@old.example.xml")...)
	ada.Say("<iq type='get' id='still' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
	ada.Until("id='still'")
}
