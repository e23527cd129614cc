package transport

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// parser takes a message apart into its lines. The only header that it reads is
// the one that it needs for the body; the others are read here when somebody
// asks, by rules that don't stop at the first that is odd.
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
	var req *Request
	if len(line) < 4 || !bytes.EqualFold(line[:4], versionName) {
		req = &Request{}
		if err := req.start(string(line)); err != nil {
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
		req.take(msg.Headers(), msg.Body())
		return req, nil, req.read()
	case *sip.Response:
		if req != nil {
			return nil, nil, errNoMessage
		}
		if msg.StatusCode < 100 || msg.StatusCode > 699 {
			return nil, nil, Malformed("Bad Status")
		}
		res := &Response{status: msg.StatusCode, reason: msg.Reason}
		res.take(msg.Headers(), msg.Body())
		return nil, res, res.read()
	}
	return nil, nil, errNoMessage
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

// take copies the headers' names and values, which are not copied themselves.
func (m *Message) take(all []sip.Header, body []byte) {
	m.fields = make([]Field, len(all))
	for i, h := range all {
		m.fields[i] = Field{longName(h.Name()), h.Value()}
	}
	m.body = body
}
