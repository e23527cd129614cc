package siptest

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// A Field is one header.
type Field struct{ Name, Value string }

// A Message is what a phone sends or has received. It is read and written here by
// other code than the gateway's, so that the two check each other.
type Message struct {
	Method string // of a request
	URI    string
	Status int // of a response
	Reason string
	Fields []Field
	Body   string

	Raw  string         // as it came
	From netip.AddrPort // where it came from

	question *question // what waits for the answer; nil: nobody does
}

var errMessage = errors.New("siptest: not a SIP message")

// short are the short names of headers, of those that are met.
var short = map[string]string{
	"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type", "o": "event",
	"u": "allow-events", "k": "supported", "s": "subject", "e": "content-encoding", "x": "session-expires", "r": "refer-to", "b": "referred-by",
}

// full is a header's name in lower case and in full.
func full(name string) string {
	name = strings.ToLower(name)
	if long := short[name]; long != "" {
		return long
	}
	return name
}

// Read reads a message as it came.
func Read(raw string) (*Message, error) { return parse(raw, netip.AddrPort{}) }

// parse reads a message as it came.
func parse(raw string, from netip.AddrPort) (*Message, error) {
	head, body, ok := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := &Message{Raw: raw, From: from, Body: body}
	if !ok || !m.first(lines[0]) {
		return nil, errMessage
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errMessage
		}
		m.Fields = append(m.Fields, Field{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	if n, err := strconv.Atoi(m.Header("Content-Length")); err != nil || n != len(body) {
		return nil, errMessage
	}
	return m, nil
}

// first reads the first line.
func (m *Message) first(line string) bool {
	a, rest, _ := strings.Cut(line, " ")
	b, c, _ := strings.Cut(rest, " ")
	if a != "SIP/2.0" {
		m.Method, m.URI = a, b
		return c == "SIP/2.0" && b != ""
	}
	var err error
	m.Status, err = strconv.Atoi(b)
	m.Reason = c
	return err == nil && m.Status >= 100 && m.Status < 700
}

// Header is the value of the first header of a name, whichever form it came in.
func (m *Message) Header(name string) string {
	for _, v := range m.Values(name) {
		return v
	}
	return ""
}

// Values are the values of all headers of a name, one for each line.
func (m *Message) Values(name string) (out []string) {
	for _, f := range m.Fields {
		if full(f.Name) == full(name) {
			out = append(out, f.Value)
		}
	}
	return out
}

// CSeq is the number and the method in CSeq.
func (m *Message) CSeq() (int, string) {
	n, method, _ := strings.Cut(m.Header("CSeq"), " ")
	number, _ := strconv.Atoi(n)
	return number, method
}

// set replaces a header, or adds it.
func (m *Message) set(name, value string) {
	for i := range m.Fields {
		if full(m.Fields[i].Name) == full(name) {
			m.Fields[i].Value = value
			return
		}
	}
	m.Fields = append(m.Fields, Field{name, value})
}

// usual sets a header unless it is there.
func (m *Message) usual(name, value string) {
	if len(m.Values(name)) == 0 {
		m.Fields = append(m.Fields, Field{name, value})
	}
}

// String is the message as it is sent. Headers whose value is "(none)" are left
// out: that is how a script does without what is filled in for it.
func (m *Message) String() string {
	var b strings.Builder
	if m.Status != 0 {
		b.WriteString("SIP/2.0 " + strconv.Itoa(m.Status) + " " + m.Reason + "\r\n")
	} else {
		b.WriteString(m.Method + " " + m.URI + " SIP/2.0\r\n")
	}
	for _, f := range m.Fields {
		if f.Value != "(none)" {
			b.WriteString(f.Name + ": " + f.Value + "\r\n")
		}
	}
	return b.String() + "\r\n" + m.Body
}

// AnyReason is the reason phrase where none is written.
const AnyReason = "Whatever"

// Write makes a message of lines as people write them: the first one is a method
// with a URI or without, or a status; then come headers; what is behind a line
// with nothing but -- is the body.
func Write(text string) (*Message, error) {
	lines := strings.Split(text, "\n")
	m := &Message{}
	word, rest, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
	if n, err := strconv.Atoi(word); err == nil {
		m.Status, m.Reason = n, rest
		if rest == "" {
			m.Reason = AnyReason
		}
	} else {
		m.Method, m.URI = word, strings.TrimSpace(rest)
	}
	for i, line := range lines[1:] {
		if strings.TrimSpace(line) == "--" {
			m.Body = strings.Join(lines[i+2:], "\r\n")
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errors.New("siptest: no header, and no -- before a body: " + line)
		}
		m.Fields = append(m.Fields, Field{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return m, nil
}

// param is a parameter of an address: its tag.
func param(address, name string) string {
	_, params, ok := strings.Cut(address, ">")
	if !ok {
		params = address
	}
	for _, p := range strings.Split(params, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}

// inside is the URI of an address.
func inside(address string) string {
	if _, rest, ok := strings.Cut(address, "<"); ok {
		uri, _, _ := strings.Cut(rest, ">")
		return uri
	}
	uri, _, _ := strings.Cut(address, ";")
	return strings.TrimSpace(uri)
}
