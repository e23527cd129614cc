package cpim

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ContentType is the media type of the body.
const ContentType = "message/cpim"

// The limits of a body.
const (
	MaxBody  = 64 << 10 // bytes
	maxLines = 64       // headers, of the message and of the part each
	maxLine  = 2 << 10  // bytes of one
)

// ErrMessage is for what is no message of the kind. It never holds what the peer sent.
var ErrMessage = errors.New("cpim: malformed message")

// ErrRequired is for a message that is not to be read by whoever does not know some
// header (RFC 3862 §4.7).
var ErrRequired = errors.New("cpim: it requires a header that is not understood")

// Message is what is in a body. From, To and what else names people is for the transport
// to know better, and is left aside.
type Message struct {
	Subject     string
	ContentType string // of the part, as it is written
	Encoding    string // Content-Transfer-Encoding and Content-Encoding, in lower case; "" is none
	Body        []byte // part of what was parsed
}

// Parse reads a body.
//
// COMPAT(phones, for good): lines may end in a line feed alone, names of headers are
// compared without regard to case, and the blank behind the colon may be missing.
func Parse(body []byte) (*Message, error) {
	if len(body) > MaxBody {
		return nil, ErrMessage
	}
	m := &Message{}
	rest, err := headers(body, m.header)
	if err != nil {
		return nil, err
	}
	if m.Body, err = headers(rest, m.partHeader); err != nil {
		return nil, err
	}
	if m.ContentType == "" { // RFC 3862 §2.4
		return nil, ErrMessage
	}
	return m, nil
}

// headers reads headers up to the empty line, and returns what is behind it.
func headers(body []byte, each func(name, value string) error) (rest []byte, err error) {
	for range maxLines {
		line, rest, ok := bytes.Cut(body, []byte{'\n'})
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if !ok || len(line) > maxLine || !utf8.Valid(line) {
			return nil, ErrMessage
		}
		if body = rest; len(line) == 0 {
			return body, nil
		}
		name, value, ok := strings.Cut(string(line), ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, ErrMessage
		}
		if err := each(name, strings.TrimSpace(value)); err != nil {
			return nil, err
		}
	}
	return nil, ErrMessage
}

// header takes a header of the message.
func (m *Message) header(name, value string) error {
	switch {
	case strings.EqualFold(name, "Subject") && m.Subject == "":
		if strings.HasPrefix(value, ";") { // ";lang=fr Objet", RFC 3862 §3.3
			_, value, _ = strings.Cut(value, " ")
		}
		m.Subject = unescape(value)
	case strings.EqualFold(name, "Require"):
		return ErrRequired // RFC 3862 §4.7: we know of none
	}
	return nil
}

// partHeader takes a header of the MIME part.
func (m *Message) partHeader(name, value string) error {
	switch {
	case strings.EqualFold(name, "Content-Type"):
		if m.ContentType != "" {
			return ErrMessage
		}
		m.ContentType = value
	case strings.EqualFold(name, "Content-Transfer-Encoding"), strings.EqualFold(name, "Content-Encoding"):
		switch v := strings.ToLower(value); v {
		case "", "7bit", "8bit", "binary", "identity":
		default:
			m.Encoding = v
		}
	}
	return nil
}

// unescape undoes the escapes of a header's value (RFC 3862 §2.3). Those of control
// characters become blanks: it is one line.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			break // an isolated backslash at the end is ignored
		}
		switch c := s[i]; c {
		case 'b', 't', 'n', 'r':
			b.WriteByte(' ')
		case 'u':
			if n, err := strconv.ParseUint(s[i+1:min(i+5, len(s))], 16, 16); err == nil && i+5 <= len(s) {
				b.WriteRune(visible(rune(n)))
				i += 4
				continue
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func visible(r rune) rune {
	switch {
	case r < 0x20 || r == 0x7f:
		return ' '
	case !utf8.ValidRune(r): // half of a pair
		return utf8.RuneError
	}
	return r
}
