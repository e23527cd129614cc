package wire

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/transcript"
)

// Patience is how long anything that is expected may take.
const Patience = 20 * time.Second

// A Client is one connection. It belongs to one goroutine, but for Say, which
// may have another.
type Client struct {
	net.Conn // what is spoken over: TCP, or TLS over it
	TCP      *net.TCPConn

	t   testing.TB
	buf []byte // received and not asked for
}

// Dial connects.
func Dial(t testing.TB, address string) *Client {
	t.Helper()
	nc, err := net.DialTimeout("tcp", address, Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &Client{Conn: nc, TCP: nc.(*net.TCPConn), t: t}
}

// DialTLS connects with TLS from the first byte.
func DialTLS(t testing.TB, address string, cfg *tls.Config) *Client {
	t.Helper()
	c := Dial(t, address)
	c.Encrypt(cfg)
	return c
}

// Encrypt makes the connection one of TLS.
func (c *Client) Encrypt(cfg *tls.Config) {
	c.t.Helper()
	if err := c.TryEncrypt(cfg); err != nil {
		c.t.Fatal(err)
	}
}

// TryEncrypt is Encrypt where that may fail.
func (c *Client) TryEncrypt(cfg *tls.Config) error {
	t := tls.Client(c.TCP, cfg)
	c.SetDeadline(time.Now().Add(Patience))
	if err := t.Handshake(); err != nil {
		return err
	}
	c.Conn = t
	return nil
}

// TLS returns what is known of the encryption.
func (c *Client) TLS() tls.ConnectionState { return c.Conn.(*tls.Conn).ConnectionState() }

// Header opens a stream to the domain of the tests.
const Header = "<?xml version='1.0'?><stream:stream to='" + transcript.Domain +
	"' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"

// Say sends text.
func (c *Client) Say(text string) {
	c.t.Helper()
	if err := c.TrySay(text); err != nil {
		c.t.Fatalf("send %.60q: %v", text, err)
	}
}

// TrySay is Say where that may fail.
func (c *Client) TrySay(text string) error {
	c.SetWriteDeadline(time.Now().Add(Patience))
	_, err := io.WriteString(c.Conn, text)
	return err
}

// Until receives until the text has come, and returns all up to its end.
func (c *Client) Until(text string) string {
	c.t.Helper()
	got, err := c.TryUntil(text)
	if err != nil {
		c.t.Fatalf("waiting for %q: %v, after %.2000q", text, err, c.buf)
	}
	return got
}

// TryUntil is Until where that may fail; what came is then still to be had.
func (c *Client) TryUntil(text string) (string, error) {
	c.SetReadDeadline(time.Now().Add(Patience))
	from := 0
	for {
		if i := bytes.Index(c.buf[from:], []byte(text)); i >= 0 {
			n := from + i + len(text)
			got := string(c.buf[:n])
			c.buf = append(c.buf[:0], c.buf[n:]...)
			return got, nil
		}
		from = max(0, len(c.buf)-len(text)+1)
		if err := c.receive(); err != nil {
			return "", err
		}
	}
}

func (c *Client) receive() error {
	p := make([]byte, 16<<10)
	n, err := c.Read(p)
	c.buf = append(c.buf, p[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// Rest receives until the server ends the connection, and returns what came.
func (c *Client) Rest() string {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(Patience))
	for {
		err := c.receive()
		switch {
		case err == nil:
		case ended(err):
			got := string(c.buf)
			c.buf = nil
			return got
		default:
			c.t.Fatalf("waiting for the end: %v, after %.2000q", err, c.buf)
		}
	}
}

// ended reports whether an error says that the server has closed.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// Fails wants the stream to end with a stream error of that condition.
func (c *Client) Fails(condition string) string {
	c.t.Helper()
	got := c.Rest()
	if !strings.Contains(got, "<stream:error><"+condition+" ") || !strings.HasSuffix(got, "</stream:stream>") {
		c.t.Fatalf("got %.2000q\nwant the error %s and the end of the stream", got, condition)
	}
	return got
}

// Open opens a stream and returns the features.
func (c *Client) Open() string {
	c.t.Helper()
	c.Say(Header)
	return c.Until("</stream:features>")
}

// Plain returns an <auth/> element.
func Plain(name, password string) string {
	return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
		base64.StdEncoding.EncodeToString([]byte("\x00"+name+"\x00"+password)) + "</auth>"
}

// Authenticate opens a stream, logs in and opens another.
func (c *Client) Authenticate(name string) {
	c.t.Helper()
	c.Open()
	c.Say(Plain(name, transcript.Password))
	c.Until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	c.Open()
}

// Bind binds a resource.
func (c *Client) Bind(resource string) {
	c.t.Helper()
	c.Say("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>")
	c.Until("/" + resource + "</jid></bind></iq>")
}

// Login takes a new connection to where it can chat.
func (c *Client) Login(name, resource string) {
	c.t.Helper()
	c.Authenticate(name)
	c.Bind(resource)
	c.Say("<presence/>")
	c.Until("<presence")
	c.Until(">")
	c.Ping()
}

// Ping sends something to the server and waits for the answer, so that all that
// was sent before has been handled.
func (c *Client) Ping() {
	c.t.Helper()
	c.Say("<iq type='get' id='ping' to='" + transcript.Domain + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	c.Until("<iq type='result' id='ping'")
	c.Until(">")
}

// Within wants something to come true.
func Within(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(Patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("in vain: ", what)
		case <-tick.C:
		}
	}
}
