package stream

import (
	"bytes"

	"rollcall/xmpp/stanza"
)

// attr is an attribute of the tag being scanned, as offsets into the tag.
type attr struct {
	lead     int // the white space before it
	lo, hi   int // its name
	vlo, vhi int // its value
	colon    int // 0 without a prefix
}

// startTag scans the start tag at the front of b. Nothing of the scanner's
// state changes unless the tag is whole.
func (s *Scanner) startTag(b []byte) (done bool, err error) {
	i, colon, err := name(b, 1)
	if err != nil {
		return false, s.short(err, b)
	}
	nameEnd := i
	n, i, empty, err := s.attributes(b, i)
	if err != nil {
		return false, s.short(err, b)
	}
	if i > s.limits.Tag {
		return false, ErrTagTooBig
	}
	if s.depth >= s.limits.Depth {
		return false, ErrTooDeep
	}
	base := s.pos - s.start
	mark := len(s.ns)
	if err := s.declare(b, s.attrs[:n], base); err != nil {
		return false, err
	}
	if s.depth == 0 {
		s.outer = outer{}
		s.kids = s.kids[:0]
	}
	k := kid{local: span(base, local(1, colon), nameEnd), at: span(base, 0, i), inner: span(base, i, i)}
	var ok bool
	if k.space, k.rootSpace, k.fromRoot, ok = s.lookup(prefix(b, 1, colon)); !ok {
		return false, ErrBadPrefix
	}
	if err := s.resolve(b, s.attrs[:n]); err != nil {
		return false, err
	}
	switch s.depth {
	case 0:
		s.begin(b, k, n, i, empty)
	case 1:
		s.kids = append(s.kids, k)
	}
	s.pos += i
	if empty {
		s.ns = s.ns[:mark]
		return s.depth == 0, nil
	}
	s.open[s.depth] = span(base, 1, nameEnd)
	s.depth++
	return false, nil
}

func span(base, lo, hi int) stanza.Span {
	return stanza.Span{Lo: uint32(base + lo), Hi: uint32(base + hi)}
}

// short keeps a tag that never ends from growing without bound.
func (s *Scanner) short(err error, b []byte) error {
	if err == Short && len(b) > s.limits.Tag {
		return ErrTagTooBig
	}
	return err
}

// attributes scans what follows the name up to the end of the tag.
func (s *Scanner) attributes(b []byte, i int) (n, end int, empty bool, err error) {
	for {
		lead := i
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i == len(b) {
			return n, i, false, Short
		}
		switch b[i] {
		case '>':
			return n, i + 1, false, nil
		case '/':
			if i+1 == len(b) {
				return n, i, false, Short
			}
			if b[i+1] != '>' {
				return n, i, false, ErrNotWellFormed
			}
			return n, i + 2, true, nil
		}
		if i == lead {
			return n, i, false, ErrNotWellFormed // no space before the attribute
		}
		if n == s.limits.Attrs {
			return n, i, false, ErrTooManyAttrs
		}
		if i, err = s.attribute(b, i, lead, n); err != nil {
			return n, i, false, err
		}
		n++
	}
}

// attribute scans one attribute into s.attrs[n].
func (s *Scanner) attribute(b []byte, i, lead, n int) (int, error) {
	a := &s.attrs[n]
	a.lead, a.lo = lead, i
	var err error
	if i, a.colon, err = name(b, i); err != nil {
		return i, err
	}
	a.hi = i
	if i, err = skipTo(b, i, '='); err != nil {
		return i, err
	}
	for i++; i < len(b) && isSpace(b[i]); {
		i++
	}
	if i == len(b) {
		return i, Short
	}
	q := b[i]
	if q != '"' && q != '\'' {
		return i, ErrNotWellFormed
	}
	a.vlo = i + 1
	if a.vhi, err = value(b, i+1, q); err != nil {
		return i, err
	}
	for j := range n {
		if p := &s.attrs[j]; bytes.Equal(b[p.lo:p.hi], b[a.lo:a.hi]) {
			return i, ErrNotWellFormed
		}
	}
	return a.vhi + 1, nil
}

func skipTo(b []byte, i int, c byte) (int, error) {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	switch {
	case i == len(b):
		return i, Short
	case b[i] != c:
		return i, ErrNotWellFormed
	}
	return i, nil
}

const nsXMLNS = "http://www.w3.org/2000/xmlns/"
const nsXML = "http://www.w3.org/XML/1998/namespace"

