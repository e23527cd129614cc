package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// lines is a log whose lines can be waited for.
type lines struct {
	t    *testing.T
	next chan string
	seen []string
}

func newLines(t *testing.T) *lines { return &lines{t: t, next: make(chan string, 1000)} }

func (l *lines) Write(b []byte) (int, error) {
	l.next <- string(b)
	return len(b), nil
}

// await waits for a line with all of the words.
func (l *lines) await(words ...string) string {
	l.t.Helper()
	late := time.After(patience)
	for {
		select {
		case line := <-l.next:
			l.seen = append(l.seen, line)
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				return line
			}
		case <-late:
			l.t.Fatalf("nothing with %q in the log:\n%s", words, strings.Join(l.seen, ""))
		}
	}
}

// served is a server in this process.
type served struct {
	*command
	log    *lines
	out    *bytes.Buffer // to be read after stop
	plain  string        // addresses
	direct string
	cancel context.CancelFunc
	done   chan error
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func serve(t *testing.T, withDemo bool) *served {
	t.Helper()
	return serveWith(t, withDemo, "")
}

// serveWith is serve with more configuration.
func serveWith(t *testing.T, withDemo bool, more string) *served {
	t.Helper()
	s := &served{log: newLines(t), out: new(bytes.Buffer), plain: freePort(t), direct: freePort(t), done: make(chan error, 1)}
	s.command = newCommand(t, "")
	s.listenOn(more)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	cfg := s.load()
	log, level := newLog(s.log, cfg.Log)
	p, err := build(ctx, cfg, log)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	p.level, p.reread, p.out = level, (&common{s.config}).load, s.out
	if withDemo {
		if err := p.addDemo(ctx); err != nil {
			t.Fatal(err)
		}
	}
	go func() { s.done <- p.run(ctx) }()
	s.log.await("msg=ready")
	return s
}

// listenOn writes a configuration with the server's addresses.
func (s *served) listenOn(more string) {
	s.t.Helper()
	text := "server.data_dir = '" + s.dir + "/data'\nauth.iterations = 4096\nsip.listen = ['127.0.0.1:0']\n[c2s]\nlisten = ['" + s.plain + "']\nlisten_tls = ['" + s.direct + "']\n" + more
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// stop stops the server and waits for it.
func (s *served) stop() {
	s.t.Helper()
	s.cancel()
	select {
	case err := <-s.done:
		if err != nil {
			s.t.Errorf("the server stopped with %v", err)
		}
	case <-time.After(patience):
		s.t.Fatal("the server does not stop")
	}
}

// greet opens a stream on a connection and reads until the words have come.
func greet(t *testing.T, conn net.Conn, words string) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"); err != nil {
		t.Fatal(err)
	}
	readUntil(t, conn, words)
}

func readUntil(t *testing.T, conn net.Conn, words string) {
	t.Helper()
	var got []byte
	buffer := make([]byte, 4096)
	for !bytes.Contains(got, []byte(words)) {
		n, err := conn.Read(buffer)
		got = append(got, buffer[:n]...)
		if err != nil {
			t.Fatalf("%v before %q; the server said %q", err, words, got)
		}
	}
}

func TestServe(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := serve(t, true)

	plain, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	greet(t, plain, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>")

	leaf := loadLeaf(t, selfSignedPair(s.load().TLSDir()))
	trust := x509.NewCertPool()
	trust.AddCert(leaf)
	direct, err := tls.Dial("tcp", s.direct, &tls.Config{RootCAs: trust, ServerName: "localhost", NextProtos: []string{"xmpp-client"}})
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	greet(t, direct, "<mechanism>SCRAM-SHA-256</mechanism>")

	if out := s.must("", "account", "list", "--no-header"); strings.Count(out, "\n") != 3 {
		t.Errorf("the demonstration has the accounts %q", out)
	}
	if out := s.must("", "doctor"); !strings.Contains(out, s.plain+" is this server's") || !strings.Contains(out, s.direct+" is this server's") {
		t.Errorf("doctor does not know the server:\n%s", out)
	}
	s.stop()
	readUntil(t, direct, "<system-shutdown")
	readUntil(t, plain, "<system-shutdown")
	for _, want := range []string{"alice@localhost", "bob@localhost", "carol@localhost", "self-signed", "STARTTLS"} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("the invitation does not mention %s:\n%s", want, s.out)
		}
	}
	if _, err := os.Stat(s.load().ControlSocket()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the control socket was left behind: %v", err)
	}
	for _, address := range []string{s.plain, s.direct} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("the address is still taken: %v", err)
			continue
		}
		l.Close()
	}
}

func TestReload(t *testing.T) {
	s := serve(t, false)
	defer s.stop()
	hup := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	s.listenOn("[log]\nlevel = 'debug'\nformat = 'json'\n[limits]\nconnections = 1\n")
	hup()
	s.log.await("configuration was reloaded", "limits.connections", "log.level")
	s.log.await("wait for a restart", "log.format")

	first, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	greet(t, first, "<starttls")
	second, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	greet(t, second, "<resource-constraint") // the new limit holds

	s.listenOn("[log]\nlevel = 'deafening'\n[limits]\nconnections = 9\n")
	hup()
	s.log.await("was not reloaded", "deafening", "line 8")
	third, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	greet(t, third, "<resource-constraint") // the old limit still does
}

func TestServeFailsCleanly(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := newCommand(t, "")
	text := "server.data_dir = '" + c.dir + "/data'\nc2s.listen = ['" + taken.Addr().String() + "']\nc2s.listen_tls = []\nsip.listen = ['127.0.0.1:0']\n"
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.fails("", []string{"serve"}, "address already in use", "rollcall doctor")
	c.configure("tls.certificates = [{ cert = '/nowhere.crt', key = '/nowhere.key' }]\n")
	c.fails("", []string{"serve"}, "/nowhere.crt")
	c.configure("storage.path = '/proc/nowhere/r.db'\n")
	c.fails("", []string{"serve"}, "storage:")
}

func TestSecondServerOnTheSameData(t *testing.T) {
	s := serve(t, false)
	defer s.stop()
	s.fails("", []string{"serve"}, "a server is running on")
}
