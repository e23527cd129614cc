package crash

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// patience is how long anything that has to come may take.
	patience = 30 * time.Second

	domain   = "crash.example"
	password = "what the tests type"
)

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rollcall-crash")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "rollcall")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "rollcall/cmd/rollcall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// program is the built server with a data directory of its own. It belongs to
// the goroutine of the test.
type program struct {
	t        *testing.T
	path     string
	config   string
	settings string

	address string // where it listens, once started
	running *exec.Cmd
	ended   chan error
	logs    *logs
}

// newProgram writes a configuration and makes accounts. Nothing runs yet.
func newProgram(t *testing.T, settings string, accounts ...string) *program {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// A control socket's path must be short, which t.TempDir's may not be.
	dir, err := os.MkdirTemp("", "rollcall")
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, path: path, config: filepath.Join(dir, "rollcall.toml"), settings: settings, logs: &logs{}}
	t.Cleanup(func() {
		p.kill()
		os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("the program's log:\n%s", p.logs)
		}
	})
	text := "server.domains = ['" + domain + "']\nserver.data_dir = '" + filepath.Join(dir, "data") + "'\n" +
		"server.shutdown_deadline = '10s'\n" +
		"c2s.listen = ['127.0.0.1:0']\nc2s.listen_tls = []\nc2s.plaintext_on_loopback = true\n" +
		"auth.iterations = 4096\noffline.max_messages = 100000\noffline.max_from_strangers = 0\nfloodgate.messages_per_minute = 0\n" + settings
	if !strings.Contains(settings, "sip.listen") {
		text += "sip.listen = ['127.0.0.1:0']\n"
	}
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range accounts {
		p.do(password+"\n", "account", "add", name+"@"+domain, "--password-stdin")
	}
	return p
}

// do has a command of the program succeed.
func (p *program) do(input string, args ...string) {
	p.t.Helper()
	cmd := exec.Command(p.path, append([]string{"--config", p.config}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// start starts the program and returns when it is ready.
func (p *program) start() {
	p.t.Helper()
	cmd := exec.Command(p.path, "--config", p.config, "serve")
	out, err := cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ready := make(chan string, 1)
	p.running, p.ended = cmd, make(chan error, 1)
	go func() {
		p.logs.follow(bufio.NewScanner(out), ready)
		p.ended <- cmd.Wait()
	}()
	select {
	case p.address = <-ready:
	case err := <-p.ended:
		p.running = nil
		p.t.Fatalf("the program ended before it was ready: %v", err)
	case <-time.After(patience):
		p.t.Fatal("the program is not ready")
	}
}

// kill ends the program as a power cut would, and returns when it is gone.
func (p *program) kill() {
	if p.running == nil {
		return
	}
	p.running.Process.Kill()
	<-p.ended
	p.running = nil
}

// stop asks the program to stop, and wants it to within its deadline.
func (p *program) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("the program stopped with %v", err)
		}
		p.running = nil
	case <-time.After(15 * time.Second):
		p.t.Fatal("the program does not stop")
	}
}

func (p *program) signal(s os.Signal) {
	p.t.Helper()
	if err := p.running.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// logs is what the program said.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

// follow reads to the end, and says where the program listens once it is ready.
func (l *logs) follow(lines *bufio.Scanner, ready chan<- string) {
	address := ""
	for lines.Scan() {
		line := lines.Text()
		l.mu.Lock()
		l.text.WriteString(line + "\n")
		l.mu.Unlock()
		if _, rest, found := strings.Cut(line, "msg=listening addr="); found {
			address, _, _ = strings.Cut(rest, " ")
		}
		if strings.Contains(line, "msg=ready") {
			ready <- address
		}
	}
}

// String returns the last of it.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.text.String()
	return s[max(0, len(s)-20_000):]
}
