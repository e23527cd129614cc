package stream

import (
	"bytes"
	"strconv"
	"strings"

	mellium "mellium.im/xmpp/stream"

	"rollcall/xmpp/stanza"
)

// Header is what a stream header says (RFC 6120 §4.7), unescaped.
type Header struct {
	To, From, ID, Version, Lang string
}

// usual is what nearly all headers bind, kept once for all streams.
var usual = []stanza.Prefix{{Prefix: "stream", URI: stanza.NSStream}}

// Faults of headers.
var (
	ErrInvalidNamespace   = &Fault{Condition: mellium.InvalidNamespace}
	ErrUnsupportedVersion = &Fault{Condition: mellium.UnsupportedVersion, Text: "XMPP 1.0 is spoken here"}
	ErrBadFormat          = &Fault{Condition: mellium.BadFormat}
)

// Header returns the header of a stream whose stanzas are to be in the given
// namespace, with or without an XML declaration before it (RFC 6120 §11.5).
// Errors are those of Next. A header whose namespaces are wrong is returned
// together with its Fault, so that the answer can say who it is from.
func (s *Scanner) Header(space string) (Header, error) {
	s.root, s.space = nil, ""
	for {
		b := bytes.TrimLeft(s.buf[s.pos:], " \t\r\n")
		s.pos = len(s.buf) - len(b)
		s.start = s.pos
		switch {
		case len(b) == 0, len(b) == 1 && b[0] == '<':
			return Header{}, Short
		case b[0] != '<' || b[1] == '/' || b[1] == '!' && len(b) > 2 && b[2] != '-' && b[2] != 'D':
			return Header{}, ErrNotWellFormed
		case b[1] == '!':
			return Header{}, ErrRestrictedXML
		case b[1] != '?':
			return s.header(b, space)
		}
		if err := s.declaration(b); err != nil {
			return Header{}, err
		}
	}
}

func (s *Scanner) header(b []byte, space string) (Header, error) {
	done, err := s.startTag(b)
	if err != nil {
		return Header{}, err
	}
	o := &s.outer
	h := Header{
		To: stanza.Text(s.bytes(o.attr[attrTo])), From: stanza.Text(s.bytes(o.attr[attrFrom])),
		ID: stanza.Text(s.bytes(o.attr[attrID])), Lang: stanza.Text(s.bytes(o.attr[attrLang])),
	}
	h.Version = s.version(b)
	name := s.name(o.local, o.space, o.rootSpace, o.fromRoot)
	right := name.Is(stanza.NSStream, "stream")
	wrongSpace := string(name.Local) == "stream"
	carried := 0
	for _, bd := range s.ns {
		uri := stanza.Text(s.bytes(bd.uri))
		if bd.prefix.Len() == 0 {
			s.space = uri
		} else {
			s.root = append(s.root, stanza.Prefix{Prefix: string(s.bytes(bd.prefix)), URI: uri})
			carried += len(uri) + bd.prefix.Len()
		}
	}
	if len(s.root) == 1 && s.root[0] == usual[0] {
		s.root = usual
	}
	if s.space == stanza.NSClient {
		s.space = stanza.NSClient // the constant, so that the copy can go
	}
	s.start, s.depth, s.ns = s.pos, 0, s.ns[:0]
	switch {
	case done:
		return h, ErrBadFormat
	case carried > maxCarried:
		return h, ErrTooManyNS
	case right && s.space == space:
		return h, h.check()
	case right && s.space != space, !right && wrongSpace:
		return h, ErrInvalidNamespace
	}
	return h, ErrBadFormat
}

// maxCarried bounds the prefixes of a header, names and all. Each stanza that
// uses one of them takes all along when it is forwarded, and must not grow to a
// multiple of what its sender sent.
const maxCarried = 1 << 10

// version returns the version attribute of the tag just scanned.
func (s *Scanner) version(b []byte) string {
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.vhi > s.pos-s.start || a.vhi <= a.vlo && a.hi <= a.lo {
			break
		}
		if string(b[a.lo:a.hi]) == "version" {
			return stanza.Text(b[a.vlo:a.vhi])
		}
	}
	return ""
}

// check obeys RFC 6120 §4.7.5: no version means 0.9, and only the major
// number decides.
func (h Header) check() error {
	major, minor, ok := strings.Cut(h.Version, ".")
	n, err := strconv.Atoi(major)
	if _, err2 := strconv.Atoi(minor); !ok || err != nil || err2 != nil || n < 1 {
		return ErrUnsupportedVersion
	}
	return nil
}

// declaration skips an XML declaration.
func (s *Scanner) declaration(b []byte) error {
	const lead = "<?xml"
	if len(b) <= len(lead) && strings.HasPrefix(lead, string(b)) {
		return Short
	}
	if !strings.HasPrefix(string(b[:len(lead)]), lead) || !isSpace(b[len(lead)]) {
		return ErrRestrictedXML
	}
	end := bytes.Index(b, []byte("?>"))
	if end < 0 {
		if len(b) > 256 {
			return ErrNotWellFormed
		}
		return Short
	}
	if enc, ok := pseudo(b[len(lead):end], "encoding"); ok && !strings.EqualFold(enc, "utf-8") && !strings.EqualFold(enc, "utf8") {
		return ErrEncoding // RFC 6120 §11.6
	}
	if v, ok := pseudo(b[len(lead):end], "version"); !ok || !strings.HasPrefix(v, "1.") {
		return ErrNotWellFormed
	}
	if s.declared {
		return ErrNotWellFormed // there is one XML declaration at most
	}
	s.declared = true
	s.pos += end + 2
	return nil
}

// pseudo returns the value of a pseudo-attribute of an XML declaration.
func pseudo(b []byte, name string) (string, bool) {
	_, rest, ok := strings.Cut(string(b), name)
	rest = strings.TrimLeft(rest, " \t\r\n")
	if !ok || !strings.HasPrefix(rest, "=") {
		return "", false
	}
	rest = strings.TrimLeft(rest[1:], " \t\r\n")
	if rest == "" || rest[0] != '\'' && rest[0] != '"' {
		return "", false
	}
	v, _, ok := strings.Cut(rest[1:], rest[:1])
	return v, ok
}
