package stanza

import "bytes"

// Rename returns validated bytes of an element with the namespace to declared
// wherever from is, in the element itself (depth 0) and in what is in it down to a
// depth. to must not need to be escaped. What has nothing to rename is returned as
// it is.
func Rename(raw []byte, from, to string, depth int) []byte {
	if !bytes.Contains(raw, []byte(from)) {
		return raw
	}
	out := make([]byte, 0, len(raw)+len(to))
	done, at := 0, 0
	for i := 0; i < len(raw); {
		switch {
		case raw[i] != '<':
			i++
		case bytes.HasPrefix(raw[i:], []byte(cdataOpen)):
			n := bytes.Index(raw[i:], []byte(cdataClose))
			if n < 0 {
				return raw
			}
			i += n + len(cdataClose)
		case i+1 < len(raw) && raw[i+1] == '/':
			at--
			i++
		default:
			end := tagEnd(raw, i)
			if at <= depth {
				for _, v := range declarations(raw[i:end], from) {
					out = append(append(out, raw[done:i+int(v.Lo)]...), to...)
					done = i + int(v.Hi)
				}
			}
			if end < 2 || raw[end-2] != '/' {
				at++
			}
			i = end
		}
	}
	return append(out, raw[done:]...)
}

// tagEnd returns where the tag at i ends.
func tagEnd(b []byte, i int) int {
	quote := byte(0)
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return i
}

// declarations finds the values of those declarations in a start tag that are of a
// namespace.
func declarations(tag []byte, space string) (values []Span) {
	p := parser{b: tag, at: 1}
	p.name()
	for {
		p.space()
		if p.at >= len(tag) || tag[p.at] == '>' || tag[p.at] == '/' {
			return values
		}
		key := p.name()
		value, ok := p.value()
		if !ok {
			return values
		}
		if value == space && (key == "xmlns" || len(key) > 6 && key[:6] == "xmlns:") {
			hi := p.at - 1
			lo := bytes.LastIndexByte(tag[:hi], tag[hi]) + 1
			values = append(values, Span{Lo: uint32(lo), Hi: uint32(hi)})
		}
	}
}
