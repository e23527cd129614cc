package config

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestDefaultsHaveNoProblem(t *testing.T) {
	if problems := new(Config).read(manual); len(problems) > 0 {
		t.Fatal(&Problems{File: "default.toml", List: problems})
	}
	c := Default()
	if c.C2S.Limits.BeforeAuth.Depth != 64 || c.C2S.Limits.AfterAuth.Depth != 64 {
		t.Errorf("limits.depth is %d and %d, want 64 for both", c.C2S.Limits.BeforeAuth.Depth, c.C2S.Limits.AfterAuth.Depth)
	}
	if c.Archive.Retention != 0 || c.Log.Level != slog.LevelInfo || c.C2S.Management.ResumeFor != 2*time.Minute {
		t.Errorf("defaults were not read: %+v", c)
	}
	if !c.NeedsSelfSigned() {
		t.Error("a server on loopback without a certificate should make one")
	}
}

// TestManual checks that default.toml is the manual it says it is: every key
// once, in the order of the table, each below a comment of its own, and marked
// when it can be reloaded.
func TestManual(t *testing.T) {
	var paths []string
	section, comment := "", ""
	for n, line := range strings.Split(Manual(), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			comment += line + "\n"
		case strings.HasPrefix(line, "["):
			section, comment = strings.Trim(line, "[]"), ""
		case line == "":
			comment = ""
		default:
			name, _, _ := strings.Cut(line, " = ")
			k, known := lookup(section + "." + name)
			if !known {
				t.Fatalf("line %d: %q is no key", n+1, line)
			}
			paths = append(paths, k.path)
			if comment == "" {
				t.Errorf("line %d: %s has no comment", n+1, k.path)
			}
			if marked := strings.Contains(comment, "[reload]"); marked != k.live {
				t.Errorf("line %d: %s is marked [reload]: %v, and can be reloaded: %v", n+1, k.path, marked, k.live)
			}
		}
	}
	var want []string
	for _, k := range keys {
		want = append(want, k.path)
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("keys of the table (-) and of default.toml (+):\n%s", diff)
	}
}

