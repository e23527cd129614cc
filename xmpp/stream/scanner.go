package stream

import (
	"bytes"

	"rollcall/xmpp/stanza"
)

// Limits bound what one stream may make the scanner hold.
type Limits struct {
	Stanza     int // bytes of one stanza
	Tag        int // bytes of one tag
	Depth      int // nested elements, the stanza itself included; at most 128
	Attrs      int // attributes of one element; at most 64
	Namespaces int // declarations in scope inside one stanza
}

// DefaultLimits are fit for an authenticated client.
var DefaultLimits = Limits{Stanza: 256 << 10, Tag: 16 << 10, Depth: 64, Attrs: 32, Namespaces: 32}

// The most that Limits can allow.
const (
	MaxDepth = 128
	MaxAttrs = 64
)

const (
	// A pooled scanner gives back a buffer that grew beyond this.
	keepBuffer = 16 << 10
)

// binding is a namespace declaration inside a stanza.
type binding struct {
	prefix, uri stanza.Span
	depth       int
}

// Scanner cuts a stream into stanzas. Bytes are put into it with Space and
// Filled; Next takes stanzas out. It belongs to one goroutine.
type Scanner struct {
	buf   []byte // buf[start:] is unread
	start int    // where the current stanza begins
	pos   int    // next token
	depth int

	declared bool // the XML declaration came

	limits Limits
	root   []stanza.Prefix // bindings of the stream header
	space  string          // default namespace of the stream

	open  [MaxDepth]stanza.Span // raw names of the open elements
	attrs [MaxAttrs]attr
	ns    []binding
	st    stanza.Stanza
	outer outer
	kids  []kid
	names []stanza.Child
}

// outer is what is known of the stanza in progress.
type outer struct {
	local, space       stanza.Span
	rootSpace          string // set where the name's namespace comes from the header
	attr               [numAttrs]stanza.Span
	cuts               [3]stanza.Span
	ncuts              int
	tagEnd             stanza.Span
	close              uint32
	inherits, fromRoot bool
}

// The attributes of a stanza that routing looks at.
const (
	attrTo = iota
	attrFrom
	attrType
	attrID
	attrLang
	numAttrs
)

type kid struct {
	local, space, at, inner stanza.Span
	rootSpace               string
	fromRoot                bool
}

// New returns a scanner for a stream whose header is yet to come.
func New(limits Limits) *Scanner {
	s := &Scanner{}
	s.Reset(limits, "", nil)
	return s
}

// Reset readies a pooled scanner for a stream in the given state.
func (s *Scanner) Reset(limits Limits, space string, root []stanza.Prefix) {
	if cap(s.buf) > keepBuffer {
		s.buf = nil
	}
	if len(s.names) > 64 || cap(s.kids) > 256 {
		s.names, s.kids = nil, nil
	}
	limits.Depth, limits.Attrs = min(limits.Depth, MaxDepth), min(limits.Attrs, MaxAttrs)
	s.buf, s.start, s.pos, s.depth = s.buf[:0], 0, 0, 0
	s.limits, s.root, s.space = limits, root, space
	s.ns = s.ns[:0]
	s.declared = false
}

// SetLimits changes the limits, as login does.
func (s *Scanner) SetLimits(l Limits) {
	l.Depth, l.Attrs = min(l.Depth, MaxDepth), min(l.Attrs, MaxAttrs)
	s.limits = l
}

// Scope returns the default namespace and the bindings of the stream header.
func (s *Scanner) Scope() (space string, root []stanza.Prefix) { return s.space, s.root }

// Rename has what the stream header says of one namespace be of another, as from
// the next stanza on: streams between servers and their components have a
// namespace of their own for what is the same as that of clients.
func (s *Scanner) Rename(from, to string) {
	if s.space == from {
		s.space = to
	}
	root := make([]stanza.Prefix, len(s.root))
	for i, p := range s.root {
		if p.URI == from {
			p.URI = to
		}
		root[i] = p
	}
	s.root = root
}

