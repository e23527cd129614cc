package uplink

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

const head = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='phones.x' id='77'>"

// far is the server at the other end of a link, as far as a test plays it.
type far struct {
	t      *testing.T
	link   *Link
	log    bytes.Buffer
	cancel context.CancelFunc
	ended  chan error
	secret string

	mu    sync.Mutex // guards what follows
	here  chan net.Conn
	down  error // why nobody can connect
	taken []string
	ups   int
	downs int
}

// begin has a link run against a server.
func begin(t *testing.T, change func(*Parts)) *far {
	f := &far{t: t, here: make(chan net.Conn, 100), secret: "a secret of the gateway", ended: make(chan error, 1)}
	parts := Parts{
		Config: Config{Server: "server:5347", RetryMax: 8 * time.Second}, Domain: "phones.x", Host: "x",
		Secret: func() (string, error) { return f.secret, nil },
		Dial:   f.dial, Take: f.take, Up: func(context.Context) { f.ups++ }, Down: func() { f.downs++ },
		Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	}
	if change != nil {
		change(&parts)
	}
	f.link = New(parts)
	ctx, cancel := context.WithCancel(t.Context())
	f.cancel = cancel
	go func() { f.ended <- f.link.Run(ctx) }()
	return f
}

func (f *far) dial(context.Context, string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return nil, f.down
	}
	ours, theirs := net.Pipe()
	f.here <- theirs
	return ours, nil
}

func (f *far) take(st *stanza.Stanza, from, to jid.JID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = append(f.taken, fmt.Sprintf("%s %s>%s", st.Kind, from, to))
	if st.Kind == stanza.Message && !st.IsType("error") {
		return stanza.Refuse(stanza.ErrForbidden, "not <now>")
	}
	return nil
}

// block lets nobody connect, or everybody again.
func (f *far) block(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = why
}

// end stops the link and waits for it.
func (f *far) end() {
	f.cancel()
	if err := <-f.ended; err != nil {
		f.t.Error(err)
	}
}

// read reads until the words have come, and returns all that has.
func read(t *testing.T, nc net.Conn, words string) string {
	t.Helper()
	var got []byte
	b := make([]byte, 4096)
	for !strings.Contains(string(got), words) {
		n, err := nc.Read(b)
		got = append(got, b[:n]...)
		if err != nil {
			t.Fatalf("%v before %q; the link has said %q", err, words, got)
		}
	}
	return string(got)
}

// greet takes a connection to where the server waits for the handshake.
func (f *far) greet() net.Conn {
	f.t.Helper()
	nc := <-f.here
	if got := read(f.t, nc, ">"); !strings.Contains(got, "to='phones.x'") || !strings.Contains(got, "jabber:component:accept") {
		f.t.Errorf("the header is %q", got)
	}
	io.WriteString(nc, head)
	return nc
}

// admit lets a connection in; more is what the server says in the same breath.
func (f *far) admit(more string) net.Conn {
	f.t.Helper()
	nc := f.greet()
	sum := sha1.Sum([]byte("77" + f.secret)) // XEP-0114 §3
	read(f.t, nc, "<handshake>"+hex.EncodeToString(sum[:])+"</handshake>")
	io.WriteString(nc, "<handshake/>"+more)
	return nc
}

func (f *far) logged() string {
	synctest.Wait()
	return f.log.String()
}

