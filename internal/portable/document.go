package portable

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"rollcall/xmpp/stanza"
)

// Limits of what is read, which are for a file that is broken or evil: nothing
// that servers write comes near.
const (
	maxElement = 16 << 20 // bytes of what is held in memory at once
	maxDepth   = 100      // of nested elements
	maxOpen    = 8        // documents that include one another
)

var (
	errLarge   = errors.New("this is larger than anything that could be meant")
	errDeep    = errors.New("elements are nested too deep")
	errDoctype = errors.New("a document type definition is not read")
)

// document is one file that is being read.
type document struct {
	name string // as people know it
	in   *meter
	dec  *xml.Decoder
	at   time.Time // when it was written, as far as is known
}

func newDocument(name string, in io.Reader, at time.Time) *document {
	m := &meter{in: bufio.NewReaderSize(in, 64<<10), left: maxElement}
	return &document{name: name, in: m, dec: xml.NewDecoder(m), at: at}
}

// meter stops reading when too much has been read since it was last set.
type meter struct {
	in   *bufio.Reader
	left int
}

// ReadByte implements io.ByteReader; the XML decoder uses nothing else.
func (m *meter) ReadByte() (byte, error) {
	if m.left--; m.left < 0 {
		return 0, errLarge
	}
	return m.in.ReadByte()
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	if len(p) > m.left {
		p = p[:max(m.left, 0)]
	}
	if len(p) == 0 {
		return 0, errLarge
	}
	n, err := m.in.Read(p)
	m.left -= n
	return n, err
}

// place is where the decoder is.
func (d *document) place() Place {
	line, _ := d.dec.InputPos()
	return Place{d.name, line}
}

// fail says where an error of the decoder happened.
func (d *document) fail(err error) error {
	var syntax *xml.SyntaxError
	var path *fs.PathError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s:%d: this is no XML: %s", d.name, syntax.Line, syntax.Msg)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the file ends too early", d.place())
	case errors.As(err, &path):
		return err
	}
	return fmt.Errorf("%s: %w", d.place(), err)
}

// root returns the start tag of the document's one element.
func (d *document) root() (xml.StartElement, error) {
	for {
		t, err := d.token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if start, ok := t.(xml.StartElement); ok {
			return start, nil
		}
	}
}

func (d *document) token() (xml.Token, error) {
	t, err := d.dec.Token()
	if err != nil {
		return nil, d.fail(err)
	}
	if _, ok := t.(xml.Directive); ok {
		return nil, d.fail(errDoctype)
	}
	return t, nil
}

// child returns the next child of the element that the document is in; found is
// false at its end.
func (d *document) child() (start xml.StartElement, found bool, err error) {
	for {
		d.in.left = maxElement
		t, err := d.token()
		if err != nil {
			return start, false, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, true, nil
		case xml.EndElement:
			return start, false, nil
		}
	}
}

// skip reads to the end of the element that the document is in.
func (d *document) skip() error {
	for depth := 1; depth > 0; {
		d.in.left = maxElement
		t, err := d.token()
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return d.fail(errDeep)
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// element reads the rest of an element whose start tag has been read.
func (d *document) element(start xml.StartElement) (*stanza.Element, error) {
	return d.nested(start, 1)
}

func (d *document) nested(start xml.StartElement, depth int) (*stanza.Element, error) {
	if depth > maxDepth {
		return nil, d.fail(errDeep)
	}
	e := &stanza.Element{Space: start.Name.Space, Local: start.Name.Local}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
			e.Attrs = append(e.Attrs, stanza.Attr{Space: a.Name.Space, Local: a.Name.Local, Value: a.Value})
		}
	}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			e.Nodes = append(e.Nodes, stanza.Node{Text: text.String()})
			text.Reset()
		}
	}
	for {
		t, err := d.token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			flush()
			c, err := d.nested(t, depth+1)
			if err != nil {
				return nil, err
			}
			e.Nodes = append(e.Nodes, stanza.Node{Elem: c})
		case xml.EndElement:
			flush()
			return e, nil
		}
	}
}

// attr returns an attribute without a prefix.
func attr(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
