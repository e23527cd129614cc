package transport_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/sipgw/transport"
)

// A caller is one connection to the transport.
type caller struct {
	b    *bed
	nc   net.Conn
	mu   sync.Mutex
	got  []byte
	over bool
	done sync.WaitGroup
}

func (b *bed) dial(from, to string) *caller {
	b.t.Helper()
	nc, err := b.net.DialFrom(context.Background(), netip.MustParseAddrPort(from), netip.MustParseAddrPort(to))
	if err != nil {
		b.t.Fatal(err)
	}
	return b.reading(nc)
}

// reading keeps what comes on a connection.
func (b *bed) reading(nc net.Conn) *caller {
	c := &caller{b: b, nc: nc}
	c.done.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := nc.Read(buf)
			c.mu.Lock()
			c.got = append(c.got, buf[:n]...)
			c.over = c.over || err != nil
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	return c
}

func (c *caller) close() { c.nc.Close(); c.done.Wait() }

func (c *caller) send(text string) {
	io.WriteString(c.nc, text)
	synctest.Wait()
}

func (c *caller) take() (got string, over bool) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	got, c.got = string(c.got), nil
	return got, c.over
}

// overTCP is a message as it goes over TCP.
func overTCP(text string) string { return strings.Replace(wire(text), "/UDP", "/TCP", 1) }

const tcpFrom = "198.51.100.9:41000"

func TestStreamInPieces(t *testing.T) {
	play(t, transport.Options{}, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		c := b.dial(tcpFrom, gateway)
		defer c.close()
		text := "\r\n" + overTCP(register) + overTCP(strings.Replace(register, "reg1", "reg2", 1))[:100]
		for i := range text {
			c.send(text[i : i+1])
		}
		got, over := c.take()
		if b.starts(got, "SIP/2.0 200 OK\r\n"); over || strings.Count(got, "SIP/2.0 2") != 1 {
			t.Fatalf("%v: %s", over, got)
		}
		c.send(overTCP(strings.Replace(register, "reg1", "reg2", 1))[100:] + overTCP(invite))
		if got, _ = c.take(); strings.Count(got, "SIP/2.0 200") != 2 {
			t.Errorf("%s", got)
		}
		c.send("\r\n\r\n") // RFC 5626 §3.5.1
		if got, _ = c.take(); got != "\r\n" {
			t.Errorf("%q", got)
		}
	})
}

func TestStreamThatCannotBeFramed(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no length":      {strings.Replace(register, "\nl: 0", "", 1), "SIP/2.0 400 Bad Content-Length"},
		"no number":      {strings.Replace(register, "\nl: 0", "\nl: x", 1), "SIP/2.0 400 Bad Content-Length"},
		"two lengths":    {strings.Replace(register, "\nl: 0", "\nl: 0\nContent-Length: 7", 1), "SIP/2.0 400 Bad Content-Length"},
		"a large body":   {strings.Replace(register, "\nl: 0", "\nl: 70000", 1), "SIP/2.0 513 Message Too Large"},
		"endless header": {strings.Replace(register, "\nl: 0", "\nX: "+strings.Repeat("x", 70000), 1)[:69000], ""},
		"a response":     {"\nSIP/2.0 200 OK\nl: x\n\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, transport.Options{}, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
				p := b.dial(tcpFrom, gateway)
				defer p.close()
				p.send(overTCP(c.text))
				if got, over := p.take(); !over || !strings.HasPrefix(got, c.want) {
					t.Errorf("%v: %q", over, got)
				}
			})
		})
	}
}

// A binding's flow is its connection: requests go there, and when it ends whoever
// keeps it is told.
func TestFlowOfAConnection(t *testing.T) {
	var flow transport.Flow
	var closed []transport.Flow
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("REGISTER", func(r *transport.Request) { flow = r.Flow(); r.Respond(200, "") })
		b.tr.OnFlowClosed(func(f transport.Flow) { closed = append(closed, f) })
	}, func(b *bed) {
		c := b.dial(tcpFrom, gateway)
		defer c.close()
		c.send(overTCP(register))
		c.take()
		if flow.Kind() != transport.TCP || flow.String() != "TCP "+tcpFrom || !flow.Open() {
			t.Fatal(flow)
		}
		again, ok := b.tr.FlowOf(b.tr.Token(flow))
		if !ok || again != flow {
			t.Errorf("%v %v", again, ok)
		}
		if _, ok := b.tr.FlowOf("x" + b.tr.Token(flow)); ok {
			t.Error("a token that is not ours")
		}
		var r results
		o := outgoing("OPTIONS")
		o.Flow = flow
		b.tr.Start(o, r.got)
		got, _ := c.take()
		b.starts(got, "OPTIONS sip:2001@")
		if !strings.HasPrefix(value(got, "Via"), "SIP/2.0/TCP 192.0.2.1:5060;") || value(got, "Contact") != "<sip:192.0.2.1:5060;transport=tcp>" {
			t.Errorf("%s", got)
		}
		sleep(10 * time.Second)
		if more, _ := c.take(); more != "" {
			t.Errorf("sent again: %s", more)
		}
		token := b.tr.Token(flow)
		c.close()
		synctest.Wait()
		if len(closed) != 1 || closed[0] != flow || flow.Open() {
			t.Errorf("%v", closed)
		}
		if len(r.errs) != 1 || !errors.Is(r.errs[0], transport.ErrUnreachable) {
			t.Errorf("%+v", r)
		}
		if _, ok := b.tr.FlowOf(token); ok {
			t.Error("a token of what is gone")
		}
		b.tr.Start(o, r.got)
		if len(r.errs) != 2 {
			t.Errorf("%+v", r)
		}
	})
}

