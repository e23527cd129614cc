// Package stanza is the unit of the stream: a stanza as validated bytes with
// its outer tag parsed, the conditions with which one is refused (RFC 6120
// §8.3), and the wrappers in which one travels (XEP-0297, XEP-0203).
//
// A Stanza is a view into its reader's buffer. It is never changed; what is
// sent on is written anew from its bytes, with addresses spliced in.
package stanza

// Kind tells the three kinds of stanza apart.
type Kind uint8

// The kinds of stanza (RFC 6120 §8); Other is any other first-level element.
const (
	Other Kind = iota
	Message
	Presence
	IQ
)

// Namespaces of the streams that carry stanzas.
const (
	NSClient = "jabber:client"
	NSServer = "jabber:server"
	NSStream = "http://etherx.jabber.org/streams"
	nsXML    = "http://www.w3.org/XML/1998/namespace"
)

// String returns the element name of the kind.
func (k Kind) String() string {
	switch k {
	case Message:
		return "message"
	case Presence:
		return "presence"
	case IQ:
		return "iq"
	}
	return "other"
}

// Span is a half-open range of byte offsets from the start of a stanza.
type Span struct{ Lo, Hi uint32 }

// Len returns the number of bytes in the span.
func (s Span) Len() int { return int(s.Hi - s.Lo) }

// Name is an expanded XML name; the bytes are as they stand on the wire.
type Name struct{ Space, Local []byte }

// Is reports whether n is the given name.
func (n Name) Is(space, local string) bool {
	return string(n.Local) == local && string(n.Space) == space
}

// Child is a direct child of a stanza.
type Child struct {
	Name
	At    Span // the whole element
	Inner Span // what is between its tags; empty for an empty element
}

// Prefix is a namespace binding made by a stream header. The URI is unescaped: it
// may have stood between quotes of either kind.
type Prefix struct{ Prefix, URI string }

// Stanza is one first-level child of a stream, checked to be well-formed. The
// attribute values are as they stand on the wire, escapes and all; Text undoes
// the escapes.
type Stanza struct {
	Raw      []byte
	Name     Name
	Kind     Kind
	To, From []byte
	Type, ID []byte
	Lang     []byte
	Children []Child // direct children, in order

	// What splicing needs to know.
	Cuts     [3]Span  // attributes to, from and xmlns with the space before them, in order of place
	NumCuts  int      //
	TagEnd   Span     // ">" or "/>" of the outer tag
	Close    uint32   // where the end tag begins; 0 for an empty element
	Inherits string   // language of the stream, escaped, for a stanza that names none
	Prefixes []Prefix // bindings of the stream header; nil if the stanza uses none of them
}

// Bytes returns the bytes of a span.
func (s *Stanza) Bytes(at Span) []byte { return s.Raw[at.Lo:at.Hi:at.Hi] }

// Child returns the first direct child of that name, or nil.
func (s *Stanza) Child(space, local string) *Child {
	for i := range s.Children {
		if s.Children[i].Is(space, local) {
			return &s.Children[i]
		}
	}
	return nil
}

// Has reports whether there is a direct child of that name.
func (s *Stanza) Has(space, local string) bool { return s.Child(space, local) != nil }

// HasSpace reports whether there is a direct child in that namespace.
func (s *Stanza) HasSpace(space string) bool {
	for i := range s.Children {
		if string(s.Children[i].Space) == space {
			return true
		}
	}
	return false
}

// IsType reports whether the type attribute has that value.
func (s *Stanza) IsType(t string) bool { return string(s.Type) == t }

// Append appends the stanza to dst with the addresses from and to in place of
// its own, and extra (whole elements) as its last children. An empty address
// leaves the attribute out. Addresses must be escaped for an attribute in
// single quotes.
func (s *Stanza) Append(dst []byte, from, to string, extra ...[]byte) []byte {
	dst = s.AppendTag(dst, from, to)
	if s.Close != 0 {
		dst = append(dst, '>')
		dst = append(dst, s.Raw[s.TagEnd.Hi:s.Close]...)
		for _, e := range extra {
			dst = append(dst, e...)
		}
		return append(dst, s.Raw[s.Close:]...)
	}
	n := 0
	for _, e := range extra {
		n += len(e)
	}
	if n == 0 {
		return append(dst, "/>"...)
	}
	dst = append(dst, '>')
	for _, e := range extra {
		dst = append(dst, e...)
	}
	return s.AppendEnd(dst)
}

// AppendTag appends the outer tag up to, not including, its ">" or "/>".
func (s *Stanza) AppendTag(dst []byte, from, to string) []byte {
	at := uint32(0)
	for _, c := range s.Cuts[:s.NumCuts] {
		dst = append(dst, s.Raw[at:c.Lo]...)
		at = c.Hi
	}
	dst = append(dst, s.Raw[at:s.TagEnd.Lo]...)
	dst = appendQuoted(dst, " from='", from)
	dst = appendQuoted(dst, " to='", to)
	dst = appendQuoted(dst, " xml:lang='", s.Inherits)
	for _, p := range s.Prefixes {
		if declares(s.Raw[:s.TagEnd.Lo], p.Prefix) {
			continue
		}
		dst = append(dst, " xmlns:"...)
		dst = append(dst, p.Prefix...)
		dst = append(AppendText(append(dst, "='"...), p.URI), '\'')
	}
	return dst
}

// AppendEnd appends the outer end tag.
func (s *Stanza) AppendEnd(dst []byte) []byte {
	dst = append(dst, "</"...)
	dst = append(dst, rawName(s.Raw)...)
	return append(dst, '>')
}

// Body appends what is between the outer tags to dst.
func (s *Stanza) Body(dst []byte) []byte {
	if s.Close == 0 {
		return dst
	}
	return append(dst, s.Raw[s.TagEnd.Hi:s.Close]...)
}

func appendQuoted(dst []byte, lead, v string) []byte {
	if v == "" {
		return dst
	}
	dst = append(dst, lead...)
	dst = append(dst, v...)
	return append(dst, '\'')
}

// rawName returns the name in the start tag at the front of b, prefix and all.
func rawName(b []byte) []byte {
	i := 1
	for i < len(b) && b[i] != ' ' && b[i] != '>' && b[i] != '/' && b[i] != '\t' && b[i] != '\r' && b[i] != '\n' {
		i++
	}
	return b[1:i]
}

// declares reports whether the tag binds the prefix itself. The tag has been
// validated, so the only place where the text can stand unquoted is a
// declaration; a false alarm inside a quoted value is told by its quote.
func declares(tag []byte, prefix string) bool {
	quote := byte(0)
	for i := 0; i < len(tag); i++ {
		switch c := tag[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == 'x' && hasDeclaration(tag[i:], prefix):
			return true
		}
	}
	return false
}

func hasDeclaration(b []byte, prefix string) bool {
	const lead = "xmlns:"
	n := len(lead) + len(prefix)
	if len(b) <= n || string(b[:len(lead)]) != lead || string(b[len(lead):n]) != prefix {
		return false
	}
	switch b[n] {
	case '=', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}
