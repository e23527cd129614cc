package ldap_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/internal/slapd"
	"rollcall/storage/ldap"
)

// TestMain wants every goroutine of every test to have come to its end.
func TestMain(m *testing.M) {
	if os.Getenv(slapd.Variable) == "" {
		fmt.Println(slapd.Variable + " is not set: this run is without a directory")
	}
	goleak.VerifyTestMain(m)
}

// usual is a configuration for a test's directory.
func usual(s *slapd.Server) ldap.Config {
	return ldap.Config{
		URLs: []string{s.TLS}, CAFile: s.CAFile, StartTLS: true,
		BindDN: slapd.Service, Password: slapd.ServicePassword,
		BaseDN: slapd.People, UserFilter: "(&(objectClass=inetOrgPerson)(uid={name}))",
		Attributes: ldap.Attributes{
			Login: "uid", ID: "entryUUID", Name: "displayName", Given: "givenName", Family: "sn", Mail: "mail",
			Phone: "telephoneNumber", Title: "title", Org: "o", Unit: "ou", GroupTitle: "cn", Member: "member",
		},
		Timeout: 10 * time.Second, PageSize: 20, Connections: 2,
	}
}

// open makes a client, which is closed when the test ends.
func open(t testing.TB, cfg ldap.Config) *ldap.Client {
	t.Helper()
	c, err := ldap.New(cfg, "example.org")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

// file writes a file of a test and returns its name.
func file(t testing.TB, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}
