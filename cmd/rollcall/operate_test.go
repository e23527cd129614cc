package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"rollcall/internal/assembly"
)

// said returns what was sent to a client.
func (w *wire) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent.String()
}

// hears waits until a client was sent all of the words: an outbox is written out
// by a goroutine of its own.
func (w *wire) hears(t *testing.T, words ...string) {
	t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		missing := ""
		for _, word := range words {
			if !strings.Contains(w.said(), word) {
				missing = word
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("a client was not told %q but %q", missing, w.said())
		}
	}
}

// prints wants lines in what a command prints, with runs of blanks as one.
func (c *command) prints(args []string, lines ...string) {
	c.t.Helper()
	out := regexp.MustCompile(`  +`).ReplaceAllString(c.must("", args...), "  ")
	for _, l := range lines {
		if !strings.Contains("\n"+out, "\n"+l) {
			c.t.Errorf("%s: no line that begins with %q in\n%s", strings.Join(args, " "), l, out)
		}
	}
}

func words(s string) []string { return strings.Fields(s) }

// people makes accounts through the server.
func (c *command) people(names ...string) {
	c.t.Helper()
	for _, n := range names {
		c.must("secret\n", "account", "add", n+"@localhost", "--password-stdin")
	}
}

func withServer(t *testing.T) (*command, *assembly.Assembly) {
	c := newCommand(t, "server.admins = ['ada@localhost']\nlimits.sessions_per_account = 0\n")
	parts := c.openSocket()
	c.people("ada", "bob", "carol")
	return c, parts
}

func TestDisable(t *testing.T) {
	c, parts := withServer(t)
	bob, ada := c.login(parts, "bob@localhost", "home"), c.login(parts, "ada@localhost", "desk")
	c.prints(words("account disable bob@localhost"), "disabled bob@localhost")
	if bob.cut() != "the account is disabled" || ada.cut() != "" {
		t.Errorf("bob was told %q, ada %q", bob.cut(), ada.cut())
	}
	c.prints(words("account show bob@localhost"), "Account  bob@localhost", "State  disabled", "Last login  20")
	c.prints(words("account list"), "ACCOUNT  CREATED  LAST LOGIN  ONLINE  STATE", "bob@localhost", "carol@localhost")
	if out := c.must("", "account", "list", "--disabled", "--no-header"); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "bob@localhost") {
		t.Errorf("--disabled printed %q", out)
	}
	c.prints(words("account enable bob@localhost"), "enabled bob@localhost")
	c.prints(words("account show bob@localhost"), "State  enabled", "Contacts  0", "Password  kept here")
	c.prints(words("account show ada@localhost"), "State  administrator", "Clients online  desk", "Their addresses  192.0.2.7")
	c.fails("", words("account disable nobody@localhost"), "there is no account nobody@localhost", "rollcall account list")
	c.fails("", words("account disable"), "wants one address", "rollcall account disable ada@example.org")
	c.fails("", words("account enable bob"), "no name before a domain")
	c.fails("", words("account list --disabled --online"), "disabled online")
}

func TestCountsAndRoster(t *testing.T) {
	c, parts := withServer(t)
	c.login(parts, "ada@localhost", "desk")
	c.prints(words("account count"), "accounts  3", "disabled accounts  0", "people online  1", "people online and active  1", "people online and idle  0")
	if out := c.must("", "account", "list", "--online", "--no-header"); out != "ada@localhost\n" {
		t.Errorf("--online printed %q", out)
	}
	if out := c.must("", "account", "roster", "ada@localhost"); out != "" {
		t.Errorf("a roster of nobody printed %q", out)
	}
	c.fails("", words("account roster nobody@localhost"), "there is no account")
}

func TestSessions(t *testing.T) {
	c, parts := withServer(t)
	desk, phone := c.login(parts, "ada@localhost", "desk"), c.login(parts, "ada@localhost", "phone")
	bob := c.login(parts, "bob@localhost", "home")
	row := func(client string) string {
		return client + "  192.0.2.7  " + time.Now().Format("2006-01-02 ")
	}
	c.prints(words("session list"),
		"CLIENT  FROM  SINCE  ENCRYPTION  LOGIN  SILENT FOR  STATE",
		row("ada@localhost/desk"), row("ada@localhost/phone"), row("bob@localhost/home"))
	if out := c.must("", "session", "list", "bob@localhost", "--no-header"); strings.Count(out, "\n") != 1 ||
		!regexp.MustCompile(`^bob@localhost/home +192\.0\.2\.7 +\S+ \S+ +TLS 1\.3 +SCRAM-SHA-256-PLUS +\d+s +available\n$`).MatchString(out) {
		t.Errorf("the sessions of bob: %q", out)
	}
	c.prints(words("session kill ada@localhost/phone"), "ended 1 of the sessions")
	if phone.cut() == "" || desk.cut() != "" || bob.cut() != "" {
		t.Errorf("of one client: phone %q, desk %q, bob %q", phone.cut(), desk.cut(), bob.cut())
	}
	c.must("", "session", "kill", "ada@localhost")
	if desk.cut() == "" || bob.cut() != "" {
		t.Errorf("of an account: desk %q, bob %q", desk.cut(), bob.cut())
	}
	c.prints(words("session kill carol@localhost"), "ended 0 of the sessions")
	c.fails("", words("session kill carol@localhost/x"), "nobody is connected as carol@localhost/x", "rollcall session list carol@localhost")
	c.fails("", words("session kill"), "wants one address")
	c.fails("", words("session kill localhost"), "no name before a domain", "rollcall session kill")
	c.fails("", words("session list a b"), "at most 1")
}

