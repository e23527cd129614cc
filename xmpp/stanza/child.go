package stanza

import "bytes"

// AppendChild appends a direct child as it came, with those namespaces declared
// that it takes from the stanza or the stream around it, so that it can be kept
// and stand anywhere.
func (s *Stanza) AppendChild(dst []byte, c *Child) []byte {
	raw := s.Bytes(c.At)
	outer, own := s.scope(), declared(raw)
	name := rawName(raw)
	dst = append(append(dst, '<'), name...)
	for i := len(outer) - 1; i >= 0; i-- {
		b := outer[i]
		if own[b.Prefix] || b.Prefix != "" && !bytes.Contains(raw, []byte(b.Prefix+":")) {
			continue
		}
		own[b.Prefix] = true // what is further out is hidden by it
		dst = append(dst, " xmlns"...)
		if b.Prefix != "" {
			dst = append(append(dst, ':'), b.Prefix...)
		}
		dst = append(AppendText(append(dst, "='"...), b.URI), '\'')
	}
	return append(dst, raw[1+len(name):]...)
}

// scope returns the bindings in force inside the stanza, outermost first.
func (s *Stanza) scope() []Prefix {
	p := parser{b: s.Raw}
	p.bind("", NSClient)
	for _, x := range s.Prefixes {
		p.bind(x.Prefix, x.URI)
	}
	if _, err := p.startTag(&Element{}); err != nil {
		return nil
	}
	return p.scope
}

// declared returns the prefixes that the tag at the front of raw declares; ""
// is the default namespace.
func declared(raw []byte) map[string]bool {
	p := parser{b: raw}
	own := map[string]bool{}
	if _, err := p.startTag(&Element{}); err != nil {
		return own
	}
	for _, b := range p.scope {
		own[b.Prefix] = true
	}
	return own
}
