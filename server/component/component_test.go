package component

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// XEP-0114 §3 has an example, whose secret is "test".
func TestProves(t *testing.T) {
	const id, right = "3BF96D32", "aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e"
	for _, c := range []struct {
		handshake, secret string
		want              bool
	}{
		{right, "test", true}, {right, "Test", false}, {strings.ToUpper(right), "test", false}, {"", "test", false}, {right + "0", "test", false},
	} {
		if proves(c.handshake, id, c.secret) != c.want {
			t.Errorf("%q with the secret %q: not %v", c.handshake, c.secret, c.want)
		}
	}
}

type everybody struct{}

// Lookup implements server.Accounts.
func (everybody) Lookup(context.Context, jid.Bare) (int64, bool, error) { return 1, true, nil }

// newServer returns a server of components on a server of its own.
func newServer(t testing.TB, cfg Config) (*Server, *server.Server, error) {
	cfg.AuthTimeout = time.Minute
	cfg.BeforeAuth, cfg.AfterAuth = stream.DefaultLimits, stream.DefaultLimits
	s, err := New(cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	main := server.Config{Domains: []server.Domain{{Name: "x"}}, OutboxBytes: 1 << 20}
	for _, d := range cfg.Domains {
		main.Annexes = append(main.Annexes, d.Name)
	}
	return s, server.New(t.Context(), server.Options{Config: main, Accounts: everybody{}, Features: []server.Feature{s}}), nil
}

var streamID = regexp.MustCompile(` id='([^']+)'>$`)

// connect has a component say who it is and prove a secret; it returns what the
// server answers, and the connection.
func connect(t *testing.T, s *Server, domain, secret string) (answer string, nc net.Conn) {
	theirs, ours := net.Pipe()
	s.ServeConn(t.Context(), ours)
	read := func() string {
		b := make([]byte, 4096)
		n, _ := theirs.Read(b)
		return string(b[:n])
	}
	io.WriteString(theirs, "<stream:stream xmlns='"+NSAccept+"' xmlns:stream='"+stanza.NSStream+"' to='"+domain+"'>")
	m := streamID.FindStringSubmatch(read())
	if m == nil {
		t.Fatal("there is no stream header")
	}
	sum := sha1.Sum([]byte(m[1] + secret))
	io.WriteString(theirs, "<handshake>"+hex.EncodeToString(sum[:])+"</handshake>")
	return read(), theirs
}

// A secret in a file can be changed while the server runs. What others can read is
// none.
func TestSecretFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	write := func(text string, mode os.FileMode) {
		os.Remove(file)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Config{Domains: []Domain{{Name: "phones.x", SecretFile: file}}}
	for _, wrong := range []func(){func() {}, func() { write("hello\n", 0o644) }, func() { write("\n", 0o600) }} {
		wrong()
		if _, _, err := newServer(t, cfg); err == nil || strings.Contains(err.Error(), "hello") {
			t.Errorf("a secret that is none was taken: %v", err)
		}
	}
	write("hello\nworld\n", 0o600)
	s, srv, err := newServer(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hello", "good bye"} {
		write(secret+"\r\n", 0o600)
		answer, nc := connect(t, s, "Phones.x", secret)
		if answer != "<handshake/>" {
			t.Errorf("%q: %s", secret, answer)
		}
		nc.Close()
		s.wg.Wait()
		if srv.Reach("phones.x") == nil {
			t.Error("the component is still there")
		}
	}
	os.Remove(file)
	if answer, _ := connect(t, s, "phones.x", "good bye"); !strings.Contains(answer, "internal-server-error") || strings.Contains(answer, file) {
		t.Errorf("without its file: %s", answer)
	}
}

// How many connections an address may open, and how many may be there that have
// proven nothing, is bounded.
func TestTooManyConnections(t *testing.T) {
	cfg := Config{Domains: []Domain{{Name: "phones.x", Secret: "s"}}, ConnectsPerMinute: maxFresh + 3}
	s, _, err := newServer(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var all []net.Conn
	open := func() bool {
		theirs, ours := net.Pipe()
		all = append(all, theirs)
		s.ServeConn(t.Context(), ours)
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns) == len(all)
	}
	for i := range maxFresh + 1 {
		if !open() {
			t.Fatalf("connection %d was refused", i)
		}
	}
	if open() {
		t.Error("one too many was let in")
	}
	for _, nc := range all {
		nc.Close()
	}
	s.wg.Wait()
	all = nil
	if !open() || open() {
		t.Error("how many come in a minute does not count as it should")
	}
	all[0].Close()
	s.wg.Wait()
}

// A component that sends more than it may is read as fast as it may send.
func TestReadRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Domains: []Domain{{Name: "phones.x", Secret: "s"}}, BytesPerSecond: 1000, BurstBytes: 1000}
		s, _, err := newServer(t, cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, nc := connect(t, s, "phones.x", "s")
		go io.Copy(io.Discard, nc)
		began := time.Now()
		for range 20 {
			io.WriteString(nc, "<presence from='a@phones.x' to='nobody@x'><status>"+strings.Repeat("x", 440)+"</status></presence>")
		}
		if took := time.Since(began); took < 7*time.Second || took > 12*time.Second {
			t.Errorf("10 kB at 1 kB a second took %v", took)
		}
		nc.Close()
		s.wg.Wait()
	})
}