// Lists come in pages; all of them are printed in one.
func TestManySessionsAreAllListed(t *testing.T) {
	c, parts := withServer(t)
	const many = 1203
	for i := range many {
		c.login(parts, "ada@localhost", fmt.Sprintf("r%d", i))
	}
	out := c.must("", "session", "list", "--no-header")
	if n := strings.Count(out, "\n"); n != many {
		t.Errorf("%d of %d sessions are listed", n, many)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(out) {
		seen[words(line)[0]] = true
	}
	if len(seen) != many {
		t.Errorf("%d of %d are different", len(seen), many)
	}
}

func TestAnnounce(t *testing.T) {
	c, parts := withServer(t)
	ada := c.login(parts, "ada@localhost", "desk")
	c.prints([]string{"announce", "Tea <now>"}, "sent to 1 client")
	ada.hears(t, "type='headline' from='localhost' to='ada@localhost/desk'", "<body>Tea &lt;now&gt;</body>")
	if out := c.must("One\r\ntwo\r\n", "announce", "-"); out != "sent to 1 client\n" {
		t.Errorf("announce - printed %q", out)
	}
	ada.hears(t, "<body>One&#xA;two</body>")
	c.fails("", []string{"announce", " "}, "The announcement is missing")
	c.fails("", []string{"announce"}, "wants one text")
	c.fails(strings.Repeat("x", 17<<10), []string{"announce", "-"}, "too long")
}

func TestMotd(t *testing.T) {
	c, parts := withServer(t)
	ada := c.login(parts, "ada@localhost", "desk")
	c.prints(words("motd show"), "there is no message of the day")
	c.prints([]string{"motd", "set", "Cake"}, "set the message of the day and sent it to 1 client")
	ada.hears(t, "<body>Cake</body>")
	c.prints([]string{"motd", "set", "--correct", "Cakes"}, "set the message of the day and sent it to 0 clients")
	c.prints(words("motd show"), "Cakes", "Set  20")
	c.prints(words("motd delete"), "removed the message of the day")
	c.prints(words("motd delete"), "there was no message of the day")
	c.fails("", words("motd set"), "wants one text")
}

func TestShutdown(t *testing.T) {
	c, parts := withServer(t)
	ada := c.login(parts, "ada@localhost", "desk")
	stopping := func() bool {
		select {
		case <-parts.Desk.Stopping():
			return true
		default:
			return false
		}
	}
	c.prints(words("shutdown --in 1h"), "the server stops in 1 hour")
	ada.hears(t, "This server stops in 1 hour.")
	c.prints(words("shutdown --cancel"), "the server goes on")
	ada.hears(t, "This server does not stop after all.")
	c.fails("", words("shutdown --cancel"), "no shutdown was ordered")
	c.fails("", words("shutdown --in 10ms"), "whole seconds")
	c.fails("", words("shutdown --in -5s"), "whole seconds")
	c.fails("", words("shutdown --in 200h"), "within 7 days")
	c.fails("", words("shutdown --cancel --in 5m"), "cancel in")
	if stopping() {
		t.Fatal("the server stops, though nobody wants it to")
	}
	c.prints([]string{"shutdown", "--message", "Bye"}, "the server stops")
	ada.hears(t, "<body>Bye</body>")
	select {
	case <-parts.Desk.Stopping():
	case <-time.After(patience):
		t.Error("the server goes on")
	}
}

// A running program stops when it is told to, and ends as after a signal.
func TestProgramStopsAsOrdered(t *testing.T) {
	s := serve(t, false)
	s.must("", "shutdown")
	s.log.await("stopping, as ordered")
	select {
	case err := <-s.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the server goes on")
	}
	s.cancel()
}

func TestAudit(t *testing.T) {
	c, _ := withServer(t)
	uid := fmt.Sprintf("uid %d", os.Getuid())
	c.must("tea for two\n", "account", "passwd", "bob@localhost", "--password-stdin")
	c.fails("", words("account remove nobody@localhost"), "there is no account")
	c.must("", "announce", "Gossip")
	c.must("", "account", "show", "ada@localhost") // reading is not noted
	out := c.must("", "audit", "list", "--no-header")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	want := []string{"announce", "account.remove", "account.passwd", "account.add", "account.add", "account.add"}
	if len(lines) != len(want) {
		t.Fatalf("%d acts, want %d:\n%s", len(lines), len(want), out)
	}
	for i, w := range want {
		if !strings.Contains(lines[i], "  "+w+" ") || !strings.Contains(lines[i], uid) || !strings.Contains(lines[i], "control socket") {
			t.Errorf("act %d is %q, want %s by %s", i, lines[i], w, uid)
		}
	}
	if !strings.Contains(lines[1], "nobody@localhost") || !strings.HasSuffix(lines[1], "there is no account nobody@localhost") || !strings.HasSuffix(lines[2], "done") {
		t.Errorf("the outcomes are not told:\n%s", out)
	}
	if strings.Contains(out, "tea for two") || strings.Contains(out, "Gossip") || strings.Contains(out, "secret") {
		t.Errorf("what is nobody's business is told:\n%s", out)
	}
	if out := c.must("", "audit", "list", "--limit", "2", "--no-header"); strings.Count(out, "\n") != 2 {
		t.Errorf("--limit 2 printed\n%s", out)
	}
	if out := c.must("", "audit", "list", "--by", "ada@localhost"); out != "" {
		t.Errorf("ada did\n%s", out)
	}
	if out := c.must("", "audit", "list", "--by", uid, "--since", "1h", "--no-header"); strings.Count(out, "\n") != len(want) {
		t.Errorf("%s did within an hour\n%s", uid, out)
	}
	if out := c.must("", "audit", "list", "--since", "2999-01-01"); out != "" {
		t.Errorf("in the future\n%s", out)
	}
	c.fails("", words("audit list --since yesterday"), `"yesterday" is no time`, "rollcall audit list --since 24h")
	c.fails("", words("audit list --limit 0"), "--limit has to be 1 or more")
}

// What needs no server works on the database, and the rest says so.
func TestWithoutServer(t *testing.T) {
	c := newCommand(t, "")
	c.people("ada")
	c.prints(words("account disable ada@localhost"), "disabled ada@localhost")
	c.prints(words("account show ada@localhost"), "State  disabled", "Last login", "Messages that wait  0")
	c.prints(words("account count"), "accounts  1", "disabled accounts  1")
	c.prints(words("account enable ada@localhost"), "enabled ada@localhost")
	c.prints([]string{"motd", "set", "Cake"}, "set the message of the day")
	c.prints(words("motd show"), "Cake")
	c.prints(words("audit list"), "WHEN  WHO  FROM  WHAT  WHOM  WITH  OUTCOME")
	if out := c.must("", "audit", "list"); !strings.Contains(out, "command line") || !strings.Contains(out, "motd.set") {
		t.Errorf("audit printed\n%s", out)
	}
	for _, args := range [][]string{
		words("session list"), words("session kill ada@localhost"), {"announce", "tea"}, words("shutdown --in 5m"),
		words("shutdown --cancel"), words("account list --online"),
	} {
		c.fails("", args, "no server is running", "start it with: rollcall serve")
	}
}

func TestDoctorKnowsAdmins(t *testing.T) {
	c := newCommand(t, "server.admins = ['ada@localhost', 'eve@localhost', 'bob@localhost']\n")
	c.people("ada", "bob")
	c.must("", "account", "disable", "bob@localhost")
	out, _ := c.run("", "doctor")
	for _, want := range []string{"eve@localhost has no account", "bob@localhost is disabled", "rollcall account enable bob@localhost"} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "ada@localhost") {
		t.Errorf("there is nothing to say about ada:\n%s", out)
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.FixedZone("here", 3600))
	for _, row := range []struct{ in, want string }{
		{"90m", "2026-03-31T10:30:00+01:00"},
		{"24h", "2026-03-30T12:00:00+01:00"},
		{"7d", "2026-03-24T12:00:00+01:00"},
		{"0d", "2026-03-31T12:00:00+01:00"},
		{"2026-01-31", "2026-01-31T00:00:00+01:00"},
		{"", ""}, {"d", ""}, {"-1d", ""}, {"-1h", ""}, {"2026-13-01", ""}, {"7 d", ""}, {"999999d", ""},
	} {
		got, err := ago(row.in, now)
		if row.want == "" {
			if err == nil {
				t.Errorf("%q is %v", row.in, got)
			}
		} else if err != nil || got.Format(time.RFC3339) != row.want {
			t.Errorf("%q: %v, %v; want %s", row.in, got, err, row.want)
		}
	}
}
