package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Connections are listed before anybody has logged in on them, and can be
// closed.
func TestConnectionCommands(t *testing.T) {
	c := newCommand(t, "")
	c.fails("", []string{"connection", "list"}, "no server is running")
	parts := c.openSocket()
	if out := c.must("", "connection", "list"); out != "" {
		t.Errorf("nobody is there, and yet\n%s", out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- parts.Streams.Serve(context.Background(), listener, false) }()
	t.Cleanup(func() {
		listener.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		parts.Streams.StopAccepting()
		parts.Streams.Wait()
	})
	var clients []net.Conn
	for range 3 {
		nc, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(nc, "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
		if _, err := io.ReadAtLeast(nc, make([]byte, 4096), 100); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, nc)
	}
	out := c.must("", "connection", "list", "--address", "127.0.0.0/8")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "NUMBER ") {
		t.Fatalf("got\n%s", out)
	}
	for i, nc := range clients {
		for _, want := range []string{nc.LocalAddr().String(), listener.Addr().String(), " negotiating ", " none "} {
			if !strings.Contains(lines[i+1], want) {
				t.Errorf("no %q in %q", want, lines[i+1])
			}
		}
	}
	if out := c.must("", "connection", "list", "--address", "192.0.2.1"); out != "" {
		t.Errorf("nobody is there from that address, and yet\n%s", out)
	}
	c.fails("", []string{"connection", "list", "--address", "office"}, `"office" is neither an address nor a network`)
	if out := c.must("", "connection", "kill", "2"); !strings.Contains(out, "closed connection 2") {
		t.Errorf("got %q", out)
	}
	got, err := io.ReadAll(clients[1])
	if err != nil || !strings.Contains(string(got), "an administrator has closed this connection") {
		t.Errorf("the client got %q, %v", got, err)
	}
	c.fails("", []string{"connection", "kill", "99"}, "there is no connection 99; to see those there are type: rollcall connection list")
	c.fails("", []string{"connection", "kill", "two"}, `"two" is no count`)
	c.fails("", []string{"connection", "kill"}, "wants one number")
}
