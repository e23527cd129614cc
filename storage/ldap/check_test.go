package ldap_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/directory"
	"rollcall/internal/slapd"
	"rollcall/storage/ldap"
)

// Who gets in, and who does not.
func TestCheck(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", map[string][]string{
		"displayName": {"Ada Lovelace"}, "givenName": {"Ada"}, "sn": {"Lovelace"}, "mail": {"ada@example.org"},
	})
	s.AddPerson("bob", nil)
	s.AddPerson("Grace", nil)
	s.AddPerson("jose", nil)
	s.AddPerson("no body", nil)
	s.AddPerson("nopass", map[string][]string{"userPassword": nil, "objectClass": {"inetOrgPerson"}})
	s.AddPerson("twin", nil)
	s.Add("uid=twin,"+slapd.Groups, map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {"twin"}, "cn": {"x"}, "sn": {"x"}, "userPassword": {slapd.Password},
	})
	cfg := usual(s)
	cfg.BaseDN = slapd.Suffix
	c := open(t, cfg)
	tests := []struct {
		local, password string
		right           bool
	}{
		{"ada", slapd.Password, true},
		{"ada", "Secret", false},
		{"ada", "", false}, // an unauthenticated bind, which the directory would let pass
		{"ada", slapd.Password + "\x00", false},
		{"ada", strings.Repeat("x", 1000), false},
		{"nobody", slapd.Password, false},
		{"grace", slapd.Password, true}, // addresses are in lower case
		{"Grace", slapd.Password, false},
		{"josé", slapd.Password, false}, // is another address, whatever a directory thinks
		{"nopass", slapd.Password, false},
		{"twin", slapd.Password, false}, // who of the two?
		{"", slapd.Password, false},

		// RFC 4515 §3: what has a meaning in a filter stands for itself.
		{"*", slapd.Password, false},
		{"a*", slapd.Password, false},
		{"ada)(uid=*", slapd.Password, false},
		{"*)(objectClass=*", slapd.Password, false},
		{"ada)(|(uid=bob", slapd.Password, false},
		{"bob)(uid=bob", slapd.Password, false},
		{`\61da`, slapd.Password, false},
		{"ada\x00", slapd.Password, false},
		{"ada,ou=people", slapd.Password, false},
		{"uid=ada," + slapd.People, slapd.Password, false},
		{strings.Repeat("(", 500), slapd.Password, false},
	}
	for _, tt := range tests {
		p, err := c.Check(t.Context(), tt.local, tt.password)
		switch {
		case tt.right && (err != nil || p.Local != tt.local):
			t.Errorf("%q with %.10q: %+v, %v", tt.local, tt.password, p, err)
		case !tt.right && (!errors.Is(err, directory.ErrWrong) || p != directory.Person{}):
			t.Errorf("%q with %.10q: %+v, %v; want no", tt.local, tt.password, p, err)
		}
		if err := c.Feign(t.Context(), tt.local); err != nil {
			t.Errorf("feigning for %q: %v", tt.local, err)
		}
	}
	p, err := c.Check(t.Context(), "ada", slapd.Password)
	if err != nil || p.Name != "Ada Lovelace" || p.Mail != "ada@example.org" || len(p.Entry) != 36 {
		t.Errorf("ada is %+v, %v", p, err)
	}
}

// A password that is changed there is changed here, in both directions.
func TestCheckFollowsTheDirectory(t *testing.T) {
	s := slapd.Start(t)
	dn := s.AddPerson("ada", nil)
	c := open(t, usual(s))
	want := func(password string, right bool) {
		t.Helper()
		if _, err := c.Check(t.Context(), "ada", password); (err == nil) != right || !right && !errors.Is(err, directory.ErrWrong) {
			t.Errorf("%q: %v", password, err)
		}
	}
	want(slapd.Password, true)
	s.Set(dn, "userPassword", "another")
	want(slapd.Password, false)
	want("another", true)
	s.Remove(dn)
	want("another", false)
}