func TestShowCanBeLoaded(t *testing.T) {
	c, err := Parse("t", []byte(`
server.domains = ["Example.ORG.", { name = "guest.example.org", anonymous = true }]
server.admins = ["Ada@example.org"]
tls.certificates = [{ cert = 'C:\a "b".crt', key = "/etc/b.key" }]
[archive]
retention = "1d12h"
[limits]
read_rate = "0B"
`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("shown", []byte(c.String()))
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, c)
	}
	if diff := cmp.Diff(c, again, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("loaded (-) and shown and loaded (+):\n%s", diff)
	}
	if got := c.Server.Domains[0].Name; got != "example.org" {
		t.Errorf("the first domain is %q, want it in canonical form", got)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	const secret = "s3cret"
	c, err := Parse("t", []byte("[storage]\ndriver = 'postgres'\ndsn = 'postgres://u:"+secret+"@h/d'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Storage.DSN == "" || strings.Contains(c.String(), secret) {
		t.Errorf("the password is shown, or was lost:\n%s", c)
	}
	_, err = Parse("t", []byte("[storage]\ndsn = '"+secret+"'\n"))
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("the password is in the error: %v", err)
	}
	c, err = Parse("t", []byte("[directory]\nurls = ['ldaps://h']\nbase_dn = 'dc=x'\nbind_dn = 'cn=y'\nbind_password = '"+secret+"'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.LDAP.Password != secret || strings.Contains(c.String(), secret) {
		t.Errorf("the directory's password is shown, or was lost:\n%s", c)
	}
	_, err = Parse("t", []byte("[directory]\nurls = ['ldaps://h']\nbind_password = '"+secret+"'\n"))
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("the directory's password is in the error: %v", err)
	}
}

func TestSecretsOfComponentsAreNotShown(t *testing.T) {
	const secret = "s3cret-s3cret"
	entry := func(more string) string {
		return "[[components.domains]]\nname = 'Phones.localhost'\nsecret = '" + secret + "'\n" + more
	}
	c, err := Parse("t", []byte(entry("")))
	if err != nil {
		t.Fatal(err)
	}
	if d := c.Components.Domains[0]; d.Name != "phones.localhost" || d.Secret != secret || strings.Contains(c.String(), secret) {
		t.Errorf("the secret of a component is shown, or was lost:\n%s", c)
	}
	for _, wrong := range []string{"secret_file = 'f'\n", "name = 'y'\n", "color = 'red'\n", "[[components.domains]]\nname = 'phones.localhost'\nsecret_file = 'f'\n"} {
		if _, err := Parse("t", []byte(entry(wrong))); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	c, err = Parse("t", []byte("components.domains = [{ name = 'a.example', secret_file = '/f' }]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.String(), `{ name = "a.example", secret_file = "/f" }`) {
		t.Errorf("a component whose secret is elsewhere is not shown:\n%s", c)
	}
}

func TestDirectoryDomain(t *testing.T) {
	const where = "directory.urls = ['ldap://localhost']\ndirectory.base_dn = 'dc=x'\n"
	tests := []struct{ text, want string }{
		{"", ""},
		{where, "localhost"},
		{where + "server.domains = [{ name = 'guest.example', anonymous = true }, 'example.org']\n", "example.org"},
		{where + "server.domains = ['a.example', 'b.example']\ndirectory.account_domain = 'B.example.'\n", "b.example"},
	}
	for _, tt := range tests {
		c, err := Parse("t", []byte(tt.text))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := c.DirectoryDomain(); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestDeviceDomain(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "phones.localhost"},
		{"server.domains = [{ name = 'guest.example', anonymous = true }, 'example.org', 'b.example']\n", "phones.example.org"},
		{"server.domains = [{ name = 'guest.example', anonymous = true }]\n", "phones.guest.example"},
		{"devices.domain = 'Doors.Example.'\n", "doors.example"},
	} {
		c, err := Parse("t", []byte(tt.text))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := c.DeviceDomain(); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
	for _, text := range []string{"devices.domain = 'localhost'\n", "server.domains = ['x.example', 'phones.x.example']\n"} {
		if _, err := Parse("t", []byte(text)); err == nil || !strings.Contains(err.Error(), "devices.domain") || !strings.Contains(err.Error(), "server.domains") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNoCertificateIsNeededWithoutEncryption(t *testing.T) {
	if _, err := Parse("t", []byte("tls.self_signed = 'never'\nc2s.plaintext_on_loopback = true\n")); err != nil {
		t.Error(err)
	}
	if _, err := Parse("t", []byte("tls.self_signed = 'never'\nc2s.plaintext_on_loopback = true\nc2s.listen = [':5222']\n")); err == nil {
		t.Error("a server that others can reach needs a certificate")
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.toml")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "rollcall config show >") {
		t.Errorf("a missing file gives %v, want what to do about it", err)
	}
	if err := os.WriteFile(path, []byte("[log]\nlevel = 'debug'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil || c.Log.Level != slog.LevelDebug {
		t.Errorf("got level %v and %v, want debug", c, err)
	}
	if c, err := Load(""); err != nil || c.Log.Level != slog.LevelInfo {
		t.Errorf("no file gives %v and %v, want the defaults", c, err)
	}
}

func TestPaths(t *testing.T) {
	c := Default()
	if got := c.DatabasePath(); got != "data/rollcall.db" {
		t.Errorf("the database is at %q", got)
	}
	c.Storage.Path = "/var/lib/r.db"
	if got := c.DatabasePath(); got != "/var/lib/r.db" {
		t.Errorf("an absolute path became %q", got)
	}
}

func TestDiff(t *testing.T) {
	tests := []struct {
		text          string
		live, restart []string
	}{
		{"", nil, nil},
		{"[log]\nlevel = 'debug'\nformat = 'json'\n", []string{"log.level"}, []string{"log.format"}},
		{"[limits]\nstanza = '128KiB'\ndepth = 9\n", []string{"limits.stanza", "limits.depth"}, nil},
		{"tls.certificates = [{cert='a',key='b'}]\nserver.domains = ['x']\n", []string{"tls.certificates"}, []string{"server.domains"}},
		{"[storage]\ndriver = 'postgres'\ndsn = 'dbname=x'\n", nil, []string{"storage.driver", "storage.dsn"}},
		{"[log]\nlevel = 'info'\n", nil, nil},
	}
	for _, tt := range tests {
		c, err := Parse("t", []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		live, restart := Diff(Default(), c)
		if !slices.Equal(live, tt.live) || !slices.Equal(restart, tt.restart) {
			t.Errorf("%q: got %v and %v, want %v and %v", tt.text, live, restart, tt.live, tt.restart)
		}
		merged, err := Default().With(c)
		if err != nil {
			t.Fatal(err)
		}
		if live, restart := Diff(merged, c); len(live) > 0 || !slices.Equal(restart, tt.restart) {
			t.Errorf("%q: taken up, %v and %v still differ", tt.text, live, restart)
		}
		if live, restart := Diff(Default(), merged); len(restart) > 0 || !slices.Equal(live, tt.live) {
			t.Errorf("%q: %v and %v were taken up, want %v", tt.text, live, restart, tt.live)
		}
	}
}

func TestWithFindsWhatDoesNotGoTogether(t *testing.T) {
	public, err := Parse("old", []byte("c2s.listen = [':5222']\ntls.certificates = [{cert='a',key='b'}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	// On its own the default is right: it makes a certificate, for loopback.
	if merged, err := public.With(Default()); err == nil {
		t.Errorf("a public server would go on without a certificate: %s", merged)
	}
}

// TestEveryKeyIsReadAndShown changes each key in turn and looks for the change,
// so that no line of the table points at the field of another.
func TestEveryKeyIsReadAndShown(t *testing.T) {
	changed := map[string]string{
		"server.domains": `["x.example"]`, "server.admins": `["a@localhost"]`, "c2s.listen": `["[::1]:1"]`, "c2s.listen_tls": `[]`,
		"log.level": `"error"`, "log.format": `"json"`, "tls.certificates": `[{ cert = "a", key = "b" }]`,
		"tls.min_version": `"1.3"`, "tls.self_signed": `"always"`, "auth.mechanisms": `["PLAIN"]`, "archive.default": `"roster"`,
		"storage.driver": `"postgres"`, "auth.iterations": "5000", "server.data_dir": `"d"`,
		"floodgate.exempt": `["a@localhost"]`, "limits.exempt_networks": `["192.0.2.7", "2001:db8::/32"]`,
		"components.listen": `["127.0.0.1:1"]`, "components.domains": `[{ name = "a.example", secret_file = "f" }]`,
		"sip.listen": `[]`, "sip.listen_tls": `["[::1]:1"]`, "sip.listen_ws": `["[::1]:1"]`, "sip.listen_wss": `["[::1]:1"]`, "sip.trusted_networks": `["192.0.2.7"]`,
		"sip.upstreams":     `[{ name = "hq", host = "pbx.example.org:5080", transport = "tls", proxy = "sip:192.0.2.17", user = "r", secret_file = "f", packages = ["dialog", "reg"], line = "{number}", busy_is_call = false, notes = { "out *" = "lunch" }, calls_from = ["192.0.2.17", "2001:db8::/48"] }, { name = "x", host = "y", notes = true, certificate = "y.example.org" }]`,
		"sip.subscribe_for": `"1h"`,
		"directory.urls":    `["ldaps://ldap.example.org"]`, "directory.groups": `["Sales"]`, "directory.bind_dn": `"cn=a"`, "directory.base_dn": `"dc=a"`,
		"directory.group_base_dn": `"dc=a"`, "directory.user_filter": `"(mail={name}@x)"`, "directory.group_filter": `"(cn=*)"`,
		"directory.group_member_filter": `"(memberOf={group})"`, "directory.account_domain": `"x.example"`, "devices.domain": `"phones.x.example"`,
		"sip.algorithms": `["MD5"]`, "sip.nonce_life": `"2h"`, "sip.max_expires": `"2h"`, "sip.max_bindings": "5", "sip.qualify_timeout": `"9s"`, "sip.ring_for": `"30s"`,
		"presence.language": `"de"`, "presence.time_zone": `"Europe/Berlin"`, "presence.states": `{ device = { fault = { show = "dnd" } }, person = { "custom:x" = { label = { en = "X" }, lasts = "1h30m", seen = "from detail", set_by = ["manual"], traits = ["call"] }, training = { rank = 50, show = "none" } } }`,
		"presence.settle": `"1s"`, "presence.settle_released": `"2s"`, "presence.settle_idle": `"3s"`, "presence.barrier": `"1m"`,
		"presence.flaps_within": `"2m"`, "presence.flaps_hold": `"3m"`,
		"presence.words":    `{ fr = { messages = "{count} messages", since = "depuis {time}", until = "jusqu'à {time}" } }`,
		"presence.roles":    `[{ role = "dispatcher", accounts = ["a@x"], groups = ["Control room"] }]`,
		"presence.audience": `[{ watchers = { group = "Night shift" }, subjects = { kind = "device" }, level = "full" }, { watchers = "staff", subjects = { jid = "a@x" }, level = "hidden" }]`,
		"sipgw.server":      `"[::1]:5348"`, "sipgw.secret": `"a secret of a gateway"`,
		"directory.attributes": strings.Replace(attributes.write(usualAttributes), "uid", "mail", 1), "storage.path": `"p"`, "storage.dsn": `"a=b"`,
	}
	for _, k := range keys {
		value, given := changed[k.path]
		was := k.show(Default())
		switch {
		case given:
		case was == "[]":
			value = `["mailto:a@x"]`
		case was == "true":
			value = "false"
		case was == "false":
			value = "true"
		case strings.HasSuffix(was, `B"`):
			value = `"100KiB"`
			if strings.HasPrefix(k.path, "roster.") || strings.HasPrefix(k.path, "privacy.") {
				value = `"2KiB"`
			}
		case strings.HasPrefix(was, `"`):
			value = `"1h"`
		default:
			value = "57"
		}
		text := k.path + " = " + value + "\n"
		if k.path == "storage.driver" {
			text += "storage.dsn = 'a=b'\n"
		}
		if k.path == "directory.urls" {
			text += "directory.base_dn = 'dc=a'\n"
		}
		if k.path == "pep.max_account" {
			text += "pep.max_item = '64KiB'\n"
		}
		if k.path == "limits.stanza_before_auth" || k.path == "limits.outbox" {
			text += "limits.stanza = '100KiB'\n"
		}
		c, err := Parse("t", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", k.path, err)
			continue
		}
		if got := k.show(c); got != value || got == was {
			t.Errorf("%s: set to %s, it shows %s; it was %s", k.path, value, got, was)
		}
		live, restart := Diff(Default(), c)
		if n := len(live) + len(restart); n != strings.Count(text, "\n") {
			t.Errorf("%s: the change shows in %v and %v", k.path, live, restart)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Manual())
	for _, tt := range problemTests {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("fuzz", []byte(text))
		if err != nil {
			var p *Problems
			if !errors.As(err, &p) || len(p.List) == 0 {
				t.Fatalf("not a list of problems: %v", err)
			}
			lines := strings.Count(text, "\n") + 1
			for _, problem := range p.List {
				if problem.Line < 1 || problem.Line > lines || problem.What == "" {
					t.Errorf("a problem without a place or a reason: %+v", problem)
				}
			}
			return
		}
		shown := c.String()
		for name, value := range map[string]string{"dsn": c.Storage.DSN, "bind_password": c.LDAP.Password, "secret": c.Uplink.Secret} {
			shown = strings.Replace(shown, "# "+name+" is set, and not shown\n", name+" = "+quote(value)+"\n", 1)
		}
		if inlineSecrets(c) {
			k, _ := lookup("components.domains")
			shown = strings.Replace(shown, "# domains is set, and not shown\n", "domains = "+k.show(c)+"\n", 1)
		}
		if upstreamSecrets(c) {
			k, _ := lookup("sip.upstreams")
			shown = strings.Replace(shown, "# upstreams is set, and not shown\n", "upstreams = "+k.show(c)+"\n", 1)
		}
		again, err := Parse("shown", []byte(shown))
		if err != nil {
			t.Fatalf("what is shown cannot be loaded: %v\n%s", err, shown)
		}
		if live, restart := Diff(c, again); len(live)+len(restart) > 0 {
			t.Errorf("what is shown differs from what was loaded: %v %v", live, restart)
		}
	})
}

func TestWhereSIPIsReached(t *testing.T) {
	for text, want := range map[string]string{
		"sip.listen = ['0.0.0.0:5060', '[::]:5060']\nsip.advertise = 'SIP.example.org'\n": "sip.example.org",
		"sip.advertise = '2001:db8::5'\n":                                                 "[2001:db8::5]",
		"sip.advertise = '[2001:db8::5]'\n":                                               "[2001:db8::5]",
		"sip.advertise = '192.0.2.5'\n":                                                   "192.0.2.5",
		"sip.listen = []\n":                                                               "",
	} {
		c, err := Parse("t", []byte(text))
		if err != nil || c.SIP.Advertise != want {
			t.Errorf("%q: %v %+v", text, err, c)
		}
	}
}
