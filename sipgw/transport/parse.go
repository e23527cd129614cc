package transport

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// parser takes a message apart into its lines that is not as most are, see [pieces].
// The only header that it reads is the one that it needs for the body; the others are
// read here when somebody asks, by rules that don't stop at the first that is odd.
var parser = newParser()

func newParser() *sip.Parser {
	length := sip.DefaultHeadersParser()["content-length"]
	p := sip.NewParser(sip.WithHeadersParsers(map[string]sip.HeaderParser{
		"content-length": length,
		"l":              length,
	}))
	p.MaxMessageLength = 1 << 30 // what is too large is found before
	return p
}

// Malformed is the error of what cannot be read as a message. It is the reason
// phrase of the 400 that says so.
type Malformed string

// Error is the reason phrase.
func (m Malformed) Error() string { return string(m) }

var errNoMessage = errors.New("not a SIP message")

// parse reads one whole message: either a request or a response is returned, or
// an error. The first line is read here: the library takes "invite" for INVITE and
// knows no schemes with a dot. What is only malformed can be answered, see
// [salvage].
func parse(data []byte) (*Request, *Response, error) {
	line, _, _ := bytes.Cut(data, crlf)
	response := len(line) >= len(versionName) && bytes.EqualFold(line[:len(versionName)], versionName)
	var p pieces
	if p.take(data) {
		if !response {
			req := &Request{}
			if err := req.start(p.line); err != nil {
				return nil, nil, err
			}
			req.fields, req.body = p.fields, p.body
			return req, nil, req.read()
		}
		if status, reason, ok := plainStatus(p.line); ok {
			return received(status, reason, p.fields, p.body)
		}
	}
	return parseOdd(data, string(line), response)
}

// parseOdd has the library take a message apart.
func parseOdd(data []byte, line string, response bool) (*Request, *Response, error) {
	var req *Request
	if !response {
		req = &Request{}
		if err := req.start(line); err != nil {
			return nil, nil, err
		}
	}
	msg, err := parser.ParseSIP(data)
	if err != nil {
		return nil, nil, fault(err)
	}
	switch msg := msg.(type) {
	case *sip.Request:
		if req == nil {
			return nil, nil, errNoMessage
		}
		if req.fields, err = fieldsOf(msg.Headers()); err != nil {
			return req, nil, err
		}
		req.body = msg.Body()
		return req, nil, req.read()
	case *sip.Response:
		if req != nil {
			return nil, nil, errNoMessage
		}
		fields, err := fieldsOf(msg.Headers())
		if err != nil {
			return nil, nil, err
		}
		return received(msg.StatusCode, msg.Reason, fields, msg.Body())
	}
	return nil, nil, errNoMessage
}

// received makes a response of its parts.
func received(status int, reason string, fields []Field, body []byte) (*Request, *Response, error) {
	if status < 100 || status > 699 {
		return nil, nil, Malformed("Bad Status")
	}
	res := &Response{status: status, reason: reason}
	res.fields, res.body = fields, body
	return nil, res, res.read()
}

// fault says for the sender what the library found.
func fault(err error) error {
	var number *strconv.NumError
	switch {
	case errors.Is(err, sip.ErrParseReadBodyIncomplete):
		return Malformed("Body Shorter Than Content-Length")
	case errors.Is(err, sip.ErrMessageTooLarge), errors.As(err, &number):
		return Malformed("Bad Content-Length")
	}
	return Malformed("Bad Syntax")
}

// withoutNULs leaves out of a name for people what RFC 3261 §25.1 lets it have by a
// quoted-pair, and databases and XML do not. Other NULs are refused.
func withoutNULs(value string) string {
	return strings.ReplaceAll(value, "\\\x00", "")
}

// fieldsOf copies the headers' names and values, which are not copied themselves.
func fieldsOf(all []sip.Header) ([]Field, error) {
	fields := make([]Field, len(all))
	for i, h := range all {
		f := Field{longName(h.Name()), h.Value()}
		if sameName(f.Name, "From") || sameName(f.Name, "To") {
			f.Value = withoutNULs(f.Value)
		}
		// A line feed alone ends a line for some; what one reader takes for a value is
		// a header of its own for them.
		if !isClean(f.Value) || !isToken(f.Name) {
			return nil, Malformed("Bad Header Line")
		}
		fields[i] = f
	}
	return fields, nil
}