// Idle reports whether the scanner holds nothing of an unfinished stanza.
func (s *Scanner) Idle() bool { return s.depth == 0 && s.pos == len(s.buf) }

// Rest returns what was read and not yet scanned.
func (s *Scanner) Rest() []byte { return s.buf[s.pos:] }

const (
	firstBuffer = 4 << 10
	minSpace    = 1 << 10
)

// Space returns where to put the bytes read next. It ends the validity of the
// stanza that Next returned.
func (s *Scanner) Space() []byte {
	if s.depth == 0 {
		s.start = s.pos
	}
	switch {
	case s.start == len(s.buf):
		s.buf, s.start, s.pos = s.buf[:0], 0, 0
	case s.start > 0 && cap(s.buf)-len(s.buf) < minSpace:
		n := copy(s.buf, s.buf[s.start:])
		s.buf, s.pos, s.start = s.buf[:n], s.pos-s.start, 0
	}
	if cap(s.buf)-len(s.buf) < minSpace {
		b := make([]byte, len(s.buf), max(firstBuffer, 2*cap(s.buf)))
		copy(b, s.buf)
		s.buf = b
	}
	return s.buf[len(s.buf):cap(s.buf)]
}

// Filled tells that n bytes were put into Space.
func (s *Scanner) Filled(n int) { s.buf = s.buf[:len(s.buf)+n] }

// Next returns the next stanza, valid until the next call of Next or Space.
// The error is Short when more input is needed, End when the peer closed the
// stream, and otherwise a *Fault after which the scanner is of no more use.
func (s *Scanner) Next() (*stanza.Stanza, error) {
	if s.depth == 0 {
		s.start = s.pos
	}
	err := s.scan()
	if err != nil {
		if err == Short && len(s.buf)-s.start > s.limits.Stanza {
			return nil, ErrTooBig
		}
		return nil, err
	}
	if s.pos-s.start > s.limits.Stanza {
		return nil, ErrTooBig
	}
	return s.stanza(), nil
}

// Whole scans raw as the one stanza that it holds, in place.
func (s *Scanner) Whole(raw []byte) (*stanza.Stanza, error) {
	s.buf, s.start, s.pos, s.depth = raw[:len(raw):len(raw)], 0, 0, 0
	st, err := s.Next()
	if err == nil && s.pos != len(raw) {
		err = ErrNotWellFormed
	}
	return st, err
}

// scan consumes tokens until a first-level element ends.
func (s *Scanner) scan() error {
	for {
		b := s.buf[s.pos:]
		if len(b) == 0 {
			return Short
		}
		if b[0] != '<' {
			if err := s.text(b); err != nil {
				return err
			}
			continue
		}
		if len(b) < 2 {
			return Short
		}
		var done bool
		var err error
		switch b[1] {
		case '/':
			done, err = s.endTag(b)
		case '!':
			err = s.cdata(b)
		case '?':
			err = ErrRestrictedXML
		default:
			done, err = s.startTag(b)
		}
		if done || err != nil {
			return err
		}
	}
}

func (s *Scanner) text(b []byte) error {
	n, err := text(b, s.depth == 0)
	s.pos += n
	if s.depth == 0 {
		s.start = s.pos // whitespace keepalive, RFC 6120 §4.6.1
	}
	return err
}

func (s *Scanner) cdata(b []byte) error {
	n, err := cdata(b, s.depth == 0)
	s.pos += n
	return err
}

