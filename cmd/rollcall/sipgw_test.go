package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const gatewaySecret = "a secret of a gateway"

// What is to be typed, and what is missing, is said.
func TestGatewayWants(t *testing.T) {
	c := newCommand(t, "")
	c.fails("", []string{"sipgw"}, "rollcall serve", "rollcall sipgw --component")
	c.fails("", []string{"sipgw", "--component"}, "phones.localhost", "sipgw.secret_file", "ROLLCALL_SIPGW_SECRET")
	c.configure("sipgw.server = ''\n")
	c.fails("", []string{"sipgw", "--component"}, "sipgw.server is empty")
	c.configure("sipgw.server = 'xmpp.example.org:5347'\n")
	c.fails("", []string{"sipgw", "--component"}, "no encryption", "plaintext = true")
	c.configure("sipgw.secret_file = '" + filepath.Join(c.dir, "secret") + "'\n")
	c.fails("", []string{"sipgw", "--component"}, "no such file")
	if err := os.WriteFile(filepath.Join(c.dir, "secret"), []byte(gatewaySecret), 0o644); err != nil {
		t.Fatal(err)
	}
	c.fails("", []string{"sipgw", "--component"}, "others can read", "chmod")
	if err := os.WriteFile(c.config, []byte("sip.listen = []\nsipgw.secret = '"+gatewaySecret+"'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.fails("", []string{"sipgw", "--component"}, "sip.listen is empty")
	if out := c.must("", "config", "show"); strings.Contains(out, gatewaySecret) || !strings.Contains(out, "# secret is set") {
		t.Errorf("the secret is shown: %s", out)
	}
}

// beside is a gateway that runs.
type beside struct {
	*command
	log    *lines
	cancel context.CancelFunc
	done   chan error
}

// startBeside starts a gateway as the program does.
func startBeside(t *testing.T, settings string) *beside {
	t.Helper()
	g := &beside{command: newCommand(t, settings), log: newLines(t), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	cfg := g.load()
	log, level := newLog(g.log, cfg.Log)
	p, err := buildGateway(ctx, cfg, log)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	p.level, p.reread = level, (&common{g.config}).load
	go func() { g.done <- p.run(ctx) }()
	g.log.await("msg=ready")
	return g
}

// ends waits for its end.
func (g *beside) ends() {
	g.t.Helper()
	select {
	case err := <-g.done:
		if err != nil {
			g.t.Errorf("the gateway stopped with %v", err)
		}
	case <-time.After(patience):
		g.t.Fatal("the gateway does not stop")
	}
}

// The gateway runs beside a server of ours, is run by the same commands, and stops by a
// signal and by an order.
func TestGateway(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	port := freePort(t)
	components := "[sipgw]\nserver = '" + port + "'\n[components]\nlisten = ['" + port + "']\ndomains = [{ name = 'phones.localhost', secret = '" + gatewaySecret + "' }]\n"
	t.Setenv("ROLLCALL_SIPGW_SECRET", gatewaySecret)
	g := startBeside(t, components)
	g.log.await("no connection to the XMPP server") // which is not there yet
	s := serveWith(t, false, components)
	g.log.await("connected to the XMPP server")
	s.log.await("a component has come")

	if out := g.must("", "device", "add", "2001"); !strings.Contains(out, "2001@phones.localhost") {
		t.Errorf("a device is added: %s", out)
	}
	if out := g.must("", "explain", "2001@phones.localhost"); !strings.Contains(out, "2001@phones.localhost") {
		t.Errorf("it is explained: %s", out)
	}
	g.must("", "journal", "2001@phones.localhost", "--calls")
	g.must("", "state", "set", "2001@phones.localhost", "maintenance", "--for", "1h")
	g.must("a long password\n", "account", "add", "ada@localhost", "--password-stdin")
	g.must("", "device", "assign", "2001", "ada")
	g.must("", "account", "remove", "ada@localhost")
	if out := g.must("", "device", "show", "2001"); strings.Contains(out, "ada@") {
		t.Errorf("it is still hers: %s", out)
	}
	g.fails("", []string{"session", "list"}, "only the SIP gateway is running")
	g.fails("", []string{"account", "export"}, "accounts are at another server")
	g.fails("", []string{"sipgw", "--component"}, "a server is running on")
	g.must("", "shutdown")
	g.ends()
	g.cancel()
	s.log.await("a component has gone")

	again := startBeside(t, components)
	again.log.await("connected to the XMPP server")
	again.cancel()
	again.ends()
	s.stop()
	for _, l := range []*lines{g.log, again.log} {
		close(l.next)
		for line := range l.next {
			l.seen = append(l.seen, line)
		}
		if text := strings.Join(l.seen, ""); strings.Contains(text, gatewaySecret) || strings.Contains(text, "level=ERROR") {
			t.Errorf("the log has\n%s", text)
		}
	}
}

// SIGHUP has it take up what can change.
func TestGatewayReloads(t *testing.T) {
	t.Setenv("ROLLCALL_SIPGW_SECRET", gatewaySecret)
	c := newCommand(t, "")
	var out bytes.Buffer
	log, level := newLog(&out, c.load().Log)
	g, err := buildGateway(t.Context(), c.load(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer g.db.Close()
	g.level, g.reread = level, (&common{c.config}).load
	c.configure("server.admins = ['ada@localhost']\nsipgw.retry_max = '1m'\n")
	g.reload()
	if !g.parts.Desk.Admin("ada@localhost") || !strings.Contains(out.String(), "sipgw.retry_max") || g.cfg.Uplink.RetryMax == time.Minute {
		t.Errorf("it says %s", out.String())
	}
	out.Reset()
	c.configure("server.admins = ['ada@elsewhere']\n")
	g.reload()
	if !strings.Contains(out.String(), "nothing has changed") {
		t.Errorf("it says %s", out.String())
	}
}

// A port that is taken is said, and nothing stays open.
func TestGatewayFailsCleanly(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Setenv("ROLLCALL_SIPGW_SECRET", gatewaySecret)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := newCommand(t, "")
	text := "server.data_dir = '" + filepath.Join(c.dir, "data") + "'\nsip.listen = ['" + taken.Addr().String() + "']\n"
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.fails("", []string{"sipgw", "--component"}, "rollcall doctor")
}