// declare binds the prefixes that the tag declares, before any is resolved.
func (s *Scanner) declare(b []byte, attrs []attr, base int) error {
	for j := range attrs {
		a := &attrs[j]
		nm := b[a.lo:a.hi]
		if len(nm) < 5 || nm[0] != 'x' || string(nm[:5]) != "xmlns" || len(nm) > 5 && nm[5] != ':' {
			continue
		}
		if len(s.ns) >= s.limits.Namespaces {
			return ErrTooManyNS
		}
		// Namespaces in XML 1.0 §3: xml and xmlns, and their names, are taken.
		if v := b[a.vlo:a.vhi]; string(v) == nsXML || string(v) == nsXMLNS {
			return ErrBadPrefix
		}
		bd := binding{depth: s.depth + 1, uri: span(base, a.vlo, a.vhi)}
		if len(nm) > 5 {
			if p := string(nm[6:]); a.vlo == a.vhi || p == "" || p == "xmlns" || p == "xml" {
				return ErrBadPrefix
			}
			bd.prefix = span(base, a.lo+6, a.hi)
		}
		s.ns = append(s.ns, bd)
	}
	return nil
}

// resolve checks the prefixes of attributes, and that no two of them mean the
// same name (Namespaces in XML 1.0 §6.3).
func (s *Scanner) resolve(b []byte, attrs []attr) error {
	seen := 0
	for j := range attrs {
		a := &attrs[j]
		if a.colon == 0 {
			continue
		}
		p := b[a.lo:a.colon]
		if string(p) == "xml" || string(p) == "xmlns" {
			continue
		}
		if _, _, _, ok := s.lookup(p); !ok {
			return ErrBadPrefix
		}
		if seen++; seen > 1 && s.repeats(b, attrs[:j], a) {
			return ErrNotWellFormed
		}
	}
	return nil
}

func (s *Scanner) repeats(b []byte, before []attr, a *attr) bool {
	uri := s.uri(b[a.lo:a.colon])
	for j := range before {
		p := &before[j]
		if p.colon != 0 && bytes.Equal(b[p.colon+1:p.hi], b[a.colon+1:a.hi]) && s.uri(b[p.lo:p.colon]) == uri {
			return true
		}
	}
	return false
}

func (s *Scanner) uri(p []byte) string {
	sp, root, fromRoot, _ := s.lookup(p)
	if fromRoot {
		return root
	}
	return string(s.bytes(sp))
}

// begin notes what routing needs of a stanza's outer tag, which ends at end.
func (s *Scanner) begin(b []byte, k kid, n, end int, empty bool) {
	o := &s.outer
	o.local, o.space, o.rootSpace, o.fromRoot = k.local, k.space, k.rootSpace, k.fromRoot
	for j := range n {
		a := &s.attrs[j]
		which, cut := -1, false
		switch string(b[a.lo:a.hi]) {
		case "to":
			which, cut = attrTo, true
		case "from":
			which, cut = attrFrom, true
		case "type":
			which = attrType
		case "id":
			which = attrID
		case "xml:lang":
			which = attrLang
		case "xmlns":
			// Cut where it only repeats what the receiver's stream says.
			v := b[a.vlo:a.vhi]
			cut = string(v) == s.space || string(v) == stanza.NSClient
		}
		if which >= 0 {
			o.attr[which] = span(0, a.vlo, a.vhi)
		}
		if cut {
			o.cuts[o.ncuts] = span(0, a.lead, a.vhi+1)
			o.ncuts++
		}
	}
	o.tagEnd = span(0, end-1, end)
	if empty {
		o.tagEnd.Lo--
	}
}

// lookup resolves a prefix to its namespace: an offset range where it was
// declared in the stanza, a string where it comes from the stream header.
func (s *Scanner) lookup(p []byte) (at stanza.Span, root string, fromRoot, ok bool) {
	for i := len(s.ns) - 1; i >= 0; i-- {
		b := &s.ns[i]
		if b.prefix.Len() == len(p) && string(s.buf[s.start+int(b.prefix.Lo):s.start+int(b.prefix.Hi)]) == string(p) {
			return b.uri, "", false, true
		}
	}
	if len(p) == 0 {
		return at, s.space, true, true
	}
	for i := range s.root {
		if s.root[i].Prefix == string(p) {
			s.outer.inherits = true
			return at, s.root[i].URI, true, true
		}
	}
	if string(p) == "xml" {
		return at, nsXML, true, true
	}
	return at, "", false, false
}

func prefix(b []byte, lo, colon int) []byte {
	if colon == 0 {
		return nil
	}
	return b[lo:colon]
}

func local(lo, colon int) int {
	if colon == 0 {
		return lo
	}
	return colon + 1
}
