package stream

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

const (
	cName  = 1 << iota // may go on a name
	cStart             // may start a name
	cSpace
	cText // plain text: no markup, entity, control or non-ASCII
	cVal  // plain attribute value
)

var class = func() (t [256]uint8) {
	for c := 0; c < 128; c++ {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
			t[c] |= cName | cStart
		case c >= '0' && c <= '9', c == '-', c == '.':
			t[c] |= cName
		case c == ' ', c == '\t', c == '\r', c == '\n':
			t[c] |= cSpace
		}
		if c >= 0x20 || c == '\t' || c == '\r' || c == '\n' {
			if c != '<' && c != '&' {
				if c != '>' {
					t[c] |= cText
				}
				if c != '"' && c != '\'' {
					t[c] |= cVal
				}
			}
		}
	}
	return
}()

func isSpace(c byte) bool { return class[c]&cSpace != 0 }

// name scans a QName at b[i:] and returns its end and the offset of its colon.
func name(b []byte, i int) (end, colon int, err error) {
	start := true
	for ; i < len(b); i++ {
		c := b[i]
		cl := class[c]
		switch {
		case start && cl&cStart != 0:
			start = false
		case !start && cl&cName != 0:
		case !start && c == ':' && colon == 0:
			colon, start = i, true
		case c >= utf8.RuneSelf:
			if !utf8.FullRune(b[i:]) {
				return i, colon, Short
			}
			r, n := utf8.DecodeRune(b[i:])
			if !nameRune(r, start) || r == utf8.RuneError && n == 1 {
				return i, colon, ErrNotWellFormed
			}
			i += n - 1
			start = false
		default:
			if start {
				return i, colon, ErrNotWellFormed
			}
			return i, colon, nil
		}
	}
	return i, colon, Short
}

func nameRune(r rune, start bool) bool {
	switch {
	case r >= 0xC0 && r <= 0x2FF:
		return r != 0xD7 && r != 0xF7
	case r >= 0x370 && r <= 0x1FFF:
		return r != 0x37E
	case r >= 0x200C && r <= 0x200D, r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF,
		r >= 0x3001 && r <= 0xD7FF, r >= 0xF900 && r <= 0xFDCF, r >= 0xFDF0 && r <= 0xFFFD, r >= 0x10000 && r <= 0xEFFFF:
		return true
	}
	return !start && (r == 0xB7 || r >= 0x300 && r <= 0x36F || r >= 0x203F && r <= 0x2040)
}

// value scans an attribute value up to its closing quote.
func value(b []byte, i int, q byte) (int, error) {
	for i < len(b) {
		c := b[i]
		switch {
		case class[c]&cVal != 0:
			i++
		case c == q:
			return i, nil
		case c == '"' || c == '\'':
			i++
		default:
			n, err := special(b[i:])
			if err != nil {
				return i, err
			}
			i += n
		}
	}
	return i, Short
}

// special checks what is neither plain nor markup: a reference, or a character
// that is not ASCII.
func special(b []byte) (int, error) {
	switch {
	case b[0] == '&':
		return entity(b)
	case b[0] >= utf8.RuneSelf:
		return char(b)
	}
	return 0, ErrNotWellFormed
}

const (
	lo7 = 0x0101010101010101
	hi1 = 0x8080808080808080
)

// plain returns how many leading bytes of b are ASCII that needs no look.
func plain(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		// bytes that are >= 0x80, < 0x20, '<', '>' or '&'
		lt, amp := v^('<'*lo7), v^('&'*lo7)
		gt := v ^ ('>' * lo7)
		m := v | (v - 0x20*lo7) | (lt - lo7) | (amp - lo7) | (gt - lo7)
		if m &= hi1; m != 0 {
			// Borrows can only give false alarms above a true one.
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	return i
}

// text consumes character data up to the next '<' or the end of b; it stops
// before what is cut short at the end of b.
func text(b []byte, topLevel bool) (int, error) {
	if topLevel {
		i := 0
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i < len(b) && b[i] != '<' {
			return i, ErrNotWellFormed
		}
		return i, nil
	}
	i := 0
	for i < len(b) {
		i += plain(b[i:])
		if i == len(b) {
			break
		}
		c := b[i]
		switch {
		case class[c]&cText != 0:
			i++
		case c == '<':
			return i, nil
		case c == '>':
			if i >= 2 && b[i-1] == ']' && b[i-2] == ']' {
				return i, ErrNotWellFormed
			}
			i++
		default:
			n, err := special(b[i:])
			if err != nil {
				return i, err
			}
			i += n
		}
	}
	// "]]>" may be cut by the end of the buffer.
	n := i
	for n > 0 && i-n < 2 && b[n-1] == ']' {
		n--
	}
	if n < i {
		return n, Short
	}
	return i, nil
}

// char checks one non-ASCII character.
func char(b []byte) (int, error) {
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n == 1 {
		if !utf8.FullRune(b) {
			return 0, Short
		}
		return 0, ErrNotWellFormed
	}
	if r == 0xFFFE || r == 0xFFFF {
		return 0, ErrNotWellFormed
	}
	return n, nil
}

// entity checks a character or entity reference.
func entity(b []byte) (int, error) {
	w := b
	if len(w) > 12 {
		w = w[:12]
	}
	i := bytes.IndexByte(w, ';')
	if i < 0 {
		if len(b) < 12 {
			return 0, Short
		}
		return 0, ErrRestrictedXML
	}
	switch ref := b[1:i]; {
	case string(ref) == "lt", string(ref) == "gt", string(ref) == "amp", string(ref) == "apos", string(ref) == "quot":
	case len(ref) > 0 && ref[0] == '#':
		base, ds := rune(10), ref[1:]
		if len(ds) > 0 && ds[0] == 'x' {
			base, ds = 16, ds[1:]
		}
		if len(ds) == 0 {
			return 0, ErrNotWellFormed
		}
		var r rune
		for _, d := range ds {
			var v rune
			switch {
			case d >= '0' && d <= '9':
				v = rune(d - '0')
			case base == 16 && d|0x20 >= 'a' && d|0x20 <= 'f':
				v = rune(d|0x20-'a') + 10
			default:
				return 0, ErrNotWellFormed
			}
			if r = r*base + v; r > utf8.MaxRune {
				return 0, ErrNotWellFormed
			}
		}
		if !(r == 9 || r == 10 || r == 13 || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000) {
			return 0, ErrNotWellFormed
		}
	default:
		return 0, ErrRestrictedXML
	}
	return i + 1, nil
}

var cdataOpen = []byte("<![CDATA[")

func cdata(b []byte, topLevel bool) (int, error) {
	if len(b) < len(cdataOpen) {
		if bytes.HasPrefix(cdataOpen, b) && !topLevel {
			return 0, Short
		}
		return 0, ErrRestrictedXML
	}
	if topLevel || !bytes.HasPrefix(b, cdataOpen) {
		return 0, ErrRestrictedXML // comment, doctype or worse
	}
	i := bytes.Index(b, []byte("]]>"))
	if i < 0 {
		return 0, Short
	}
	for j := len(cdataOpen); j < i; {
		c := b[j]
		switch {
		case c >= utf8.RuneSelf:
			n, err := char(b[j:i])
			if err != nil {
				return 0, ErrNotWellFormed
			}
			j += n
		case c >= 0x20 || isSpace(c):
			j++
		default:
			return 0, ErrNotWellFormed
		}
	}
	return i + 3, nil
}
