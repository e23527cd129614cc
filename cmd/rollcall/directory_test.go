package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"rollcall/internal/slapd"
)

// section is the configuration of a test's directory.
func section(s *slapd.Server) string {
	return fmt.Sprintf("[directory]\nurls = [%q]\nca_file = %q\nbind_dn = %q\nbind_password = %q\nbase_dn = %q\n",
		s.TLS, s.CAFile, slapd.Service, slapd.ServicePassword, slapd.People)
}

// What an operator does with accounts that come from a directory.
func TestDirectoryCommands(t *testing.T) {
	dir := slapd.Start(t)
	dir.AddPerson("ada", nil)
	dir.AddPerson("bob", nil)
	s := serveWith(t, false, section(dir))
	defer s.stop()
	s.log.await("accounts were changed", "created=2")
	out := s.must("", "directory", "sync")
	if !strings.Contains(out, "read the directory") || !strings.Contains(out, "people in it") {
		t.Errorf("sync says %q", out)
	}
	if out := s.must("", "account", "list"); strings.Count(out, "from the directory") != 2 {
		t.Errorf("the accounts are %q", out)
	}
	if out := s.must("", "account", "show", "ada@localhost"); !strings.Contains(out, "kept in the directory") {
		t.Errorf("ada is %q", out)
	}
	s.fails("a new one\n", []string{"account", "passwd", "ada@localhost", "--password-stdin"}, "comes from the directory", "changed there")
	s.fails("", []string{"account", "remove", "ada@localhost"}, "comes from the directory", "take the person out there first")
	s.fails("a new one\n", []string{"account", "add", "ada@localhost", "--password-stdin"}, "exists already")

	dir.Remove("uid=ada," + slapd.People)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.log.await("accounts were changed", "vanished=1")
	if out := s.must("", "account", "list"); !strings.Contains(out, "not in the directory any more") {
		t.Errorf("the accounts are %q", out)
	}
	s.fails("", []string{"account", "enable", "ada@localhost"}, "not in the directory any more")
	s.must("", "account", "remove", "ada@localhost")

	dir.Remove("uid=bob," + slapd.People)
	out = s.must("", "directory", "sync")
	if !strings.Contains(out, "1 people are missing at once") || !strings.Contains(out, "directory sync --sure") {
		t.Errorf("sync says %q", out)
	}
	if out := s.must("", "directory", "sync", "--sure"); strings.Contains(out, "missing at once") {
		t.Errorf("sync says %q", out)
	}
	dir.Stop()
	s.fails("", []string{"directory", "sync"}, "the directory was not followed")
}

func TestDirectorySyncWithoutOne(t *testing.T) {
	c := newCommand(t, "")
	c.fails("", []string{"directory", "sync"}, "no server is running")
	s := serve(t, false)
	defer s.stop()
	s.fails("", []string{"directory", "sync"}, "directory.urls")
}

// A server whose directory is configured wrongly does not start, and one whose
// directory is away does.
func TestServeBesideADirectory(t *testing.T) {
	c := newCommand(t, "")
	const where = "[directory]\nurls = ['ldaps://127.0.0.1:1']\nbase_dn = 'dc=x'\n"
	c.configure(where + "ca_file = '/nowhere.crt'\n")
	c.fails("", []string{"serve"}, "/nowhere.crt")
	s := serveWith(t, false, where)
	defer s.stop()
	s.log.await("the directory cannot be asked", "127.0.0.1:1")
}

func TestCheckDirectory(t *testing.T) {
	ctx := context.Background()
	if out := checkDirectory(ctx, patientOf(newCommand(t, ""))); len(out) != 0 {
		t.Errorf("there is none, and %+v", out)
	}
	dir := slapd.Start(t)
	c := newCommand(t, section(dir))
	p := patientOf(c)
	findings := checkDirectory(ctx, p)
	expect(t, findings, good, dir.TLS, "lets the server in")
	expect(t, findings, bad, "nobody is found", "directory.base_dn")
	dir.AddPerson("ada", nil)
	dir.AddPerson("a b", nil)
	dir.AddGroup("Sales", "uid=ada,"+slapd.People)
	p.cfg.LDAP.GroupFilter = "(objectClass=groupOfNames)"
	findings = checkDirectory(ctx, p)
	expect(t, findings, good, "1 people and 0 groups")
	expect(t, findings, note, "1 entries have no name", "directory.attributes")
	expect(t, findings, note, "no group is found")
	p.cfg.LDAP.GroupBaseDN = slapd.Groups
	expect(t, checkDirectory(ctx, p), good, "1 people and 1 groups")

	p.cfg.LDAP.CAFile = dir.OtherCAFile()
	expect(t, checkDirectory(ctx, p), bad, "no encryption", "directory.ca_file")
	p.cfg.LDAP.CAFile, p.cfg.LDAP.Password = dir.CAFile, "wrong"
	expect(t, checkDirectory(ctx, p), bad, "does not let the server in", "directory.bind_dn")
	p.cfg.LDAP.Password, p.cfg.LDAP.BaseDN = slapd.ServicePassword, "ou=nowhere,"+slapd.Suffix
	expect(t, checkDirectory(ctx, p), bad, "ou=nowhere", "directory.base_dn")
	p.cfg.LDAP.URLs = []string{"ldaps://127.0.0.1:1"}
	expect(t, checkDirectory(ctx, p), bad, "no connection", "directory.urls")
	p.cfg.LDAP.CAFile = "/nowhere.crt"
	expect(t, checkDirectory(ctx, p), bad, "/nowhere.crt")

	// The page has a password in it.
	if err := os.Chmod(c.config, 0o640); err != nil {
		t.Fatal(err)
	}
	expect(t, checkFiles(ctx, p), bad, "others can read "+c.config)
}