func (s *Scanner) endTag(b []byte) (bool, error) {
	if s.depth == 0 {
		i := bytes.IndexByte(b, '>')
		switch {
		case i < 0 && len(b) > s.limits.Tag:
			return false, ErrTagTooBig
		case i < 0:
			return false, Short
		}
		if !s.closes(b[2:i]) {
			return false, ErrNotWellFormed
		}
		s.pos += i + 1
		return false, End
	}
	name := s.bytes(s.open[s.depth-1])
	n := len(name)
	if len(b) < n+3 {
		if bytes.IndexByte(b, '>') >= 0 || !bytes.HasPrefix(name, b[2:min(len(b), n+2)]) {
			return false, ErrNotWellFormed
		}
		return false, Short
	}
	if !bytes.Equal(b[2:2+n], name) {
		return false, ErrNotWellFormed
	}
	i := 2 + n
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	switch {
	case i == len(b) && i > s.limits.Tag:
		return false, ErrTagTooBig
	case i == len(b):
		return false, Short
	case b[i] != '>':
		return false, ErrNotWellFormed
	}
	s.ended(uint32(s.pos-s.start), uint32(s.pos-s.start+i+1))
	s.pos += i + 1
	return s.depth == 0, nil
}

// closes reports whether an end tag of that name is the stream's.
func (s *Scanner) closes(name []byte) bool {
	prefix, local, ok := bytes.Cut(bytes.TrimRight(name, " \t\r\n"), []byte(":"))
	if !ok || string(local) != "stream" {
		return false
	}
	for i := range s.root {
		if s.root[i].Prefix == string(prefix) {
			return s.root[i].URI == stanza.NSStream
		}
	}
	return false
}

// ended closes the innermost element, whose end tag stands at [lo, hi).
func (s *Scanner) ended(lo, hi uint32) {
	s.depth--
	switch s.depth {
	case 0:
		s.outer.close = lo
	case 1:
		k := &s.kids[len(s.kids)-1]
		k.inner.Hi, k.at.Hi = lo, hi
	}
	for n := len(s.ns); n > 0 && s.ns[n-1].depth > s.depth; n-- {
		s.ns = s.ns[:n-1]
	}
}

func (s *Scanner) bytes(sp stanza.Span) []byte {
	if sp.Hi == 0 {
		return nil
	}
	lo, hi := s.start+int(sp.Lo), s.start+int(sp.Hi)
	return s.buf[lo:hi:hi]
}

// stanza fills in the view of the stanza that ends at pos.
func (s *Scanner) stanza() *stanza.Stanza {
	o, st := &s.outer, &s.st
	st.Raw = s.buf[s.start:s.pos:s.pos]
	st.Name = s.name(o.local, o.space, o.rootSpace, o.fromRoot)
	st.Kind = kindOf(st.Name)
	st.To, st.From = s.bytes(o.attr[attrTo]), s.bytes(o.attr[attrFrom])
	st.Type, st.ID = s.bytes(o.attr[attrType]), s.bytes(o.attr[attrID])
	st.Lang, st.Inherits = s.bytes(o.attr[attrLang]), ""
	st.Cuts, st.NumCuts, st.TagEnd, st.Close = o.cuts, o.ncuts, o.tagEnd, o.close
	st.Prefixes = nil
	if o.inherits {
		st.Prefixes = s.root
	}
	s.names = s.names[:0]
	for i := range s.kids {
		k := &s.kids[i]
		s.names = append(s.names, stanza.Child{Name: s.name(k.local, k.space, k.rootSpace, k.fromRoot), At: k.at, Inner: k.inner})
	}
	st.Children = s.names
	return st
}

func (s *Scanner) name(local, space stanza.Span, rootSpace string, fromRoot bool) stanza.Name {
	if fromRoot {
		return stanza.Name{Space: known(rootSpace), Local: s.bytes(local)}
	}
	return stanza.Name{Space: s.bytes(space), Local: s.bytes(local)}
}

var clientSpace = []byte(stanza.NSClient)

// known returns a namespace of the stream header as bytes, without an
// allocation for the one that nearly all stanzas are in.
func known(space string) []byte {
	if space == stanza.NSClient {
		return clientSpace
	}
	return []byte(space)
}

func kindOf(n stanza.Name) stanza.Kind {
	if sp := string(n.Space); sp != stanza.NSClient && sp != stanza.NSServer {
		return stanza.Other
	}
	switch string(n.Local) {
	case "message":
		return stanza.Message
	case "presence":
		return stanza.Presence
	case "iq":
		return stanza.IQ
	}
	return stanza.Other
}
