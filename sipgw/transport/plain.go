package transport

import (
	"bytes"
	"strings"
)

// pieces are what a message is made of that is as nearly all are: each header on one
// line that ends in CRLF, the name right before its colon, and one Content-Length at
// most, that tells the truth. It is taken apart with one copy of its head. All else is
// for the library.
type pieces struct {
	line   string // the first
	fields []Field
	body   []byte
}

// take takes a message apart; false if it is not like that.
func (p *pieces) take(data []byte) bool {
	end := bytes.Index(data, emptyLine)
	if end < 0 {
		return false
	}
	// Outside of a line's end there are neither CR nor LF, and no NUL.
	head := data[:end+len(crlf)]
	n := bytes.Count(head, crlf)
	if bytes.Count(head, crlf[:1]) != n || bytes.Count(head, crlf[1:]) != n || bytes.IndexByte(head, 0) >= 0 {
		return false
	}
	rest := string(head)
	p.line, rest = cutLine(rest)
	p.fields = make([]Field, 0, n-1)
	length, told := 0, false
	for rest != "" {
		var line string
		line, rest = cutLine(rest)
		f, ok := plainField(line)
		if !ok {
			return false
		}
		if sameName(f.Name, "Content-Length") {
			if told {
				return false
			}
			if length, told = plainNumber(f.Value); !told {
				return false
			}
		}
		p.fields = append(p.fields, f)
	}
	body := data[end+len(emptyLine):]
	if told && length > len(body) {
		return false
	}
	if told {
		body = body[:length]
	}
	if len(body) > 0 {
		p.body = bytes.Clone(body)
	}
	return true
}

// cutLine takes the first line off a text in which each ends in CRLF, and nothing else
// has either.
func cutLine(s string) (line, rest string) {
	i := strings.IndexByte(s, '\r')
	return s[:i], s[i+len(crlf):]
}

// plainField reads a header on one line. What might have blanks around it of which
// ASCII knows nothing is for the library too.
func plainField(line string) (f Field, ok bool) {
	i := strings.IndexByte(line, ':')
	if i <= 0 || !isToken(line[:i]) {
		return f, false
	}
	value := line[i+1:]
	for value != "" && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for value != "" && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	if value != "" && (odd(value[0]) || odd(value[len(value)-1])) {
		return f, false
	}
	return Field{longName(line[:i]), value}, true
}

// odd is a byte that is, or may be part of, what some take for a blank.
func odd(c byte) bool { return c <= ' ' || c >= 0x7f }

// plainNumber reads a length of some digits.
func plainNumber(s string) (n int, ok bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// plainStatus reads the first line of a response; false if it is not as RFC 3261 §7.2
// has it.
func plainStatus(line string) (status int, reason string, ok bool) {
	const version = "SIP/2.0 "
	if !strings.HasPrefix(line, version) {
		return 0, "", false
	}
	number, reason, ok := strings.Cut(line[len(version):], " ")
	if status, ok2 := plainNumber(number); ok && ok2 && len(number) == 3 {
		return status, reason, true
	}
	return 0, "", false
}
