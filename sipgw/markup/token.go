package markup

import (
	"strconv"
	"strings"
)

// What next has found.
const (
	other = iota // comments, declarations
	start
	end
	chars
)

// next reads one token.
func (r *Reader) next() int {
	if r.closed {
		r.closed = false
		r.leave()
		return end
	}
	if r.at >= len(r.s) {
		r.fail(errNotFinished)
		return other
	}
	if r.s[r.at] == '<' {
		return r.markup()
	}
	n := strings.IndexByte(r.s[r.at:], '<')
	if n < 0 {
		r.fail(errNotFinished)
		return other
	}
	if r.depth == 0 && strings.TrimSpace(r.s[r.at:r.at+n]) != "" {
		r.fail(ErrBroken)
	}
	r.at += n
	return chars
}

// markup reads what begins with '<'.
func (r *Reader) markup() int {
	rest := r.s[r.at:]
	switch {
	case strings.HasPrefix(rest, "</"):
		return r.endTag()
	case strings.HasPrefix(rest, "<!--"):
		r.pass(4, "-->")
		return other
	case strings.HasPrefix(rest, cdataOpen) && r.depth > 0:
		r.pass(len(cdataOpen), cdataClose)
		return chars
	case strings.HasPrefix(rest, "<?xml"):
		r.declaration()
		return other
	case strings.HasPrefix(rest, "<?"):
		r.pass(2, "?>")
		return other
	case strings.HasPrefix(rest, "<!"):
		r.passDoctype()
		return other
	}
	return r.startTag()
}

const cdataOpen, cdataClose = "<![CDATA[", "]]>"

// pass goes behind the mark that follows after n bytes.
func (r *Reader) pass(n int, mark string) {
	i := strings.Index(r.s[r.at+n:], mark)
	if i < 0 {
		r.fail(errNotFinished)
		return
	}
	r.at += n + i + len(mark)
}

// declaration reads the XML declaration. COMPAT(Qtopia, for good): it may end in
// '>' alone.
func (r *Reader) declaration() {
	n := strings.IndexByte(r.s[r.at:], '>')
	if n < 0 {
		r.fail(errNotFinished)
		return
	}
	decl := strings.ToLower(r.s[r.at : r.at+n])
	r.latin1 = strings.Contains(decl, "iso-8859") || strings.Contains(decl, "windows-125")
	r.at += n + 1
}

// passDoctype refuses a DOCTYPE, or passes over one that only names a DTD.
func (r *Reader) passDoctype() {
	n := strings.IndexByte(r.s[r.at:], '>')
	if !r.doctype || r.depth > 0 || n < 0 || !strings.HasPrefix(r.s[r.at:], "<!DOCTYPE") ||
		strings.ContainsAny(r.s[r.at:r.at+n], "[%&") {
		r.fail(ErrDoctype)
		return
	}
	r.at += n + 1
}

func (r *Reader) endTag() int {
	n := strings.IndexByte(r.s[r.at:], '>')
	if n < 0 {
		r.fail(errNotFinished)
		return other
	}
	name := strings.TrimRight(r.s[r.at+2:r.at+n], " \t\r\n")
	if r.depth == 0 || name != r.open[r.depth-1] {
		r.fail(ErrBroken)
		return other
	}
	r.at += n + 1
	r.leave()
	return end
}

func (r *Reader) leave() {
	for r.numBound > 0 && r.bindings[r.numBound-1].depth >= r.depth {
		r.numBound--
	}
	r.depth--
}

func (r *Reader) startTag() int {
	switch {
	case r.depth == MaxDepth:
		r.fail(ErrTooDeep)
		return other
	case r.count == MaxElements:
		r.fail(ErrTooMany)
		return other
	}
	r.count++
	r.at++
	name := r.name()
	if name == "" {
		r.fail(ErrBroken)
		return other
	}
	r.open[r.depth] = name
	r.depth++
	r.numAttrs = 0
	for r.err == nil && r.attribute() {
	}
	if r.err != nil {
		return other
	}
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		prefix, local = "", name
	}
	r.space, r.local = r.uri(prefix), local
	return start
}