// How a connection is encrypted, and whom the server believes to be the directory.
func TestEncryption(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", nil)
	garbage := file(t, "no certificate", 0o600)
	tests := []struct {
		name   string
		change func(*ldap.Config)
		kind   error // nil: it works
	}{
		{"ldaps", func(*ldap.Config) {}, nil},
		{"starttls", func(c *ldap.Config) { c.URLs = []string{s.URL} }, nil},
		{"by name", func(c *ldap.Config) { c.URLs = []string{strings.Replace(s.TLS, "127.0.0.1", "localhost", 1)} }, nil},
		{"in the clear, on loopback", func(c *ldap.Config) { c.URLs, c.StartTLS = []string{s.URL}, false }, nil},
		{"ldaps, another authority", func(c *ldap.Config) { c.CAFile = s.OtherCAFile() }, ldap.ErrTLS},
		{"starttls, another authority", func(c *ldap.Config) { c.URLs, c.CAFile = []string{s.URL}, s.OtherCAFile() }, ldap.ErrTLS},
		{"the system's authorities", func(c *ldap.Config) { c.CAFile = "" }, ldap.ErrTLS},
		{"another name", func(c *ldap.Config) { c.URLs = []string{strings.Replace(s.TLS, "127.0.0.1", "127.0.0.2", 1)} }, ldap.ErrConnect},
		{"no encryption where it should be", func(c *ldap.Config) { c.URLs = []string{strings.Replace(s.URL, "ldap:", "ldaps:", 1)} }, ldap.ErrTLS},
	}
	for _, tt := range tests {
		cfg := usual(s)
		tt.change(&cfg)
		c := open(t, cfg)
		_, err := c.Check(t.Context(), "ada", slapd.Password)
		if tt.kind == nil && err != nil || tt.kind != nil && (!errors.Is(err, tt.kind) || errors.Is(err, directory.ErrWrong)) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.kind)
		}
		if got := c.Try(t.Context(), cfg.URLs[0]); tt.kind == nil && got != nil || !errors.Is(got, tt.kind) {
			t.Errorf("%s: tried: %v, want %v", tt.name, got, tt.kind)
		}
	}
	for _, name := range []string{garbage, garbage + ".missing"} {
		cfg := usual(s)
		cfg.CAFile = name
		if _, err := ldap.New(cfg, "example.org"); err == nil {
			t.Errorf("%s was taken for authorities", name)
		}
	}
}

