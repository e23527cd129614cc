package markup

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// The limits of a document. What phones write is far below them.
const (
	MaxBytes    = 256 << 10 // bytes of a document
	MaxDepth    = 16        // nested elements
	MaxAttrs    = 24        // attributes of an element, declarations of namespaces included
	MaxElements = 8192      // elements of a document
	MaxText     = 4096      // bytes of text that are kept of an element; the rest is cut off
	maxBindings = 32        // namespaces in scope
)

// Errors of a document.
var (
	ErrTooBig      = errors.New("markup: the document is too big")
	ErrTooDeep     = errors.New("markup: elements are nested too deep")
	ErrTooMany     = errors.New("markup: too many elements or attributes")
	ErrDoctype     = errors.New("markup: a DTD is not allowed")
	ErrEntity      = errors.New("markup: unknown entity")
	ErrBroken      = errors.New("markup: not well-formed")
	ErrWrongRoot   = errors.New("markup: another element was expected")
	ErrNotText     = errors.New("markup: bytes that are no text")
	errNotFinished = errors.New("markup: the document ends too soon")
)

// Reader walks through a document. The zero value is ready for Reset. It is not to
// be copied while in use.
type Reader struct {
	s      string
	at     int
	depth  int
	count  int
	err    error
	latin1 bool

	// The element whose start tag was read last.
	space, local string
	attrs        [MaxAttrs]attr
	numAttrs     int
	closed       bool // its tag was <a/>, and its end is yet to be told
	doctype      bool // a DOCTYPE that declares nothing is passed over

	open     [MaxDepth]string // names of the open elements as they were written
	bindings [maxBindings]binding
	numBound int
}

type attr struct{ name, value string }

type binding struct {
	prefix, uri string
	depth       int
}

// Reset readies the reader for a document.
func (r *Reader) Reset(doc []byte) {
	r.at, r.depth, r.count, r.err = 0, 0, 0, nil
	r.numAttrs, r.numBound, r.closed, r.doctype, r.latin1 = 0, 0, false, false, false
	if len(doc) > MaxBytes {
		r.s, r.err = "", ErrTooBig
		return
	}
	r.s = string(doc)
	if strings.HasPrefix(r.s, "\uFEFF") {
		r.at = len("\uFEFF")
	}
}

// AllowDoctype makes the reader pass over a DOCTYPE that names a DTD and declares
// nothing itself, as xpidf has it.
func (r *Reader) AllowDoctype() { r.doctype = true }

// Err returns why reading has ended before the end, or nil.
func (r *Reader) Err() error { return r.err }

// Root moves to the root element, which must have that name.
func (r *Reader) Root(space, local string) error {
	if r.Open() == nil && !r.Is(space, local) {
		r.err = ErrWrongRoot
	}
	return r.err
}

// Open moves to the root element, whatever its name.
func (r *Reader) Open() error {
	for r.err == nil && r.depth == 0 {
		r.next()
	}
	return r.err
}

// Depth returns how many elements are open. Right after an element was entered it
// is what Child wants to hear to walk through that element's children.
func (r *Reader) Depth() int { return r.depth }

// Child moves to the next child of the open element at that depth and reports
// whether there is one. What was not read of the child before is passed over.
func (r *Reader) Child(depth int) bool {
	for r.err == nil {
		switch r.next() {
		case start:
			if r.depth == depth+1 {
				return true
			}
		case end:
			if r.depth < depth {
				return false
			}
		}
	}
	return false
}

// Finish reads what is left of the document and returns what is wrong with it.
func (r *Reader) Finish() error {
	for r.err == nil && r.depth > 0 {
		r.next()
	}
	if r.err == nil && r.count == 0 {
		r.err = errNotFinished
	}
	for r.err == nil && r.at < len(r.s) {
		switch c := r.s[r.at]; {
		case isSpace(c) || c == 0: // some pad the body with a NUL
			r.at++
		case c == '<':
			if kind := r.markup(); kind != other && r.err == nil {
				r.err = ErrBroken
			}
		default:
			r.err = ErrBroken
		}
	}
	return r.err
}

// Is reports whether the element has that name.
func (r *Reader) Is(space, local string) bool { return r.local == local && r.space == space }

// Space returns the namespace of the element; where its prefix was never declared,
// the prefix.
func (r *Reader) Space() string { return r.space }

// Local returns the name of the element without a prefix.
func (r *Reader) Local() string { return r.local }

// Attr returns the value of an attribute by its name as it is written, or "".
func (r *Reader) Attr(name string) string {
	for i := range r.numAttrs {
		if r.attrs[i].name == name {
			return r.attrs[i].value
		}
	}
	return ""
}

// Text reads the element to its end and returns its own text without the white
// space around it.
func (r *Reader) Text() string {
	in, text := r.depth, ""
	for r.err == nil {
		lo := r.at
		switch r.next() {
		case chars:
			switch {
			case r.depth != in || len(text) > MaxText:
			case text == "":
				text = r.decode(r.s[lo:r.at])
			default:
				text += r.decode(r.s[lo:r.at])
			}
		case end:
			if r.depth < in {
				return Cut(r.clean(strings.TrimSpace(text)), MaxText)
			}
		}
	}
	return ""
}

// clean makes text of another encoding UTF-8. Many declare ISO-8859-1 and write
// UTF-8 all the same, so only what cannot be UTF-8 is taken at its word.
func (r *Reader) clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	if !r.latin1 {
		r.fail(ErrNotText)
		return ""
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// Cut returns as much of s as fits into n bytes without breaking a character.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
