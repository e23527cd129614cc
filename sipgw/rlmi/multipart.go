package rlmi

import (
	"bytes"
	"errors"
	"mime"
	"strconv"
	"strings"
)

// The limits of a body.
const (
	MaxBody  = 1 << 20 // bytes
	maxDepth = 3       // lists within lists
	maxLine  = 1024    // bytes of a header
)

// ErrMultipart is for a body that cannot be taken apart.
var ErrMultipart = errors.New("rlmi: malformed multipart body")

// Part is the state of one resource.
type Part struct {
	CID  string
	Type string // media type, in lower case and without parameters
	Body []byte

	// Nested is set where the part is a list itself; Body is that list's body.
	Nested *Notification
}

// Notification is a root document and the parts that it speaks of.
type Notification struct {
	List  List
	Parts []Part
}

// Part returns the part with that Content-ID, or nil.
func (n *Notification) Part(id string) *Part {
	for i := range n.Parts {
		if n.Parts[i].CID == id {
			return &n.Parts[i]
		}
	}
	return nil
}

const rootID = "list@rollcall"

// Append appends the body and returns it with its Content-Type. The boundary is one
// that no part has in it.
func (n *Notification) Append(dst []byte) (body []byte, contentType string) {
	boundary := n.boundary()
	root := n.List.CID
	if root == "" {
		root = rootID
	}
	at := len(dst)
	dst = appendHead(dst, boundary, root, ContentType)
	dst = n.List.Append(dst)
	for i := range n.Parts {
		p := &n.Parts[i]
		dst = appendHead(dst, boundary, p.CID, p.Type)
		dst = append(dst, p.Body...)
	}
	dst = append(append(append(dst, "\r\n--"...), boundary...), "--\r\n"...)
	// The first boundary needs no line break before it.
	dst = append(dst[:at], dst[at+2:]...)
	return dst, Multipart + `;type="` + ContentType + `";start="<` + root + `>";boundary="` + boundary + `"`
}

func appendHead(dst []byte, boundary, id, kind string) []byte {
	dst = append(append(dst, "\r\n--"...), boundary...)
	dst = append(append(dst, "\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <"...), id...)
	dst = append(append(dst, ">\r\nContent-Type: "...), kind...)
	if kind == ContentType {
		dst = append(dst, `;charset="UTF-8"`...)
	}
	return append(dst, "\r\n\r\n"...)
}

// boundary returns one that begins no line of any part.
func (n *Notification) boundary() string {
	for i := uint64(n.List.Version); ; i++ {
		b := "rollcall-" + strconv.FormatUint(i, 36)
		if !n.holds("\n--" + b) {
			return b
		}
	}
}

func (n *Notification) holds(line string) bool {
	for i := range n.Parts {
		b := n.Parts[i].Body
		if bytes.Contains(b, []byte(line)) || bytes.HasPrefix(b, []byte(line[1:])) {
			return true
		}
	}
	return false
}

// Parse takes a body apart. Its parts are those of body, without a copy.
func Parse(contentType string, body []byte) (*Notification, error) {
	return parse(contentType, body, 1)
}

func parse(contentType string, body []byte, depth int) (*Notification, error) {
	if len(body) > MaxBody || len(contentType) > maxLine || depth > maxDepth {
		return nil, ErrMultipart
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != Multipart || params["boundary"] == "" || len(params["boundary"]) > 70 {
		return nil, ErrMultipart
	}
	parts, err := split(body, []byte("--"+params["boundary"]))
	if err != nil || len(parts) == 0 {
		return nil, errors.Join(ErrMultipart, err)
	}
	root := 0
	if start := cid(params["start"]); start != "" {
		for i := range parts {
			if parts[i].CID == start {
				root = i
				break
			}
		}
	}
	if parts[root].Type != ContentType {
		return nil, ErrMultipart
	}
	list, err := ParseList(parts[root].Body)
	if err != nil {
		return nil, err
	}
	n := &Notification{List: *list}
	for i := range parts {
		if i == root {
			continue
		}
		p := parts[i].Part
		if p.Type == Multipart {
			if p.Nested, err = parse(parts[i].header, p.Body, depth+1); err != nil {
				return nil, err
			}
		}
		n.Parts = append(n.Parts, p)
	}
	return n, nil
}

// raw is a part with its whole Content-Type.
type raw struct {
	Part
	header string
}

// split cuts a body at its boundaries. What stands before the first and behind the
// last is nothing.
func split(body, mark []byte) ([]raw, error) {
	var out []raw
	lo := -1 // where the current part begins
	for i := 0; i <= len(body); {
		at := bytes.Index(body[i:], mark)
		if at < 0 {
			return nil, ErrMultipart // the last boundary is missing
		}
		at += i
		i = at + len(mark)
		if at > 0 && body[at-1] != '\n' {
			continue // not at the beginning of a line
		}
		last := bytes.HasPrefix(body[i:], []byte("--"))
		eol := bytes.IndexByte(body[i:], '\n')
		if !last && (eol < 0 || len(bytes.TrimSpace(body[i:i+eol])) > 0) {
			continue // a longer word that begins so
		}
		if lo >= 0 {
			if len(out) == MaxResources+1 {
				return nil, ErrTooMany
			}
			p, err := part(chop(body[lo:at]))
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		if last {
			return out, nil
		}
		lo = i + eol + 1
		i = lo
	}
	return nil, ErrMultipart
}

// chop removes the line break that belongs to the boundary behind it.
func chop(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// part reads the headers of a part.
func part(b []byte) (raw, error) {
	var p raw
	for headers := 0; ; headers++ {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok || headers > 16 || len(line) > maxLine {
			return p, ErrMultipart
		}
		b = rest
		text := strings.TrimSpace(string(line))
		if text == "" {
			p.Body = b
			return p, nil
		}
		for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') && len(text) < maxLine { // folded
			line, rest, ok = bytes.Cut(b, []byte("\n"))
			if !ok {
				return p, ErrMultipart
			}
			text, b = text+" "+strings.TrimSpace(string(line)), rest
		}
		if !p.set(text) {
			return p, ErrMultipart
		}
	}
}

// set takes a header; false for an encoding that is none of SIP's.
func (p *raw) set(line string) bool {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "content-id":
		p.CID = cid(value)
	case "content-type", "c":
		p.header = value
		kind, _, _ := strings.Cut(value, ";")
		p.Type = strings.ToLower(strings.TrimSpace(kind))
	case "content-transfer-encoding":
		switch strings.ToLower(value) {
		case "binary", "8bit", "7bit", "":
		default:
			return false
		}
	}
	return true
}