// The service's own account: who it is, how its password is known, and that what
// is wrong with it is not the fault of whoever logs in.
func TestServiceAccount(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", nil)
	cfg := usual(s)
	cfg.Password, cfg.PasswordFile = "", file(t, slapd.ServicePassword+"\r\nanother line\n", 0o600)
	c := open(t, cfg)
	if _, err := c.Check(t.Context(), "ada", slapd.Password); err != nil {
		t.Errorf("with a file: %v", err)
	}
	if err := os.WriteFile(cfg.PasswordFile, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Try(t.Context(), s.TLS); !errors.Is(err, ldap.ErrBind) {
		t.Errorf("the file was not read anew: %v", err)
	}
	for text, mode := range map[string]os.FileMode{slapd.ServicePassword: 0o640, "\n": 0o600} {
		cfg.PasswordFile = file(t, text, mode)
		if _, err := ldap.New(cfg, "example.org"); err == nil || strings.Contains(err.Error(), slapd.ServicePassword) {
			t.Errorf("a file with %q, mode %o: %v", text, mode, err)
		}
	}
	cfg.PasswordFile, cfg.Password = "", "wrong"
	_, err := open(t, cfg).Check(t.Context(), "ada", slapd.Password)
	if !errors.Is(err, ldap.ErrBind) || errors.Is(err, directory.ErrWrong) {
		t.Errorf("with a wrong password of the service: %v", err)
	}
	// Nobody may search here, so nobody is found: but that is an answer.
	cfg.BindDN, cfg.Password = "", ""
	if _, err := open(t, cfg).Check(t.Context(), "ada", slapd.Password); !errors.Is(err, ldap.ErrSearch) {
		t.Errorf("searching as nobody: %v", err)
	}
}

// While the directory is away nobody is told that a password is wrong; when it is
// back, connections that broke meanwhile do not matter.
func TestAway(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", nil)
	c := open(t, usual(s))
	if _, err := c.Check(t.Context(), "ada", slapd.Password); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	for _, password := range []string{slapd.Password, "wrong"} {
		if _, err := c.Check(t.Context(), "ada", password); err == nil || errors.Is(err, directory.ErrWrong) {
			t.Errorf("%q while it is away: %v", password, err)
		}
	}
	if err := c.Feign(t.Context(), "nobody"); err == nil {
		t.Error("feigned while it is away")
	}
	if _, err := c.Read(t.Context()); err == nil {
		t.Error("read while it is away")
	}
	s.Resume()
	if _, err := c.Check(t.Context(), "ada", slapd.Password); err != nil {
		t.Errorf("when it is back: %v", err)
	}
	s.Stop()
	s.Resume()
	if _, err := c.Check(t.Context(), "ada", slapd.Password); err != nil {
		t.Errorf("with a connection that broke: %v", err)
	}
}

// One of several servers is enough.
func TestSeveralServers(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", nil)
	deaf := newDeaf(t)
	cfg := usual(s)
	cfg.URLs = []string{"ldaps://127.0.0.1:1", deaf.url("ldaps"), deaf.url("ldap"), s.TLS}
	cfg.Timeout = 4 * time.Second
	c := open(t, cfg)
	for range 2 {
		if _, err := c.Check(t.Context(), "ada", slapd.Password); err != nil {
			t.Fatal(err)
		}
	}
	if n := deaf.taken.Load(); n != 2 { // the next connection begins with the server that answered
		t.Errorf("the deaf ones were asked %d times, want once each", n)
	}
}

// deaf takes connections and never answers.
type deaf struct {
	ln    net.Listener
	taken atomic.Int32
	said  string // what it says to everybody, if anything
}

func newDeaf(t testing.TB) *deaf { return newMumbling(t, "") }

// newMumbling says something that is no answer.
func newMumbling(t testing.TB, said string) *deaf {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &deaf{ln: ln, said: said}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			d.taken.Add(1)
			all.Go(func() {
				defer nc.Close()
				io.WriteString(nc, d.said)
				io.Copy(io.Discard, nc)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return d
}

func (d *deaf) url(scheme string) string { return scheme + "://" + d.ln.Addr().String() }

// A directory that says nothing, or nonsense, costs as much time as was allowed
// and no more, and is no answer.
func TestSilence(t *testing.T) {
	const nonsense = "HTTP/1.1 400 Bad Request\r\n\r\n"
	huge := "\x30\x84\x7f\xff\xff\xff" + strings.Repeat("x", 100_000) // a message of 2 GiB
	for _, said := range []string{"", nonsense, huge, "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"} {
		d := newMumbling(t, said)
		for _, url := range []string{d.url("ldaps"), d.url("ldap")} {
			for _, encrypt := range []bool{true, false} {
				c := open(t, ldap.Config{
					URLs: []string{url}, StartTLS: encrypt, BaseDN: slapd.People, UserFilter: "(uid={name})",
					Attributes: ldap.Attributes{Login: "uid"}, Timeout: 100 * time.Millisecond, PageSize: 10, Connections: 1,
				})
				if _, err := c.Check(t.Context(), "ada", "secret"); err == nil || errors.Is(err, directory.ErrWrong) {
					t.Errorf("%s, saying %.20q: checked: %v", url, said, err)
				}
				if _, err := c.Read(t.Context()); err == nil {
					t.Errorf("%s, saying %.20q: read", url, said)
				}
				gone, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := c.Check(gone, "ada", "secret"); err == nil || errors.Is(err, directory.ErrWrong) {
					t.Errorf("%s, saying %.20q: nobody waits any more: %v", url, said, err)
				}
			}
		}
	}
}

// However many log in at once, the directory has only so many connections, and
// everybody has an answer.
func TestConnectionsAreBounded(t *testing.T) {
	s := slapd.Start(t)
	s.AddPerson("ada", nil)
	between := newCounter(t, strings.TrimPrefix(s.TLS, "ldaps://"))
	cfg := usual(s)
	cfg.URLs, cfg.Connections = []string{"ldaps://" + between.ln.Addr().String()}, 3
	c := open(t, cfg)
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			password := slapd.Password
			if i%2 == 0 {
				password = "wrong"
			}
			_, err := c.Check(t.Context(), "ada", password)
			if i%2 == 0 && !errors.Is(err, directory.ErrWrong) || i%2 == 1 && err != nil {
				t.Errorf("%q: %v", password, err)
			}
		})
	}
	all.Wait()
	if n := between.taken.Load(); n < 2 || n > 6 {
		t.Errorf("there were %d connections, want at most 6", n)
	}
}

// counter passes connections on and counts them.
type counter struct {
	ln    net.Listener
	taken atomic.Int32
}

func newCounter(t testing.TB, to string) *counter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{ln: ln}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			c.taken.Add(1)
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			both := func() { in.Close(); out.Close() }
			all.Go(func() { defer both(); io.Copy(out, in) })
			all.Go(func() { defer both(); io.Copy(in, out) })
		}
	})
	// Not before the client has closed its side: cleanups run last first.
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return c
}
