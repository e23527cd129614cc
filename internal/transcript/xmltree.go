package transcript

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	nsClient = "jabber:client"
	nsStream = "http://etherx.jabber.org/streams"
	nsErrors = "urn:ietf:params:xml:ns:xmpp-streams"
	nsXML    = "http://www.w3.org/XML/1998/namespace"
)

var streamName = xml.Name{Space: nsStream, Local: "stream"}

// A node is an element. Where its text stood between its children is forgotten:
// nothing in XMPP depends on it.
type node struct {
	name  xml.Name
	attrs []xml.Attr // without namespace declarations
	kids  []*node
	text  string
}

// attr returns an attribute's value and whether it is there.
func (n *node) attr(name xml.Name) (string, bool) {
	for _, a := range n.attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// opened is an element of which the start tag has been read.
func opened(start xml.StartElement) *node {
	n := &node{name: start.Name}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && a.Name != (xml.Name{Local: "xmlns"}) {
			n.attrs = append(n.attrs, a)
		}
	}
	return n
}

var errForbidden = errors.New("XMPP forbids comments, processing instructions and directives")

// readElement reads the rest of an element, from after its start tag.
func readElement(dec *xml.Decoder, start xml.StartElement) (*node, error) {
	n := opened(start)
	var text strings.Builder
	for {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			kid, err := readElement(dec, token)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			n.text = strings.TrimSpace(text.String())
			return n, nil
		default:
			// RFC 6120 §11.1
			return nil, errForbidden
		}
	}
}

// readFragment reads elements that stand beside each other, as they would
// inside a client's stream.
func readFragment(text string) ([]*node, error) {
	const before = "<stream:stream xmlns='" + nsClient + "' xmlns:stream='" + nsStream + "'>"
	dec := xml.NewDecoder(strings.NewReader(before + text + "</stream:stream>"))
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	root, err := readElement(dec, token.(xml.StartElement))
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is an end tag too many")
	}
	if root.text != "" {
		return nil, fmt.Errorf("%q stands outside of any element", root.text)
	}
	return root.kids, nil
}

// readHeader reads the start tag of a stream, which nothing closes.
func readHeader(text string) (*node, error) {
	nodes, err := readFragment(declaration(text) + "</stream:stream>")
	if err != nil {
		return nil, err
	}
	if len(nodes) != 1 || nodes[0].name != streamName || len(nodes[0].kids) > 0 {
		return nil, errors.New("a stream header is one start tag")
	}
	return nodes[0], nil
}

// declaration returns the text without an XML declaration at its head.
func declaration(text string) string {
	if strings.HasPrefix(text, "<?xml") {
		if _, rest, ok := strings.Cut(text, "?>"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return text
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", "'", "&apos;")

// show writes an element for a message to people, namespaces where they change.
func (n *node) show() string {
	var out strings.Builder
	n.write(&out, nsClient)
	return out.String()
}

func (n *node) write(out *strings.Builder, space string) {
	out.WriteString("<" + n.name.Local)
	if n.name.Space != space {
		fmt.Fprintf(out, " xmlns='%s'", n.name.Space)
	}
	for _, a := range n.attrs {
		name := a.Name.Local
		if a.Name.Space == nsXML {
			name = "xml:" + name
		}
		fmt.Fprintf(out, " %s='%s'", name, escape.Replace(a.Value))
	}
	if n.text == "" && len(n.kids) == 0 {
		out.WriteString("/>")
		return
	}
	out.WriteString(">")
	for _, kid := range n.kids {
		kid.write(out, n.name.Space)
	}
	out.WriteString(escape.Replace(n.text) + "</" + n.name.Local + ">")
}