// attribute reads one attribute, or the end of the tag.
func (r *Reader) attribute() bool {
	r.skip()
	if r.at >= len(r.s) {
		r.fail(errNotFinished)
		return false
	}
	switch r.s[r.at] {
	case '>':
		r.at++
		return false
	case '/':
		if r.at+1 >= len(r.s) || r.s[r.at+1] != '>' {
			r.fail(ErrBroken)
			return false
		}
		r.at += 2
		r.closed = true
		return false
	}
	name := r.name()
	if name == "" {
		r.fail(ErrBroken)
		return false
	}
	value := r.value()
	if r.err != nil {
		return false
	}
	if name == "xmlns" || strings.HasPrefix(name, "xmlns:") {
		r.bind(name, value)
		return r.err == nil
	}
	if r.numAttrs == MaxAttrs {
		r.fail(ErrTooMany)
		return false
	}
	r.attrs[r.numAttrs] = attr{name, value}
	r.numAttrs++
	return true
}

// value reads what follows the name of an attribute. COMPAT(Asterisk, for good):
// pjsip writes an empty value as no value at all, <digium_presence type />.
func (r *Reader) value() string {
	r.skip()
	if r.at >= len(r.s) || r.s[r.at] != '=' {
		return ""
	}
	r.at++
	r.skip()
	if r.at >= len(r.s) || r.s[r.at] != '"' && r.s[r.at] != '\'' {
		r.fail(ErrBroken)
		return ""
	}
	n := strings.IndexByte(r.s[r.at+1:], r.s[r.at])
	if n < 0 {
		r.fail(errNotFinished)
		return ""
	}
	raw := r.s[r.at+1 : r.at+1+n]
	r.at += n + 2
	if strings.IndexByte(raw, '<') >= 0 {
		r.fail(ErrBroken)
		return ""
	}
	return r.clean(r.decode(raw))
}

func (r *Reader) bind(name, uri string) {
	if r.numBound == maxBindings {
		r.fail(ErrTooMany)
		return
	}
	prefix := strings.TrimPrefix(strings.TrimPrefix(name, "xmlns"), ":")
	r.bindings[r.numBound] = binding{prefix, uri, r.depth}
	r.numBound++
}

func (r *Reader) uri(prefix string) string {
	for i := r.numBound - 1; i >= 0; i-- {
		if r.bindings[i].prefix == prefix {
			return r.bindings[i].uri
		}
	}
	return prefix
}

// name reads a name; "" if there is none.
func (r *Reader) name() string {
	lo := r.at
	for r.at < len(r.s) && named[r.s[r.at]] {
		r.at++
	}
	return r.s[lo:r.at]
}

// named are the bytes that a name may have. That it begins with a letter is not
// asked: phones use numbers, and no harm comes from it.
var named = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' ||
			c == '_' || c == '-' || c == '.' || c == ':' || c >= 0x80
	}
	return
}()

func (r *Reader) skip() {
	for r.at < len(r.s) && isSpace(r.s[r.at]) {
		r.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// decode undoes the escapes of text, or opens a CDATA section.
func (r *Reader) decode(raw string) string {
	if strings.HasPrefix(raw, cdataOpen) {
		return raw[len(cdataOpen) : len(raw)-len(cdataClose)]
	}
	i := strings.IndexByte(raw, '&')
	if i < 0 {
		return raw
	}
	var b strings.Builder
	for i >= 0 {
		b.WriteString(raw[:i])
		n := strings.IndexByte(raw[i:], ';')
		if n < 0 {
			r.fail(ErrEntity)
			return ""
		}
		c, ok := entity(raw[i+1 : i+n])
		if !ok {
			r.fail(ErrEntity)
			return ""
		}
		b.WriteRune(c)
		raw = raw[i+n+1:]
		i = strings.IndexByte(raw, '&')
	}
	b.WriteString(raw)
	return b.String()
}

func entity(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	c := rune(n)
	ok = c == '\t' || c == '\n' || c == '\r' || c >= 0x20 && c < 0xD800 ||
		c >= 0xE000 && c < 0xFFFE || c >= 0x10000 && c <= 0x10FFFF
	return c, err == nil && ok
}
