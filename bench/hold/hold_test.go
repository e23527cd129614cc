package main

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// server is a SIP server that asks for credentials, and tells who subscribes.
type server struct {
	conn     net.PacketConn
	requests []string
}

var field = regexp.MustCompile(`(?m)^(Via|From|To|Call-ID|CSeq): .*\r$`)

func (s *server) run() {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		text := string(buf[:n])
		method, _, _ := strings.Cut(text, " ")
		if method == "SIP/2.0" {
			s.requests = append(s.requests, "answered")
			return
		}
		head := strings.Join(field.FindAllString(text, -1), "\n") + "\n"
		status := "200 OK"
		if !strings.Contains(text, "Authorization: ") {
			status = "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"n\", opaque=\"0\", qop=\"auth\", algorithm=MD5"
		} else if want := `response="` + known[method] + `"`; !strings.Contains(text, want) && known[method] != "" {
			status = "403 Forbidden"
		}
		s.requests = append(s.requests, method+" "+status[:3])
		if method == "SUBSCRIBE" && status == "200 OK" { // it may overtake the answer
			fmt.Fprintf(writer{s.conn, from}, "NOTIFY sip:x SIP/2.0\r\n%s\r\n", strings.Replace(head, "SUBSCRIBE", "NOTIFY", 1))
		}
		fmt.Fprintf(writer{s.conn, from}, "SIP/2.0 %s\r\n%sContent-Length: 0\r\n\r\n", status, head)
	}
}

// known are the right answers of dev0 to the challenge, where they were worked out by
// other means.
var known = map[string]string{"REGISTER": "6b7337f7dd0ae6e9ef14ae5572bcceda"}

type writer struct {
	conn net.PacketConn
	to   net.Addr
}

func (w writer) Write(b []byte) (int, error) { return w.conn.WriteTo(b, w.to) }

func TestHold(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, done := &server{conn: conn}, make(chan struct{})
	go func() { s.run(); close(done) }()
	h := &holder{domain: "x", prefix: "dev", secret: "passpass", count: 1}
	out, err := measure(h, conn.LocalAddr().String(), os.Getpid(), time.Millisecond)
	<-done
	if err != nil || out["ok"] != true || out["pss_start_mib"].(float64) <= 0 {
		t.Errorf("%v, %v", out, err)
	}
	want := "REGISTER 401, REGISTER 200, SUBSCRIBE 401, SUBSCRIBE 200, answered"
	if got := strings.Join(s.requests, ", "); got != want {
		t.Errorf("the server had %s, want %s", got, want)
	}
}