// What comes is taken, and refused in the name of whom it is for; what the server says
// together with the end of the handshake is not lost.
func TestStanzas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t, nil)
		nc := f.admit("<presence from='ada@x/desk' to='2001@phones.x' type='probe'/>")
		io.WriteString(nc, "<message xmlns='jabber:component:accept' from='ada@x/desk' to='2001@phones.x' id='&lt;1'><body>tea?</body></message>")
		if got := read(t, nc, "</message>"); got != "<message type='error' from='2001@phones.x' to='ada@x/desk' id='&lt;1'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>not &lt;now&gt;</text></error></message>" {
			t.Errorf("the answer is %s", got)
		}
		for _, quiet := range []string{
			"<message from='ada@x' to='2001@phones.x' type='error'/>", "<iq type='result' id='1' from='ada@x' to='2001@phones.x'/>",
			"<iq type='get' id='1' from='a@b@c' to='phones.x'><q xmlns='q'/></iq>", "<iq type='get' id='1' from='ada@x' to='elsewhere'><q xmlns='q'/></iq>", " \n",
		} {
			io.WriteString(nc, quiet)
		}
		io.WriteString(nc, "<iq type='get' from='ada@x' to='phones.x'><q xmlns='q'/></iq>") // without an id
		read(t, nc, "<bad-request")
		if err := f.link.Send(t.Context(), []byte("<presence xmlns='jabber:client' from='2001@phones.x/sip' to='ada@x'/>")); err != nil {
			t.Error(err)
		}
		if got := read(t, nc, "to='ada@x'/>"); !strings.HasSuffix(got, "<presence xmlns='jabber:component:accept' from='2001@phones.x/sip' to='ada@x'/>") {
			t.Errorf("sent is %s", got)
		}
		go func() { read(t, nc, "</stream:stream>"); io.WriteString(nc, "</stream:stream>"); nc.Close() }()
		f.end()
		want := "[presence ada@x/desk>2001@phones.x message ada@x/desk>2001@phones.x message ada@x>2001@phones.x iq ada@x>2001@phones.x]"
		if got := fmt.Sprint(f.taken); got != want || f.ups != 1 || f.downs != 1 {
			t.Errorf("taken is %s; up %d times, down %d", got, f.ups, f.downs)
		}
	})
}

// Each reason is said once, and it is tried again: after a second, after two, and so on.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t, nil)
		reasons := []struct{ says, hears string }{
			{"<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>", "the secret is not the one"},
			{"<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>who?</text></stream:error>", `host-unknown (\"who?\"): it has no component of this domain`},
			{"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", "served by another component"},
			{"<welcome/>", "handshake failed"},
			{"", "cut the connection during the handshake"},
			{strings.Repeat("<!-- -->", hello), "handshake failed"},
		}
		for _, r := range reasons {
			for range 2 {
				nc := f.greet()
				go io.Copy(io.Discard, nc)
				io.WriteString(nc, r.says)
				nc.Close()
			}
			if n := strings.Count(f.logged(), r.hears); n != 1 {
				t.Errorf("%q is said %d times:\n%s", r.hears, n, f.log.String())
			}
			f.log.Reset()
		}
		f.block(errors.New("connection refused"))
		time.Sleep(time.Minute)
		if got := f.logged(); strings.Count(got, "connection refused") != 1 || strings.Contains(got, f.secret) {
			t.Errorf("it is said:\n%s", got)
		}
		f.block(nil)
		began := time.Now()
		nc := f.admit("")
		if wait := time.Since(began); wait > 10*time.Second {
			t.Errorf("it took %v to try again", wait)
		}
		go io.Copy(io.Discard, nc)
		f.end()
		if got := f.logged(); !strings.Contains(got, "connected to the XMPP server") {
			t.Errorf("it is said:\n%s", got)
		}
	})
}

// A server that takes connections and says nothing is no server.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t, nil)
		go io.Copy(io.Discard, <-f.here)
		time.Sleep(greetIn + time.Second)
		if got := f.logged(); !strings.Contains(got, "is that the port for components?") {
			t.Errorf("it is said:\n%s", got)
		}
		nc := f.admit("")
		read(t, nc, "<ping xmlns='urn:xmpp:ping'/></iq>") // after a while
		io.WriteString(nc, " ")                           // it lives
		read(t, nc, "<ping xmlns='urn:xmpp:ping'/></iq>")
		go io.Copy(io.Discard, nc)
		time.Sleep(silence + time.Second)
		if got := f.logged(); !strings.Contains(got, "does not answer any more") {
			t.Errorf("it is said:\n%s", got)
		}
		f.end()
	})
}

