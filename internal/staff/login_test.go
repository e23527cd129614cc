package staff

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"rollcall/internal/slapd"
	"rollcall/internal/transcript"
	"rollcall/internal/wire"
)

// At the domain of a directory only PLAIN is offered, which is what everybody can
// log in with, and only where it is encrypted.
func TestPlainOnly(t *testing.T) {
	o := open(t, nil, people("bob"), "ada")
	c := wire.Dial(t, o.Plain)
	if features := c.Open(); len(offered(features)) != 0 || !strings.Contains(features, "<required/>") {
		t.Errorf("without encryption: %s", features)
	}
	c, features := o.dial()
	if got := offered(features); !slices.Equal(got, []string{"PLAIN"}) {
		t.Errorf("offered %q", got)
	}
	if got := scram(t, c, "ada", transcript.Password); got != "invalid-mechanism" {
		t.Errorf("SCRAM, which was not offered: %q", got)
	}
	o.logIn("ada", transcript.Password, "desk")
	o.logIn("bob", slapd.Password, "desk")
}

// Where SCRAM is offered too, it lets in whoever has a password here, and PLAIN
// lets in everybody. To SCRAM people of the directory are strangers.
func TestSideBySide(t *testing.T) {
	o := open(t, map[string]string{"directory.offer_scram": "true"}, people("bob"), "ada")
	c, features := o.dial()
	if got := offered(features); !slices.Contains(got, "SCRAM-SHA-256") || !slices.Contains(got, "SCRAM-SHA-512-PLUS") || got[len(got)-1] != "PLAIN" {
		t.Errorf("offered %q", got)
	}
	if got := scram(t, c, "ada", transcript.Password); got != "" {
		t.Errorf("ada cannot log in by SCRAM: %s", got)
	}
	for _, name := range []string{"bob", "nobody"} {
		c, _ = o.dial()
		if got := scram(t, c, name, slapd.Password); got != "not-authorized" {
			t.Errorf("%s by SCRAM: %q", name, got)
		}
		if name == "bob" {
			if got := plain(c, name, slapd.Password); got != "" { // as clients do that fall back
				t.Errorf("and then by PLAIN: %q", got)
			}
		}
	}
	o.logIn("ada", transcript.Password, "desk")
}

// Who is refused hears the same, whatever the reason.
func TestRefused(t *testing.T) {
	o := open(t, map[string]string{"auth.backoff_after": "0"}, people("bob", "ada", "o'neill"), "ada", "carol")
	for _, tt := range [][3]string{
		{"bob", "wrong", "not-authorized"},
		{"nobody", slapd.Password, "not-authorized"},
		{"carol", "wrong", "not-authorized"},
		{"ada", "wrong", "not-authorized"}, // who is in both: her account is the one here
		{"*", slapd.Password, "not-authorized"},
		{"b*", slapd.Password, "not-authorized"},
		{"bob)(uid=*", slapd.Password, "not-authorized"},
		{"*)(objectClass=*", slapd.Password, "not-authorized"},
		{"bob,ou=people", slapd.Password, "not-authorized"},
		{"o'neill", slapd.Password, "not-authorized"},
		{"bob", "", "malformed-request"}, // RFC 4616 §2: at least one character
	} {
		o.fails(tt[0], tt[1], tt[2])
	}
	o.fails("ada", slapd.Password, "not-authorized")
	o.logIn("ada", transcript.Password, "desk")
	o.logIn("BOB", slapd.Password, "desk")
}

// While the directory is away its people are told to try later, whatever their
// password, and so is everybody whose password is not right here. Who has one here
// does not notice.
func TestAway(t *testing.T) {
	o := open(t, map[string]string{"auth.backoff_after": "0"}, people("bob"), "ada")
	o.ExpectErrors("the directory cannot be asked")
	before := o.logIn("bob", slapd.Password, "desk")
	o.ldap.Stop()
	for _, name := range []string{"bob", "nobody", "ada"} {
		o.fails(name, "wrong", "temporary-auth-failure")
	}
	o.fails("bob", slapd.Password, "temporary-auth-failure")
	o.logIn("ada", transcript.Password, "desk")
	before.Ping()
	if _, err := o.Directory().Sync(t.Context(), true); err == nil {
		t.Error("it was read")
	}
	before.Ping()
	o.ldap.Resume()
	o.fails("bob", "wrong", "not-authorized")
	o.logIn("bob", slapd.Password, "phone")
}

// A directory that takes connections and says nothing costs a login the time that
// it may take, and no more.
func TestSilent(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer nc.Close(); io.Copy(io.Discard, nc) })
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	o := open(t, map[string]string{
		"directory.urls": fmt.Sprintf("[%q]", "ldaps://"+ln.Addr().String()), "directory.timeout": `"200ms"`, "directory.connections": "1",
	}, people("bob"), "ada")
	o.ExpectErrors("the directory cannot be asked")
	var logins sync.WaitGroup
	for range 5 {
		c, _ := o.dial()
		logins.Go(func() {
			if got := plain(c, "bob", slapd.Password); got != "temporary-auth-failure" {
				t.Errorf("got %q", got)
			}
		})
	}
	logins.Wait()
	o.logIn("ada", transcript.Password, "desk")
}

// A SCRAM that fails for somebody who has no password here is no guess if PLAIN
// follows and is right: else an office behind one address would be held back. It is
// one if nothing follows.
func TestFallingBackIsNoGuess(t *testing.T) {
	o := open(t, map[string]string{"directory.offer_scram": "true", "auth.backoff_after": "3"}, people("bob", "carol"))
	for range 5 {
		for _, name := range []string{"bob", "carol"} {
			c, _ := o.dial()
			for range 2 {
				if got := scram(t, c, name, slapd.Password); got != "not-authorized" {
					t.Fatalf("by SCRAM: %q", got)
				}
			}
			if got := plain(c, name, slapd.Password); got != "" {
				t.Fatalf("then by PLAIN: %q", got)
			}
		}
	}
	c, _ := o.dial()
	for range 3 {
		scram(t, c, "bob", "a guess")
	}
	c.Say("</stream:stream>")
	c.Rest() // now they count, and the address is held back
	c, _ = o.dial()
	if got := plain(c, "carol", slapd.Password); got != "temporary-auth-failure" {
		t.Errorf("after three guesses: %q", got)
	}
}
