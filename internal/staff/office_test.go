package staff

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
	mellium "mellium.im/sasl"

	"rollcall/directory"
	"rollcall/internal/slapd"
	"rollcall/internal/wire"
)

// TestMain wants every goroutine of every test to have come to its end.
func TestMain(m *testing.M) {
	if os.Getenv(slapd.Variable) == "" {
		fmt.Println(slapd.Variable + " is not set: there is no directory to test with")
	}
	goleak.VerifyTestMain(m)
}

// office is a server and the directory of those who work there. Passwords of
// people in it are slapd.Password, and transcript.Password here.
type office struct {
	*wire.Server
	ldap *slapd.Server
	t    *testing.T
}

// open starts both. fill makes people before the server first looks. Accounts are
// those that are made here. Options are config lines beside the usual ones.
func open(t *testing.T, options map[string]string, fill func(*slapd.Server), accounts ...string) *office {
	t.Helper()
	s := slapd.Start(t)
	s.AddPerson("first", nil)
	fill(s)
	cert, key := s.Pair()
	all := map[string]string{
		"tls.certificates":          fmt.Sprintf("[{ cert = %q, key = %q }]", cert, key),
		"c2s.plaintext_on_loopback": "false",
		"directory.urls":            fmt.Sprintf("[%q]", s.TLS),
		"directory.ca_file":         fmt.Sprintf("%q", s.CAFile),
		"directory.bind_dn":         fmt.Sprintf("%q", slapd.Service),
		"directory.bind_password":   fmt.Sprintf("%q", slapd.ServicePassword),
		"directory.base_dn":         fmt.Sprintf("%q", slapd.People),
		"directory.interval":        `"7d"`, // a test reads it when it wants to
	}
	for key, value := range options {
		all[key] = value
	}
	o := &office{wire.Serve(t, all, accounts...), s, t}
	if _, elsewhere := options["directory.urls"]; !elsewhere {
		wire.Within(t, "the directory is read at the start", func() bool {
			_, ok, err := o.World.Server().Account(t.Context(), "first@x")
			return ok && err == nil
		})
	}
	return o
}

// people makes people by their names.
func people(names ...string) func(*slapd.Server) {
	return func(s *slapd.Server) {
		for _, name := range names {
			s.AddPerson(name, nil)
		}
	}
}

// sync has the server read the directory.
func (o *office) sync() directory.Report {
	o.t.Helper()
	r, err := o.Directory().Sync(o.t.Context(), false)
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// dial connects with TLS and opens a stream, of which it returns the features.
func (o *office) dial() (*wire.Client, string) {
	o.t.Helper()
	c := wire.DialTLS(o.t, o.Direct, &tls.Config{InsecureSkipVerify: true})
	return c, c.Open()
}

// offered lists the mechanisms in features.
func offered(features string) (names []string) {
	for _, part := range strings.Split(features, "<mechanism>")[1:] {
		name, _, _ := strings.Cut(part, "<")
		names = append(names, name)
	}
	return names
}

const (
	success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
	failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
)

// plain tries to log in on a stream, and returns the condition of the failure, or
// "" after a success.
func plain(c *wire.Client, name, password string) string {
	c.Say(wire.Plain(name, password))
	return outcome(c, nil)
}

// scram tries to log in by SCRAM-SHA-256.
func scram(t *testing.T, c *wire.Client, name, password string) string {
	t.Helper()
	m := mellium.NewClient(mellium.ScramSha256, mellium.Credentials(func() (user, pass, identity []byte) {
		return []byte(name), []byte(password), nil
	}))
	_, first, err := m.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>" + base64.StdEncoding.EncodeToString(first) + "</auth>")
	return outcome(c, m)
}

// outcome takes an exchange to its end.
func outcome(c *wire.Client, m *mellium.Negotiator) string {
	for {
		tag := c.Until(">")
		switch {
		case strings.HasPrefix(tag, success):
			if !strings.HasSuffix(tag, "/>") {
				c.Until("</success>")
			}
			return ""
		case strings.HasPrefix(tag, "<failure"):
			condition := c.Until("</failure>")
			return strings.TrimSuffix(strings.TrimPrefix(condition, "<"), "/></failure>")
		case strings.HasPrefix(tag, "<challenge"):
			challenge, _ := base64.StdEncoding.DecodeString(strings.TrimSuffix(c.Until("</challenge>"), "</challenge>"))
			_, response, err := m.Step(challenge)
			if err != nil {
				return err.Error()
			}
			c.Say("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + base64.StdEncoding.EncodeToString(response) + "</response>")
		default:
			return tag
		}
	}
}

// logIn takes a new connection to where it can chat.
func (o *office) logIn(name, password, resource string) *wire.Client {
	o.t.Helper()
	c, _ := o.dial()
	if got := plain(c, name, password); got != "" {
		o.t.Fatalf("%s cannot log in: %s", name, got)
	}
	c.Open()
	c.Bind(resource)
	c.Say("<presence/>")
	c.Until("<presence")
	c.Until(">")
	c.Ping()
	return c
}

// fails wants a login with PLAIN to fail.
func (o *office) fails(name, password, condition string) {
	o.t.Helper()
	c, _ := o.dial()
	if got := plain(c, name, password); got != condition {
		o.t.Errorf("%q with %q: %q, want %q", name, password, got, condition)
	}
}
