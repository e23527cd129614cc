package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/config"
)

// command runs the program's command line with a configuration of its own in a
// fresh directory, and returns what it printed.
type command struct {
	t      *testing.T
	dir    string
	config string
}

func newCommand(t *testing.T, settings string) *command {
	t.Helper()
	// A control socket's path must be short, which t.TempDir's may not be.
	dir, err := os.MkdirTemp("", "rollcall")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &command{t, dir, filepath.Join(dir, "rollcall.toml")}
	c.configure(settings)
	return c
}

// configure writes the configuration.
func (c *command) configure(settings string) {
	c.t.Helper()
	text := "server.data_dir = '" + filepath.Join(c.dir, "data") + "'\nc2s.listen = ['127.0.0.1:0']\nc2s.listen_tls = []\nsip.listen = ['127.0.0.1:0']\nauth.iterations = 4096\n" + settings
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *command) load() *config.Config {
	c.t.Helper()
	cfg, err := config.Load(c.config)
	if err != nil {
		c.t.Fatal(err)
	}
	return cfg
}

// run runs a command with a standard input.
func (c *command) run(in string, args ...string) (string, error) {
	c.t.Helper()
	var out bytes.Buffer
	cmd := root()
	cmd.SetArgs(append([]string{"--config", c.config}, args...))
	cmd.SetIn(strings.NewReader(in))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(context.Background())
	return out.String(), err
}

// must runs a command that has to succeed.
func (c *command) must(in string, args ...string) string {
	c.t.Helper()
	out, err := c.run(in, args...)
	if err != nil {
		c.t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return out
}

// fails runs a command that has to fail, with all of the given words.
func (c *command) fails(in string, args []string, words ...string) {
	c.t.Helper()
	out, err := c.run(in, args...)
	if err == nil {
		c.t.Errorf("%s: no error, and printed %q", strings.Join(args, " "), out)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			c.t.Errorf("%s: the error is %q, without %q", strings.Join(args, " "), err, w)
		}
	}
}