// Stored says what the server has taken: it goes by the answer to a ping.
func TestStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t, nil)
		var heard []string
		note := func(name string) func(bool) {
			return func(ok bool) { f.mu.Lock(); heard = append(heard, fmt.Sprint(name, ok)); f.mu.Unlock() }
		}
		f.link.Stored(note("early "))
		nc := f.admit("")
		synctest.Wait()
		f.link.Stored(note("a "))
		read(t, nc, "id='uplink-1'")
		f.link.Stored(note("b "))
		f.link.Stored(note("c "))
		io.WriteString(nc, "<iq type='result' id='uplink-9' from='x' to='phones.x'/><iq type='result' id='uplink-1' from='eve@x' to='phones.x'/>")
		synctest.Wait()
		io.WriteString(nc, "<iq type='error' id='uplink-1' from='x' to='phones.x'/>") // it knows no pings
		read(t, nc, "id='uplink-2'")
		synctest.Wait()
		if got := fmt.Sprint(heard); got != "[early false a true]" {
			t.Errorf("heard is %s", got)
		}
		f.link.Stored(note("d "))
		time.Sleep(pongIn) // it answers no more
		read(t, nc, "id='uplink-3'")
		nc.Close()
		synctest.Wait()
		if got := fmt.Sprint(heard); got != "[early false a true b false c false d false]" {
			t.Errorf("heard is %s", got)
		}
		if err := f.link.Send(t.Context(), []byte("<presence/>")); !errors.Is(err, stanza.ErrRemoteTimeout) {
			t.Errorf("without a link: %v", err)
		}
		f.end()
	})
}

// A server that reads nothing is left; who sends much waits for room.
func TestOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := begin(t, func(p *Parts) { p.Outbox = 10_000 })
		nc := f.admit("")
		synctest.Wait()
		if err := f.link.Room(t.Context()); err != nil {
			t.Error(err)
		}
		big := []byte("<message>" + strings.Repeat("x", 3000) + "</message>")
		n := 0
		for f.link.Send(t.Context(), big) == nil {
			if n++; n == 3 { // whether one is being written or all wait
				synctest.Wait()
				short, cancel := context.WithTimeout(t.Context(), time.Second)
				if err := f.link.Room(short); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("there is room: %v", err)
				}
				cancel()
			}
		}
		if n != 3 {
			t.Errorf("%d were taken", n)
		}
		time.Sleep(writeIn + time.Second)
		if got := f.logged(); !strings.Contains(got, "no connection") {
			t.Errorf("it is said:\n%s", got)
		}
		nc.Close()
		f.end()
	})
}

// one is a connection that has all its input at once.
type one struct {
	net.Conn
	in  *bytes.Reader
	out bytes.Buffer
}

func (o *one) Read(b []byte) (int, error)         { return o.in.Read(b) }
func (o *one) Write(b []byte) (int, error)        { return o.out.Write(b) }
func (o *one) Close() error                       { return nil }
func (o *one) SetDeadline(time.Time) error        { return nil }
func (o *one) SetReadDeadline(t time.Time) error  { return nil }
func (o *one) SetWriteDeadline(t time.Time) error { return nil }

// FuzzStream: whatever the server says, what is taken has addresses, and what is
// answered is well-formed.
func FuzzStream(f *testing.F) {
	for _, s := range []string{
		"<message from='a@x' to='b@phones.x'><body>t</body></message></stream:stream>",
		"<iq xmlns='jabber:component:accept' from='a@x' to='phones.x' id='1' type='get'><q xmlns='jabber:component:accept'/></iq>",
		"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
		"<a:presence xmlns:a='jabber:component:accept' from=\"a@x/'&quot;\" to='phones.x/&lt;'/>", "<iq type='result' id='uplink-0' from='x' to='phones.x'/>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, said string) {
		l := New(Parts{Domain: "phones.x", Host: "x", Take: func(st *stanza.Stanza, from, to jid.JID) error {
			if from.IsZero() || to.Domain() != "phones.x" {
				t.Errorf("%q: taken from %q to %q", said, from, to)
			}
			return stanza.ErrForbidden
		}})
		nc := &one{in: bytes.NewReader([]byte(said))}
		c, err := l.proven(nc, []byte(head+"<handshake/>"))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.serve(t.Context()); err == nil {
			t.Error("it ended for no reason")
		}
		sc := stream.New(stream.DefaultLimits)
		big := stream.Limits{Stanza: 1 << 20, Tag: 1 << 20, Depth: 64, Attrs: 64, Namespaces: 64}
		sc.Reset(big, nsAccept, []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}})
		for out := nc.out.Bytes(); len(out) > 0; {
			n := copy(sc.Space(), out)
			sc.Filled(n)
			out = out[n:]
			for {
				if _, err = sc.Next(); err != nil {
					break
				}
			}
			if err != stream.Short && err != stream.End {
				t.Fatalf("%q was answered %q: %v", said, nc.out.String(), err)
			}
		}
	})
}
