package stanza

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Attr is an attribute with its value unescaped; Space is "" without a prefix.
type Attr struct{ Space, Local, Value string }

// Element is a parsed element, for the features that look inside. The stanza
// path does without.
type Element struct {
	Space, Local string
	Attrs        []Attr
	Nodes        []Node
}

// Node is a piece of an element's content: a child, or text if Elem is nil.
type Node struct {
	Elem *Element
	Text string
}

// Attr returns the value of the attribute without a prefix, or "".
func (e *Element) Attr(local string) string {
	v, _ := e.LookupAttr(local)
	return v
}

// LookupAttr is Attr that also tells whether the attribute is there.
func (e *Element) LookupAttr(local string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Local == local && a.Space == "" {
			return a.Value, true
		}
	}
	return "", false
}

// Child returns the first child of that name, or nil; an empty space matches
// the element's own namespace.
func (e *Element) Child(space, local string) *Element {
	for _, c := range e.Elements() {
		if c.Is(space, local) || space == "" && c.Is(e.Space, local) {
			return c
		}
	}
	return nil
}

// Elements returns the child elements in order.
func (e *Element) Elements() []*Element {
	var all []*Element
	for _, n := range e.Nodes {
		if n.Elem != nil {
			all = append(all, n.Elem)
		}
	}
	return all
}

// Is reports whether the element has that name.
func (e *Element) Is(space, local string) bool { return e.Local == local && e.Space == space }

// Text returns the character data directly inside the element.
func (e *Element) Text() string {
	if len(e.Nodes) == 1 {
		return e.Nodes[0].Text
	}
	var s strings.Builder
	for _, n := range e.Nodes {
		s.WriteString(n.Text)
	}
	return s.String()
}

// ChildText returns the text of the first child of that name, or "".
func (e *Element) ChildText(space, local string) string {
	if c := e.Child(space, local); c != nil {
		return c.Text()
	}
	return ""
}

// AppendXML appends the element; parent is the default namespace where it will
// stand. Names are written without prefixes, but for attributes of a namespace,
// whose prefix is declared in place, and what is in the namespace of xml:lang.
// So a stranger's element can grow by the length of a namespace for each of its
// children; Stanza.AppendChild is for those.
func (e *Element) AppendXML(dst []byte, parent string) []byte {
	name, space := e.Local, e.Space
	if space == nsXML {
		// Namespaces in XML §3: it must not be declared as the default.
		name, space = "xml:"+name, parent
	}
	dst = append(append(dst, '<'), name...)
	if space != parent {
		dst = append(dst, " xmlns='"...)
		dst = append(AppendText(dst, space), '\'')
	}
	for i := range e.Attrs {
		dst = e.appendAttr(dst, i)
	}
	if len(e.Nodes) == 0 {
		return append(dst, "/>"...)
	}
	dst = append(dst, '>')
	for _, n := range e.Nodes {
		if n.Elem != nil {
			dst = n.Elem.AppendXML(dst, space)
		} else {
			dst = AppendText(dst, n.Text)
		}
	}
	return append(append(append(dst, "</"...), name...), '>')
}

// appendAttr appends the attribute with that index. Each namespace is declared
// once, with the first attribute of it.
func (e *Element) appendAttr(dst []byte, n int) []byte {
	a := e.Attrs[n]
	name := a.Local
	switch a.Space {
	case "":
	case nsXML:
		name = "xml:" + a.Local
	default:
		first := slices.IndexFunc(e.Attrs, func(x Attr) bool { return x.Space == a.Space })
		p := "a" + strconv.Itoa(first)
		if first == n {
			dst = AppendAttr(dst, "xmlns:"+p, a.Space)
		}
		name = p + ":" + a.Local
	}
	dst = append(append(append(dst, ' '), name...), "='"...)
	return append(AppendText(dst, a.Value), '\'')
}

var errBroken = errors.New("stanza: not a validated element")

// Parse parses validated bytes that hold one element in the scope of the given
// default namespace and prefixes. It does not validate again.
func Parse(raw []byte, space string, prefixes []Prefix) (*Element, error) {
	p := parser{b: raw}
	p.bind("", space)
	p.bind("xml", nsXML)
	for _, x := range prefixes {
		p.bind(x.Prefix, x.URI)
	}
	return p.element()
}

// Element parses the stanza.
func (s *Stanza) Element() (*Element, error) { return Parse(s.Raw, NSClient, s.Prefixes) }

