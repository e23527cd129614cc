package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollcall/internal/operator"
)

func TestAccountsWithoutServer(t *testing.T) {
	c := newCommand(t, "")
	if out := c.must("tea for two\n", "account", "add", "Ada@localhost", "--password-stdin"); out != "added ada@localhost\n" {
		t.Errorf("add printed %q", out)
	}
	c.fails("x\n", []string{"account", "add", "ada@localhost", "--password-stdin"}, "exists already", "rollcall account passwd ada@localhost")
	generated := c.must("", "account", "add", "bob@localhost", "--generate")
	if !regexp.MustCompile(`^bob@localhost [a-z2-7]{4}(-[a-z2-7]{4}){3}\n$`).MatchString(generated) {
		t.Errorf("--generate printed %q", generated)
	}
	list := c.must("", "account", "list")
	if lines := strings.Split(strings.TrimSpace(list), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "ACCOUNT ") || !strings.HasPrefix(lines[1], "ada@localhost") || !strings.HasPrefix(lines[2], "bob@localhost") {
		t.Errorf("list printed %q", list)
	}
	if !c.accepts("ada@localhost", "tea for two") || c.accepts("ada@localhost", "coffee") {
		t.Error("the password that was set is not the one that is accepted")
	}
	if out := c.must("coffee\r\n", "account", "passwd", "ada@localhost", "--password-stdin"); out != "changed the password of ada@localhost\n" {
		t.Errorf("passwd printed %q", out)
	}
	if !c.accepts("ada@localhost", "coffee") || c.accepts("ada@localhost", "tea for two") {
		t.Error("the password was not changed")
	}
	if out := c.must("", "account", "remove", "bob@localhost"); out != "removed bob@localhost\n" {
		t.Errorf("remove printed %q", out)
	}
	if list := c.must("", "account", "list"); strings.Contains(list, "bob") {
		t.Errorf("bob was removed, and is listed: %q", list)
	}
	for _, path := range []string{"data", "data/rollcall.db"} {
		info, err := os.Stat(filepath.Join(c.dir, path))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v; others must not read it", path, info.Mode(), err)
		}
	}
}

// accepts reports whether a password is an account's.
func (c *command) accepts(who, password string) bool {
	c.t.Helper()
	ctx := context.Background()
	db, err := openDatabase(ctx, c.load())
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	d := &demo{accounts: db.Accounts()}
	ok, err := d.valid(ctx, mustPerson(c.t, who), password)
	if err != nil {
		c.t.Fatal(err)
	}
	return ok
}

func TestAccountErrorsSayWhatToType(t *testing.T) {
	c := newCommand(t, "server.domains = ['localhost', { name = 'guest.localhost', anonymous = true }]\n")
	c.fails("", []string{"account", "add"}, "wants one address", "type: rollcall account add ada@example.org")
	c.fails("", []string{"account", "add", "a@b", "secret"}, "wants one address")
	c.fails("", []string{"account", "add", "ada"}, "no name before a domain", "rollcall account add ada@localhost")
	c.fails("", []string{"account", "add", "ada@localhost/desk"}, "names one client", "type: rollcall account add ada@localhost")
	c.fails("", []string{"account", "add", "a b@localhost"}, "is no address")
	c.fails("x\n", []string{"account", "add", "ada@elsewhere", "--password-stdin"}, "not at a domain with accounts", "localhost")
	c.fails("x\n", []string{"account", "add", "ada@guest.localhost", "--password-stdin"}, "not at a domain with accounts")
	c.fails("\n", []string{"account", "add", "ada@localhost", "--password-stdin"}, "the password is empty", "--generate")
	c.fails(strings.Repeat("x", 1024)+"\n", []string{"account", "add", "ada@localhost", "--password-stdin"}, "longer than 1023")
	c.fails("a\x00b\n", []string{"account", "add", "ada@localhost", "--password-stdin"}, "choose another")
	c.fails("", []string{"account", "add", "ada@localhost", "--generate", "--password-stdin"}, "generate")
	c.fails("", []string{"account", "add", "ada@localhost", "--passwd"}, "unknown flag", "rollcall account add --help")
	c.fails("x\n", []string{"account", "passwd", "ada@localhost", "--password-stdin"}, "there is no account ada@localhost", "rollcall account list")
	c.fails("", []string{"account", "remove", "ada@localhost"}, "there is no account ada@localhost")
	c.fails("", []string{"account", "kill"}, "account kill", "rollcall account --help")
	if list := c.must("", "account", "list"); list != "" {
		t.Errorf("errors left accounts behind: %q", list)
	}
}

func TestManyAccountsAreAllListed(t *testing.T) {
	c := newCommand(t, "")
	ctx := context.Background()
	db, err := openDatabase(ctx, c.load())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	const many = 2*operator.Page + 3
	for i := range many {
		if _, err := db.Accounts().Create(ctx, numbered(i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(c.must("", "account", "list", "--no-header"), "\n"); n != many {
		t.Errorf("%d of %d accounts are listed", n, many)
	}
}

func TestMigrate(t *testing.T) {
	c := newCommand(t, "")
	if out := c.must("", "migrate", "--dry-run"); !strings.HasPrefix(out, "would apply 0001_") {
		t.Errorf("--dry-run printed %q", out)
	}
	if out := c.must("", "migrate"); !strings.HasPrefix(out, "applied 0001_") {
		t.Errorf("migrate printed %q", out)
	}
	if out := c.must("", "migrate"); out != "the database is up to date\n" {
		t.Errorf("the second migrate printed %q", out)
	}
}

func TestConfigCommands(t *testing.T) {
	c := newCommand(t, "[log]\nlevel = 'warn'\n")
	if out := c.must("", "config", "check"); !strings.Contains(out, "is right; 6 keys differ") {
		t.Errorf("check printed %q", out)
	}
	shown := c.must("", "config", "show")
	if !strings.Contains(shown, "level = \"warn\"\n") || !strings.Contains(shown, "[archive]\n") {
		t.Errorf("show printed %q", shown)
	}
	c.configure("[log]\nlevel = 'warm'\n")
	c.fails("", []string{"config", "check"}, c.config, `log.level = "warm" (line 7)`)
	c.fails("", []string{"config", "chek"}, `there is no "rollcall config chek"`, "did you mean: rollcall config check")
	c.fails("", []string{"doctr"}, "did you mean: rollcall doctor")
	c.fails("", []string{"quux"}, "see: rollcall --help")
	c.fails("", []string{"version", "now"}, "takes no arguments; type: rollcall version")
}

func TestTopLevelHelp(t *testing.T) {
	out := newCommand(t, "").must("", "--help")
	for _, word := range []string{"serve", "account", "config", "migrate", "doctor", "version", "completion", "Examples:"} {
		if !strings.Contains(out, word) {
			t.Errorf("the help does not mention %s:\n%s", word, out)
		}
	}
	for _, cmd := range root().Commands() {
		if cmd.Example == "" && !cmd.HasSubCommands() {
			t.Errorf("%s has no examples", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			if sub.Example == "" {
				t.Errorf("%s has no examples", sub.CommandPath())
			}
		}
	}
}
