package slapd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	lib "github.com/go-ldap/ldap/v3"
)

// Variable names the program to run.
const Variable = "ROLLCALL_TEST_LDAP"

// What every server has.
const (
	Suffix          = "dc=example,dc=org"
	People          = "ou=people," + Suffix
	Groups          = "ou=groups," + Suffix
	Service         = "cn=rollcall," + Suffix // may read; its searches find 50 entries at most, pages apart
	ServicePassword = "only for reading"
	Password        = "at work" // of everybody that is added without another

	admin         = "cn=admin," + Suffix
	adminPassword = "only for tests"
)

// patience is how long anything may take.
const patience = 20 * time.Second

// A Server is a running slapd. It belongs to one goroutine.
type Server struct {
	URL    string // ldap://127.0.0.1:port
	TLS    string // ldaps://127.0.0.1:port
	CAFile string // who signed its certificate

	t     testing.TB
	dir   string
	ports [2]int
	stdin io.Closer // closing it ends the server, as the end of this process does
	out   *log
	ended chan error
	ldap  *lib.Conn
}

// Start starts a server, which ends with the test, or skips the test where there
// is no program to run.
func Start(t testing.TB) *Server {
	t.Helper()
	program := os.Getenv(Variable)
	if program == "" {
		t.Skip(Variable + " is not set: nothing is tested with a real directory")
	}
	dir, err := os.MkdirTemp("", "slapd")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, dir: dir, out: new(log)}
	t.Cleanup(func() {
		s.Stop()
		os.RemoveAll(dir)
	})
	// Where AppArmor keeps the installed program to its own directories a copy of it
	// is free.
	s.must(copyFile(program, filepath.Join(dir, "slapd")))
	s.must(os.Mkdir(filepath.Join(dir, "db"), 0o700))
	s.CAFile = filepath.Join(dir, "ca.crt")
	s.must(certificates(dir))
	s.must(os.WriteFile(filepath.Join(dir, "slapd.conf"), []byte(configuration(dir)), 0o600))
	s.Resume()
	s.fill()
	return s
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("slapd: %v\n%s", err, s.out)
	}
}

// Resume starts the server again after Stop, on the same ports.
func (s *Server) Resume() {
	s.t.Helper()
	again := s.ports[0] != 0
	for range 8 {
		if !again {
			s.choosePorts()
		}
		if err := s.run(); err == nil {
			return
		}
	}
	s.t.Fatalf("slapd does not start:\n%s", s.out)
}

// choosePorts finds ports that are free now.
func (s *Server) choosePorts() {
	for i := range s.ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		s.must(err)
		s.ports[i] = l.Addr().(*net.TCPAddr).Port
		l.Close()
	}
	s.URL = fmt.Sprintf("ldap://127.0.0.1:%d", s.ports[0])
	s.TLS = fmt.Sprintf("ldaps://127.0.0.1:%d", s.ports[1])
}

// run starts the program and waits until it answers.
func (s *Server) run() error {
	// The shell ends the server when its standard input does: also when this
	// process is killed.
	const watch = `exec 3<&0
"$1" -f "$2" -h "$3" -d 0 3<&- & pid=$!
(cat <&3; kill $pid) >/dev/null 2>&1 &
wait $pid`
	cmd := exec.Command("/bin/sh", "-c", watch, "sh",
		filepath.Join(s.dir, "slapd"), filepath.Join(s.dir, "slapd.conf"), s.URL+"/ "+s.TLS+"/")
	cmd.Stdout, cmd.Stderr = s.out, s.out
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.stdin, s.ended = in, make(chan error, 1)
	ended := s.ended
	go func() { ended <- cmd.Wait() }()
	late := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-late:
			s.Stop()
			return errors.New("it does not answer")
		case err := <-ended:
			in.Close()
			s.stdin = nil
			return fmt.Errorf("it ended: %v", err) // a port is taken, most likely
		case <-tick.C:
		}
		if s.ldap, err = lib.DialURL(s.URL); err == nil {
			if err = s.ldap.Bind(admin, adminPassword); err == nil {
				return nil
			}
			s.ldap.Close()
		}
	}
}

// Stop stops the server, if it runs. What is in it stays.
func (s *Server) Stop() {
	if s.stdin == nil {
		return
	}
	if s.ldap != nil {
		s.ldap.Close()
	}
	s.stdin.Close()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Errorf("slapd does not stop:\n%s", s.out)
	}
	s.stdin, s.ldap = nil, nil
}

// log is what the server says.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String returns what was said so far.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o700)
}
