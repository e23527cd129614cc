package stanza

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendText appends s as character data or as an attribute value in either
// kind of quotes. Characters that XML cannot carry become U+FFFD.
func AppendText[T string | []byte](dst []byte, s T) []byte {
	last := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := decode(s[i:])
			if r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF {
				dst = append(append(dst, s[last:i]...), "\uFFFD"...)
				last = i + n
			}
			i += n
			continue
		}
		if esc := escapes[c]; esc != "" {
			dst = append(append(dst, s[last:i]...), esc...)
			last = i + 1
		}
		i++
	}
	return append(dst, s[last:]...)
}

func decode[T string | []byte](s T) (rune, int) {
	return utf8.DecodeRuneInString(string(s[:min(len(s), utf8.UTFMax)]))
}

// Escape returns s as AppendText writes it.
func Escape(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf || escapes[s[i]] != "" {
			return string(AppendText(nil, s))
		}
	}
	return s
}

var escapes = func() (t [256]string) {
	for c := range 0x20 {
		t[c] = "\uFFFD"
	}
	t['\t'], t['\n'], t['\r'] = "&#x9;", "&#xA;", "&#xD;"
	t['<'], t['>'], t['&'], t['\''], t['"'] = "&lt;", "&gt;", "&amp;", "&apos;", "&quot;"
	return
}()

// AppendAttr appends ` name='value'`, escaped; nothing if value is empty.
func AppendAttr(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(append(dst, ' '), name...), "='"...)
	return append(AppendText(dst, value), '\'')
}

// AppendElement appends <name>text</name>, escaped; nothing if text is empty.
func AppendElement(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(append(append(dst, '<'), name...), '>')
	dst = AppendText(dst, text)
	return append(append(append(dst, "</"...), name...), '>')
}

// Text undoes the escapes of validated character data or of an attribute
// value.
func Text(b []byte) string {
	for _, c := range b {
		if c == '&' || c == '<' {
			return unescape(b)
		}
	}
	return string(b)
}

const cdataOpen, cdataClose = "<![CDATA[", "]]>"

func unescape(b []byte) string {
	var out strings.Builder
	for i := 0; i < len(b); {
		switch {
		case b[i] == '&':
			n := i + 1
			for n < len(b) && b[n] != ';' {
				n++
			}
			out.WriteString(entity(string(b[i+1 : n])))
			i = n + 1
		case b[i] == '<' && strings.HasPrefix(string(b[i:min(len(b), i+len(cdataOpen))]), cdataOpen):
			n := strings.Index(string(b[i:]), cdataClose)
			if n < 0 {
				return out.String()
			}
			out.Write(b[i+len(cdataOpen) : i+n])
			i += n + len(cdataClose)
		default:
			out.WriteByte(b[i])
			i++
		}
	}
	return out.String()
}

func entity(ref string) string {
	switch ref {
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "amp":
		return "&"
	case "apos":
		return "'"
	case "quot":
		return `"`
	}
	base, digits := 10, strings.TrimPrefix(ref, "#")
	if strings.HasPrefix(digits, "x") {
		base, digits = 16, digits[1:]
	}
	r, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return ""
	}
	return string(rune(r))
}
