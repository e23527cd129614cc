package addr

import (
	"errors"
	"strings"
)

// Field is a value of a header field such as Contact, Path or From: a URI, with or
// without brackets and a name for people, and parameters (RFC 3261 §20.10).
type Field struct {
	Name   string // for people, as it was written
	URI    string // as it was written, without the brackets
	Params string // of the field, as they were written, from the first semicolon
}

var errField = errors.New("it is no address with parameters")

// ParseField reads a value of a header field. Without brackets a semicolon begins
// the parameters of the field, not of the URI (RFC 3261 §20.10).
func ParseField(s string) (f Field, err error) {
	if len(s) > maxValue {
		return Field{}, errLong
	}
	s = trim(s)
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return Field{}, errChar // it may be written again, into another message
		}
	}
	switch open := bracket(s); {
	case open >= 0:
		f.Name = trim(s[:open])
		end := strings.IndexByte(s[open:], '>')
		if end < 0 {
			return Field{}, errField
		}
		f.URI, f.Params = s[open+1:open+end], trim(s[open+end+1:])
	default:
		f.URI = s
		if i := strings.IndexByte(s, ';'); i >= 0 {
			f.URI, f.Params = trim(s[:i]), s[i:]
		}
	}
	if f.Params != "" && f.Params[0] != ';' || f.URI == "" {
		return Field{}, errField
	}
	return f, nil
}

// bracket is where the URI begins, after a name that may be quoted; or less than 0.
func bracket(s string) int {
	i := 0
	if strings.HasPrefix(s, `"`) {
		if i = quoted(s); i < 0 {
			return -1
		}
	}
	if n := strings.IndexByte(s[i:], '<'); n >= 0 {
		return i + n
	}
	return -1
}

// quoted returns the length of the quoted string that s begins with; less than 0 if
// it does not end.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// Param returns a parameter of the field, without the quotes around it. Of one that
// is there twice it is the first.
func (f Field) Param(name string) (value string, found bool) {
	for rest := f.Params; rest != ""; {
		var p Param
		if p, rest = CutParam(rest); Is(p.Name, name) {
			return p.Value, true
		}
	}
	return "", false
}

// Param is a parameter of a header field.
type Param struct {
	Name  string
	Value string // without the quotes around it; escapes stay, nothing that we read has one
	Text  string // as it was written
}

// CutParam cuts the first of parameters off, each of which begins with a semicolon.
func CutParam(s string) (p Param, rest string) {
	s = s[1:]
	end := len(s)
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			n := quoted(s[i:])
			if n < 0 {
				break
			}
			i += n - 1
		} else if s[i] == ';' {
			end = i
			break
		}
	}
	p.Text = trim(s[:end])
	name, value, _ := strings.Cut(p.Text, "=")
	p.Name, p.Value = trim(name), trim(value)
	if v := p.Value; len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		p.Value = v[1 : len(v)-1]
	}
	return p, s[end:]
}

// Is says whether two words are the same, in any letters.
func Is(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// Split calls each for the values of a header field that may have several,
// separated by commas, until it returns false. Commas in quotes and brackets
// separate nothing. Empty values are passed over: "Supported:" with nothing is
// sent, and means nothing.
func Split(s string, each func(string) bool) {
	begin, inside := 0, false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			if n := quoted(s[i:]); !inside && n > 0 {
				i += n - 1
			}
		case '<':
			inside = true
		case '>':
			inside = false
		case ',':
			if inside {
				continue
			}
			if v := trim(s[begin:i]); v != "" && !each(v) {
				return
			}
			begin = i + 1
		}
	}
	if v := trim(s[begin:]); v != "" {
		each(v)
	}
}

// Lists says whether one of the values of a header field such as Supported is
// word, in any letters.
func Lists(values []string, word string) bool {
	found := false
	for _, v := range values {
		Split(v, func(s string) bool {
			found = found || strings.EqualFold(s, word)
			return !found
		})
	}
	return found
}

// trim takes white space off both ends. A field that was folded has line breaks in
// it.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }
