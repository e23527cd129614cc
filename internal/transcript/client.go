package transcript

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
)

// An item is one thing received: a stanza, a header, an end.
type item struct {
	kind kind
	node *node  // for element and header
	raw  string // as it came
	why  string // for broken
}

// A client is one connection. Two goroutines pump it, so that neither side
// ever waits for the script to read or for the server to take what is sent.
type client struct {
	account   string // empty for a raw connection
	name      string // "ada/desk", or a raw connection's own name
	component bool   // it is a component's (XEP-0114)
	conn      net.Conn
	heard     func(c *client, raw string) // called for everything received
	pumps     sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond // on mu: out, ended or deaf has changed
	items   []item     // received and not yet read by the script
	out     []string   // sent by the script and not yet written
	ended   bool       // we have cut the connection
	over    bool       // the server has ended it
	deaf    bool       // the script has it stop reading
	ignored []pattern  // what matches one of these is not kept for the script
}

// newClient starts the pumps; hangUp ends them.
func newClient(account, name string, conn net.Conn, component bool, heard func(*client, string)) *client {
	c := &client{account: account, name: name, component: component, conn: conn, heard: heard}
	c.changed = sync.NewCond(&c.mu)
	c.pumps.Go(c.read)
	c.pumps.Go(c.write)
	return c
}

// hangUp cuts the connection and waits for the pumps.
func (c *client) hangUp() {
	c.mu.Lock()
	c.ended = true
	c.changed.Broadcast()
	c.mu.Unlock()
	c.conn.Close()
	c.pumps.Wait()
}

// gone reports whether the connection has ended, on either side.
func (c *client) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended || c.over
}

// send queues text for writing.
func (c *client) send(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, text)
	c.changed.Broadcast()
}

// stopReading makes the client deaf, or lets it hear again.
func (c *client) stopReading(deaf bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = deaf
	c.changed.Broadcast()
}

// unread returns a copy of what the script has not read.
func (c *client) unread() []item {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]item(nil), c.items...)
}

// take removes the i-th unread item.
func (c *client) take(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items = append(c.items[:i:i], c.items[i+1:]...)
}

// forget throws away what is unread, but for the end of the connection.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ends []item
	for _, it := range c.items {
		if it.kind != element && it.kind != header {
			ends = append(ends, it)
		}
	}
	c.items = ends
}

func (c *client) write() {
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.ended {
			c.changed.Wait()
		}
		if c.ended {
			c.mu.Unlock()
			return
		}
		text := c.out[0]
		c.out = c.out[1:]
		c.mu.Unlock()
		if _, err := io.WriteString(c.conn, text); err != nil {
			return // the reader sees the end of the connection too, and says so
		}
	}
}

func (c *client) read() {
	tape := &tape{from: c}
	dec := xml.NewDecoder(tape)
	headers := 0
	for {
		it, err := next(dec, &headers)
		raw := strings.TrimSpace(tape.cut(dec.InputOffset()))
		if err != nil {
			it = ending(err, raw)
		}
		it.raw = raw
		if c.component && it.node != nil {
			swap(it.node)
		}
		c.mu.Lock()
		ended := c.ended
		c.over = c.over || err != nil
		if !ended && !c.ignores(it) {
			c.items = append(c.items, it)
		}
		c.mu.Unlock()
		if ended {
			return
		}
		c.heard(c, it.describe())
		if err != nil {
			io.Copy(io.Discard, c.conn) // never let the server wait for us
			return
		}
	}
}

// ignores reports whether the script does not want to see an item. The caller
// holds mu.
func (c *client) ignores(it item) bool {
	return slices.ContainsFunc(c.ignored, func(p pattern) bool {
		_, err := p.match(it, vars{})
		return err == nil
	})
}

// next reads the next thing inside the stream. headers counts the stream
// headers that stand open: a stream restarted after authentication has two.
func next(dec *xml.Decoder, headers *int) (item, error) {
	for {
		token, err := dec.Token()
		if err != nil {
			return item{}, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name == streamName {
				*headers++
				return item{kind: header, node: opened(token)}, nil
			}
			n, err := readElement(dec, token)
			return item{kind: element, node: n}, err
		case xml.EndElement:
			*headers--
			return item{kind: closing}, nil
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				return item{}, fmt.Errorf("text outside of any stanza: %q", text)
			}
		case xml.ProcInst:
			// RFC 6120 §11.7: an XML declaration may stand before each header.
			if token.Target != "xml" {
				return item{}, errForbidden
			}
		default:
			return item{}, errForbidden
		}
	}
}

// ending tells an end of the connection between stanzas from one inside of a
// stanza and from what is not XML.
func ending(err error, raw string) item {
	var syntax *xml.SyntaxError
	atEnd := errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &syntax) && syntax.Msg == "unexpected EOF"
	if atEnd && raw == "" {
		return item{kind: cut}
	}
	return item{kind: broken, why: err.Error()}
}

// describe is the item as the transcript shows it.
func (it item) describe() string {
	switch it.kind {
	case cut:
		return "(the connection has ended)"
	case broken:
		return it.raw + " (broken: " + it.why + ")"
	}
	return it.raw
}

// A tape hands bytes to the decoder one by one and keeps them, so that what was
// received can be shown as it was.
type tape struct {
	from *client
	kept []byte // what the decoder has taken since the last cut
	base int64  // where in the stream kept begins
	ours []byte // received and not yet taken
	err  error
	buf  [4096]byte
}

// ReadByte makes the decoder take no more than it needs.
func (t *tape) ReadByte() (byte, error) {
	for len(t.ours) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		t.from.listen()
		var n int
		n, t.err = t.from.conn.Read(t.buf[:])
		t.ours = t.buf[:n]
		t.from.listen() // what came while it was deaf counts as still on the way
	}
	b := t.ours[0]
	t.ours = t.ours[1:]
	t.kept = append(t.kept, b)
	return b, nil
}

func (t *tape) Read(p []byte) (int, error) {
	b, err := t.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// cut returns what lies before the offset, and forgets it.
func (t *tape) cut(offset int64) string {
	n := min(int(offset-t.base), len(t.kept))
	out := string(t.kept[:n])
	t.kept = append([]byte(nil), t.kept[n:]...)
	t.base += int64(n)
	return out
}

// listen returns once the client is not deaf.
func (c *client) listen() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.deaf && !c.ended {
		c.changed.Wait()
	}
}
