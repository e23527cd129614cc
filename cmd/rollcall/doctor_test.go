package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/server"
	"rollcall/server/c2s"
)

// zone is a small DNS.
type zone map[string][]*net.SRV

func (z zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	full := "_" + service + "._" + proto + "." + name
	records, found := z[full]
	switch {
	case !found:
		return "", nil, &net.DNSError{Err: "no such host", Name: full, IsNotFound: true}
	case records == nil:
		return "", nil, &net.DNSError{Err: "server misbehaving", Name: full}
	}
	return full, records, nil
}

// expect looks for one finding among those of a check.
func expect(t *testing.T, findings []finding, v verdict, words ...string) {
	t.Helper()
	for _, f := range findings {
		all := f.verdict == v
		for _, w := range words {
			all = all && strings.Contains(f.what+" "+f.todo, w)
		}
		if all {
			if v == bad && f.todo == "" {
				t.Errorf("nothing is said about what to do: %+v", f)
			}
			return
		}
	}
	t.Errorf("no finding is %s with %q among %+v", v, words, findings)
}

func patientOf(c *command) *patient {
	return &patient{cfg: c.load(), configFile: c.config, now: time.Now(), dns: zone{}}
}

func TestDoctorCommand(t *testing.T) {
	c := newCommand(t, "")
	out := c.must("", "doctor")
	for _, want := range []string{"none is running", "makes it when it starts", "127.0.0.1:0 is free", "localhost is not looked up in DNS", "Nothing has to be done."} {
		if !strings.Contains(out, want) {
			t.Errorf("doctor does not say %q:\n%s", want, out)
		}
	}
	if _, err := os.Stat(c.load().DataDir); err == nil {
		t.Error("doctor made the data directory")
	}
	c.must("", "migrate")
	if err := os.Chmod(c.load().DatabasePath(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := c.run("", "doctor")
	if !errors.Is(err, errSaid) || !strings.Contains(out, "chmod go= ") || !strings.Contains(out, "1 of these") {
		t.Errorf("a database that everybody can read: %v\n%s", err, out)
	}
	if !strings.Contains(out, "has no account") || !strings.Contains(out, "rollcall account add NAME@localhost") {
		t.Errorf("doctor does not say that there is no account:\n%s", out)
	}
}

func TestDoctorSeesTheRunningServer(t *testing.T) {
	c := newCommand(t, "")
	c.openSocket()
	out, err := c.run("", "doctor")
	if !errors.Is(err, errSaid) || !strings.Contains(out, "version test is running, pid 7") || !strings.Contains(out, "127.0.0.1:0 is free, though the server runs") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCheckPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	p := patientOf(newCommand(t, ""))
	ctx := context.Background()
	p.cfg.C2S.Listen = []string{taken.Addr().String(), "192.0.2.1:5222"}
	findings := checkPorts(ctx, p)
	expect(t, findings, bad, "is taken by another program", "ss -tulnp")
	expect(t, findings, bad, "192.0.2.1:5222")
	p.server = &status{Addresses: []string{taken.Addr().String()}}
	expect(t, checkPorts(ctx, p), good, "is this server's")
}

func TestCheckFiles(t *testing.T) {
	c := newCommand(t, "")
	p := patientOf(c)
	p.cfg.DataDir = c.config
	expect(t, checkFiles(context.Background(), p), bad, "is not a directory")
	p = patientOf(c)
	p.cfg.Storage.DSN = "dbname=x"
	if err := os.Chmod(c.config, 0o640); err != nil {
		t.Fatal(err)
	}
	expect(t, checkFiles(context.Background(), p), bad, "others can read "+c.config, "0640")
	p.cfg.Storage.DSN = ""
	expect(t, checkFiles(context.Background(), p), good, "readable by their owner only")
}

func TestCheckCertificates(t *testing.T) {
	ctx := context.Background()
	p := patientOf(newCommand(t, ""))
	expect(t, checkCertificates(ctx, p), note, "makes a self-signed certificate")
	pair, err := selfSigned(p.cfg.TLSDir(), []string{"localhost"}, p.now)
	if err != nil {
		t.Fatal(err)
	}
	findings := checkCertificates(ctx, p)
	expect(t, findings, note, "self-signed")
	expect(t, findings, good, "is valid until")

	p.cfg.C2S.Certificates = []c2s.Certificate{pair}
	p.cfg.Server.Domains = []server.Domain{{Name: "localhost"}, {Name: "chat.example"}}
	expect(t, checkCertificates(ctx, p), bad, "none is for chat.example")
	p.now = p.now.Add(selfSignedFor - time.Hour)
	expect(t, checkCertificates(ctx, p), bad, "expires soon")
	p.now = p.now.Add(2 * time.Hour)
	expect(t, checkCertificates(ctx, p), bad, "expired on", "renew it")
	p.now = p.now.Add(-2 * selfSignedFor)
	expect(t, checkCertificates(ctx, p), bad, "is not valid before")
	p.cfg.C2S.Certificates[0].Key = filepath.Join(p.cfg.DataDir, "missing.key")
	expect(t, checkCertificates(ctx, p), bad, "missing.key")
}

func TestCheckDatabase(t *testing.T) {
	ctx := context.Background()
	c := newCommand(t, "")
	p := patientOf(c)
	expect(t, checkDatabase(ctx, p), note, "is not there yet")
	if err := os.MkdirAll(p.cfg.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.cfg.DatabasePath(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, checkDatabase(ctx, p), note, "migrations are missing", "rollcall migrate")
	c.must("", "account", "add", "ada@localhost", "--generate")
	expect(t, checkDatabase(ctx, p), good, "has 1 accounts")
	if err := os.WriteFile(p.cfg.DatabasePath(), []byte("this is no database, and it is long enough to be seen as such"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, extra := range []string{"-wal", "-shm"} {
		os.Remove(p.cfg.DatabasePath() + extra) // left over from the real one, if at all
	}
	expect(t, checkDatabase(ctx, p), bad, "database")
}

func TestCheckRegistration(t *testing.T) {
	expect(t, checkRegistration(t.Context(), patientOf(newCommand(t, ""))), good, "by you only")
	open := "[registration]\nopen = true\n"
	expect(t, checkRegistration(t.Context(), patientOf(newCommand(t, open))), note, "anybody", "[floodgate]")
	findings := checkRegistration(t.Context(), patientOf(newCommand(t, open+"[floodgate]\nreceived_per_minute = 100\n")))
	if expect(t, findings, note, "anybody"); findings[0].todo != "" {
		t.Errorf("something is to be done: %+v", findings)
	}
}

func TestCheckDNS(t *testing.T) {
	ctx := context.Background()
	p := patientOf(newCommand(t, ""))
	p.cfg.C2S.Listen, p.cfg.C2S.ListenTLS = []string{":5222"}, []string{":443"}
	p.cfg.Server.Domains = []server.Domain{{Name: "localhost"}, {Name: "192.0.2.1"}, {Name: "example.org"}}
	findings := checkDNS(ctx, p)
	expect(t, findings, note, "localhost is not looked up")
	expect(t, findings, note, "192.0.2.1 is not looked up")
	expect(t, findings, note, "_xmpp-client._tcp.example.org has no SRV record", "clients try port 5222", "IN SRV 5 0 5222 example.org.")
	expect(t, findings, note, "_xmpps-client._tcp.example.org has no SRV record", "IN SRV 5 0 443")
	p.dns = zone{
		"_xmpp-client._tcp.example.org":  {{Target: "x.example.org.", Port: 5222}},
		"_xmpps-client._tcp.example.org": {{Target: "x.example.org.", Port: 5223}},
	}
	findings = checkDNS(ctx, p)
	expect(t, findings, good, "points to x.example.org. port 5222")
	expect(t, findings, bad, "port 5223, where this server does not listen")
	p.dns = zone{"_xmpp-client._tcp.example.org": nil, "_xmpps-client._tcp.example.org": nil}
	expect(t, checkDNS(ctx, p), note, "could not be looked up")
}

func TestCheckClock(t *testing.T) {
	p := patientOf(newCommand(t, ""))
	if err := os.MkdirAll(p.cfg.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.cfg.DataDir, "rollcall.db")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range checkClock(context.Background(), p) {
		if f.verdict == bad {
			t.Errorf("a file of now: %+v", f)
		}
	}
	p.now = p.now.Add(-time.Hour)
	expect(t, checkClock(context.Background(), p), bad, "was written in the future", "rollcall.db")
}

func TestReport(t *testing.T) {
	var out bytes.Buffer
	if err := report(&out, []finding{{good, "a", "fine", ""}, {note, "b", "hm", "look"}}); err != nil {
		t.Errorf("nothing is bad, and the command fails: %v", err)
	}
	want := "ok    a             fine\nnote  b             hm\n                    → look\n\nNothing has to be done.\n"
	if out.String() != want {
		t.Errorf("got\n%q, want\n%q", out.String(), want)
	}
}