// Payload parses the first child of the stanza; nil if it has none.
func (s *Stanza) Payload() *Element {
	e, err := s.Element()
	if err != nil {
		return nil
	}
	if all := e.Elements(); len(all) > 0 {
		return all[0]
	}
	return nil
}

type parser struct {
	b     []byte
	at    int
	scope []Prefix
}

func (p *parser) bind(prefix, uri string) { p.scope = append(p.scope, Prefix{prefix, uri}) }

func (p *parser) lookup(prefix string) string {
	for i := len(p.scope) - 1; i >= 0; i-- {
		if p.scope[i].Prefix == prefix {
			return p.scope[i].URI
		}
	}
	return ""
}

// element parses the element that begins at p.at.
func (p *parser) element() (*Element, error) {
	if p.at+1 >= len(p.b) || p.b[p.at] != '<' {
		return nil, errBroken
	}
	mark := len(p.scope)
	e := &Element{}
	empty, err := p.startTag(e)
	if err != nil {
		return nil, err
	}
	if !empty {
		if err := p.content(e); err != nil {
			return nil, err
		}
	}
	p.scope = p.scope[:mark]
	return e, nil
}

func (p *parser) startTag(e *Element) (empty bool, err error) {
	p.at++
	name := p.name()
	var attrs []Attr
	for {
		p.space()
		if p.at >= len(p.b) {
			return false, errBroken
		}
		if c := p.b[p.at]; c == '>' || c == '/' {
			break
		}
		key := p.name()
		value, ok := p.value()
		if !ok {
			return false, errBroken
		}
		if pre, ok := strings.CutPrefix(key, "xmlns"); ok && (pre == "" || pre[0] == ':') {
			p.bind(strings.TrimPrefix(pre, ":"), value)
			continue
		}
		attrs = append(attrs, Attr{Local: key, Value: value})
	}
	e.Space, e.Local = p.resolve(name, true)
	for i := range attrs {
		attrs[i].Space, attrs[i].Local = p.resolve(attrs[i].Local, false)
	}
	e.Attrs = attrs
	if empty = p.b[p.at] == '/'; empty {
		p.at++
	}
	p.at++
	return empty, nil
}

func (p *parser) resolve(name string, element bool) (space, local string) {
	if pre, rest, ok := strings.Cut(name, ":"); ok {
		return p.lookup(pre), rest
	}
	if element {
		return p.lookup(""), name
	}
	return "", name
}

func (p *parser) content(e *Element) error {
	for {
		n := p.text()
		if n > p.at {
			e.Nodes = append(e.Nodes, Node{Text: Text(p.b[p.at:n])})
			p.at = n
		}
		if p.at+1 >= len(p.b) {
			return errBroken
		}
		if p.b[p.at+1] == '/' {
			i := bytes.IndexByte(p.b[p.at:], '>')
			if i < 0 {
				return errBroken
			}
			p.at += i + 1
			return nil
		}
		c, err := p.element()
		if err != nil {
			return err
		}
		e.Nodes = append(e.Nodes, Node{Elem: c})
	}
}

// text returns where the character data at p.at ends, CDATA sections included.
func (p *parser) text() int {
	i := p.at
	for i < len(p.b) {
		if p.b[i] != '<' {
			i++
			continue
		}
		if !bytes.HasPrefix(p.b[i:], []byte(cdataOpen)) {
			break
		}
		n := bytes.Index(p.b[i:], []byte(cdataClose))
		if n < 0 {
			return len(p.b)
		}
		i += n + len(cdataClose)
	}
	return i
}

func (p *parser) name() string {
	i := p.at
	for i < len(p.b) && !isSpace(p.b[i]) && p.b[i] != '=' && p.b[i] != '>' && p.b[i] != '/' {
		i++
	}
	s := string(p.b[p.at:i])
	p.at = i
	return s
}

func (p *parser) space() {
	for p.at < len(p.b) && isSpace(p.b[p.at]) {
		p.at++
	}
}

func (p *parser) value() (string, bool) {
	p.space()
	p.at++ // '='
	p.space()
	if p.at >= len(p.b) {
		return "", false
	}
	q := p.b[p.at]
	n := bytes.IndexByte(p.b[p.at+1:], q)
	if n < 0 {
		return "", false
	}
	s := Text(p.b[p.at+1 : p.at+1+n])
	p.at += n + 2
	return s, true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
