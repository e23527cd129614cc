package slapd

import (
	"testing"

	lib "github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is added is there, also after a stop.
func TestServer(t *testing.T) {
	s := Start(t)
	dn := s.AddPerson("ada", nil)
	for range 2 {
		c, err := lib.DialURL(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Bind(dn, Password); err != nil {
			t.Error(err)
		}
		if err := c.Bind(dn, "wrong"); !lib.IsErrorWithCode(err, lib.LDAPResultInvalidCredentials) {
			t.Errorf("a wrong password: %v", err)
		}
		c.Close()
		s.Stop()
		s.Resume()
	}
	s.Remove(dn)
}