// RFC 5626 §5.3: those of UDP are good after a restart, with the same key.
func TestTokensOfUDP(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 32)
	var token string
	play(t, transport.Options{Key: key}, nil, func(b *bed) {
		f, err := b.tr.FlowTo(transport.URI{Scheme: "sip", Host: "192.0.2.7"})
		if err != nil {
			t.Fatal(err)
		}
		token = b.tr.Token(f)
	})
	play(t, transport.Options{Key: key}, nil, func(b *bed) {
		if f, ok := b.tr.FlowOf(token); !ok || f.Remote() != netip.MustParseAddrPort(phoneAt) {
			t.Error(f, ok)
		}
	})
	play(t, transport.Options{}, nil, func(b *bed) {
		if _, ok := b.tr.FlowOf(token); ok {
			t.Error("another key")
		}
		for _, bad := range []string{"", "!", "AAAA", token[:20]} {
			if _, ok := b.tr.FlowOf(bad); ok {
				t.Error(bad)
			}
		}
	})
}

func TestConnectionsThatAreOpened(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		ln, err := b.net.Listen(calledAt)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		var r results
		o := outgoing("OPTIONS")
		o.URI = "sip:pbx@192.0.2.8;transport=tcp"
		b.tr.Start(o, r.got)
		b.tr.Start(o, r.got) // waits for the same connection
		nc, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := b.reading(nc)
		defer c.close()
		got, _ := c.take()
		reqs := strings.SplitAfter(got, "\r\n\r\n")
		if len(reqs) != 3 {
			t.Fatalf("%q", reqs)
		}
		c.send(answer(reqs[0], "200 OK"))
		c.send(answer(reqs[1], "200 OK"))
		if len(r.status) != 2 {
			t.Errorf("%+v", r)
		}
		o.URI = "sip:pbx@192.0.2.99;transport=tcp" // nobody is there
		b.tr.Start(o, r.got)
		synctest.Wait()
		if len(r.errs) != 1 || transport.Status(r.errs[0]) != 503 {
			t.Errorf("%+v", r)
		}
	})
}

func TestIdleAndStuckConnections(t *testing.T) {
	play(t, transport.Options{}, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		idle, stuck, alive := b.dial(tcpFrom, gateway), b.dial("198.51.100.9:41001", gateway), b.dial("198.51.100.9:41002", gateway)
		defer idle.close()
		defer stuck.close()
		defer alive.close()
		stuck.send("REGISTER sip:")
		sleep(45 * time.Second)
		if _, over := stuck.take(); !over {
			t.Error("stuck within a message, and still there")
		}
		for range 10 {
			alive.send("\r\n\r\n")
			sleep(time.Minute)
		}
		_, gone := idle.take()
		if _, over := alive.take(); over || !gone {
			t.Errorf("idle: %v, alive: %v", gone, !over)
		}
	})
}

func TestTooManyConnections(t *testing.T) {
	o := transport.Options{Config: transport.Config{Limits: transport.Limits{ConnectionsPerAddress: 2, Connections: 3}}}
	play(t, o, nil, func(b *bed) {
		for i, want := range []bool{false, false, true} {
			c := b.dial(netip.AddrPortFrom(netip.MustParseAddr("198.51.100.9"), uint16(41000+i)).String(), gateway)
			defer c.close()
			if _, over := c.take(); over != want {
				t.Errorf("%d: %v", i, over)
			}
		}
		for i, want := range []bool{false, true} {
			c := b.dial(netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), uint16(41000+i)).String(), gateway)
			defer c.close()
			if _, over := c.take(); over != want {
				t.Errorf("%d: %v", i, over)
			}
		}
	})
}