// tape is a connection on which all has been said already.
type tape struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func (c *tape) Read(b []byte) (int, error)       { return c.in.Read(b) }
func (c *tape) Write(b []byte) (int, error)      { return c.out.Write(b) }
func (c *tape) Close() error                     { return nil }
func (c *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// Whatever is said on a connection, nobody gets in who does not know the secret, and
// the answer is a stream.
func FuzzHandshake(f *testing.F) {
	head := "<stream:stream xmlns='" + NSAccept + "' xmlns:stream='" + stanza.NSStream + "' to='phones.x'>"
	f.Add(head + "<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>")
	f.Add("<?xml version='1.0'?>" + head + "<handshake/></stream:stream>")
	f.Add("<s:stream xmlns:s='" + stanza.NSStream + "' xmlns='jabber:client' version='1.0' to='&#x70;hones.x'>")
	f.Add(head + "<message from='a@phones.x' to='ada@x'><body/></message>")
	f.Fuzz(func(t *testing.T, said string) {
		s, srv, err := newServer(t, Config{Domains: []Domain{{Name: "phones.x", Secret: "a secret"}}})
		if err != nil {
			t.Fatal(err)
		}
		c := &tape{in: bytes.NewReader([]byte(said))}
		newConn(s, c).run(t.Context())
		if srv.Reach("phones.x") == nil || bytes.Contains(c.out.Bytes(), []byte("<handshake")) {
			t.Fatalf("%q was let in: %s", said, c.out.Bytes())
		}
		if b := c.out.Bytes(); len(b) > 0 && !bytes.HasPrefix(b, []byte("<?xml version='1.0'?><stream:stream ")) {
			t.Fatalf("%q: %s", said, b)
		}
	})
}

// What a component sends is one stanza in the namespace of clients, with as many
// children and the same addresses, or it ends the stream; and what goes back is the
// same in its own namespace.
func FuzzNamespaces(f *testing.F) {
	f.Add(`xmlns:c='jabber:component:accept'`, `<c:message from='a@phones.x' to='b@x'><c:body>x</c:body></c:message>`)
	f.Add(``, `<message xmlns="jabber:component:accept" to='b@x'><body xmlns='jabber:component:accept'>x</body><y xmlns='urn:y'/></message>`)
	f.Add(``, `<iq id='1' type='get'><q xmlns='urn:q' a="xmlns='jabber:component:accept'"><![CDATA[<a xmlns='jabber:component:accept'>]]></q></iq>`)
	f.Fuzz(func(t *testing.T, declared, raw string) {
		if len(declared)+len(raw) > 2000 {
			return
		}
		sc := stream.New(stream.DefaultLimits)
		sc.Filled(copy(sc.Space(), "<stream:stream xmlns='"+NSAccept+"' xmlns:stream='"+stanza.NSStream+"' "+declared+">"+raw))
		if _, err := sc.Header(NSAccept); err != nil && err != stream.ErrUnsupportedVersion {
			return
		}
		sc.Rename(NSAccept, stanza.NSClient)
		st, err := sc.Next()
		if err != nil {
			return
		}
		to, kids := string(st.To), len(st.Children)
		got, err := incoming(st)
		if err != nil || got.Kind == stanza.Other {
			return
		}
		if string(got.To) != to && stanza.Text(got.To) != stanza.Text([]byte(to)) || len(got.Children) != kids {
			t.Fatalf("%q %q became %q", declared, raw, got.Raw)
		}
		out := got.Append(nil, "f@x", "t@x")
		if _, err := server.Whole(out); err != nil {
			t.Fatalf("%q %q became %q: %v", declared, raw, out, err)
		}
		back := stream.New(stream.Limits{Stanza: 1 << 16, Tag: 1 << 16, Depth: 128, Attrs: 64, Namespaces: 128})
		back.Reset(stream.Limits{Stanza: 1 << 16, Tag: 1 << 16, Depth: 128, Attrs: 64, Namespaces: 128}, NSAccept, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}})
		st, err = back.Whole(outgoing(out))
		if err != nil || len(st.Children) != kids {
			t.Fatalf("%q goes back as %q: %v", out, outgoing(out), err)
		}
		if sp := string(st.Name.Space); sp != NSAccept {
			t.Fatalf("%q goes back in %s", outgoing(out), sp)
		}
	})
}