// A peer that takes nothing is cut off, and nobody waits for it.
func TestPeerThatTakesNothing(t *testing.T) {
	var flow transport.Flow
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("REGISTER", func(r *transport.Request) { flow = r.Flow() })
	}, func(b *bed) {
		nc, err := b.net.DialFrom(context.Background(), netip.MustParseAddrPort(tcpFrom), netip.MustParseAddrPort(gateway))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, overTCP(register))
		synctest.Wait()
		o := outgoing("MESSAGE")
		o.Flow, o.Body = flow, make([]byte, 60_000)
		for range 10 {
			b.tr.Start(o, func(*transport.Response, error) {})
		}
		if flow.Open() {
			t.Error("600 kB wait for somebody who takes nothing")
		}
	})
}

func TestTLS(t *testing.T) {
	cert := selfSigned(t)
	o := transport.Options{
		Config:      transport.Config{ListenTLS: []string{"192.0.2.1:5061"}},
		Certificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return cert, nil },
	}
	play(t, o, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		nc, err := b.net.DialFrom(context.Background(), netip.MustParseAddrPort(tcpFrom), netip.MustParseAddrPort("192.0.2.1:5061"))
		if err != nil {
			t.Fatal(err)
		}
		tc := tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		c := b.reading(tc)
		defer c.close()
		c.send(strings.Replace(wire(register), "/UDP", "/TLS", 1))
		got, _ := c.take()
		b.starts(got, "SIP/2.0 200 OK")

		mute := b.dial("198.51.100.9:41001", "192.0.2.1:5061") // says nothing at all
		defer mute.close()
		sleep(time.Minute)
		if _, over := mute.take(); !over {
			t.Error("a connection that never begins is still there")
		}
	})
	if _, err := transport.New(transport.Options{Config: o.Config}); err == nil {
		t.Error("TLS without a certificate")
	}
}

func selfSigned(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"example.org"}, NotAfter: time.Now().Add(100 * 365 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

const wsRequest = "GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n"

// masked is a frame as clients send it.
func masked(head byte, data string) string {
	b := []byte{head, 0x80 | 126}
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	if len(data) < 126 {
		b = []byte{head, 0x80 | byte(len(data))}
	}
	b = append(b, 1, 2, 3, 4)
	for i := range len(data) {
		b = append(b, data[i]^byte(i%4+1))
	}
	return string(b)
}

func TestWebSocket(t *testing.T) {
	o := transport.Options{Config: transport.Config{ListenWS: []string{"192.0.2.1:80"}}}
	play(t, o, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
		c := b.dial(tcpFrom, "192.0.2.1:80")
		defer c.close()
		c.send(wsRequest)
		got, _ := c.take()
		b.starts(got, "HTTP/1.1 101 ")
		if value(got, "Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || value(got, "Sec-WebSocket-Protocol") != "sip" {
			t.Fatal(got) // the example of RFC 6455 §1.3
		}
		text := strings.Replace(strings.Replace(wire(register), "/UDP", "/WS", 1), "l: 0\r\n", "", 1) // RFC 7118 §5.1: no length is needed
		c.send(masked(0x01, text[:20]) + masked(0x00, text[20:40]) + masked(0x89, "hi") + masked(0x80, text[40:]))
		if got, _ = c.take(); !strings.HasPrefix(got, "\x8a\x02hi") || !strings.Contains(got, "SIP/2.0 200 OK") {
			t.Fatalf("%q", got)
		}
		c.send(masked(0x81, "\r\n\r\n"))
		if got, _ = c.take(); got != "\x81\x02\r\n" {
			t.Errorf("%q", got)
		}
		c.send(masked(0x88, "\x03\xe8"))
		if got, over := c.take(); !over || got != "\x88\x02\x03\xe8" {
			t.Errorf("%v %q", over, got)
		}
	})
}

func TestBadWebSockets(t *testing.T) {
	for name, text := range map[string]string{
		"another protocol": strings.Replace(wsRequest, "Protocol: sip", "Protocol: xmpp", 1),
		"no upgrade":       strings.Replace(wsRequest, "websocket", "h2c", 1),
		"not masked":       wsRequest + "\x81\x02hi",
		"a huge frame":     wsRequest + "\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00",
		"a split ping":     wsRequest + masked(0x09, "hi"),
		"a piece too much": wsRequest + masked(0x80, "hi"),
		"reserved bits":    wsRequest + masked(0xc1, "hi"),
		"unknown":          wsRequest + masked(0x83, "hi"),
	} {
		t.Run(name, func(t *testing.T) {
			o := transport.Options{Config: transport.Config{ListenWS: []string{"192.0.2.1:80"}}}
			play(t, o, func(b *bed) { ordinary(b.tr) }, func(b *bed) {
				c := b.dial(tcpFrom, "192.0.2.1:80")
				defer c.close()
				c.send(text)
				if got, over := c.take(); !over || strings.Contains(got, "SIP/2.0") {
					t.Errorf("%v %q", over, got)
				}
			})
		})
	}
}
