package transport

import (
	"errors"
	"strconv"
)

// An Outgoing is a request of our own. Method, URI, From, To, CallID and CSeq have
// to be there. What goes into headers is given as it is written there; an
// [Address] has a String.
type Outgoing struct {
	Method string
	URI    string // the Request-URI
	From   string // `"Alice" <sip:alice@example.org>;tag=a`
	To     string
	CallID string
	CSeq   uint32
	Routes []string // the route set, as addresses: "<sip:proxy.example.org;lr>"

	Contact     string // "" is none; "auto" is us, on the flow that is used
	Fields      []Field
	ContentType string
	Body        []byte
	MaxForwards int // 0 is 70

	// Flow is where to. Without one it is found by Routes or URI
	// (RFC 3261 §8.1.2).
	Flow Flow
}

var errOutgoing = errors.New("a request without method, URI, From, To or Call-ID, or with a line break in one")

func (o *Outgoing) valid() error {
	for _, s := range [...]string{o.URI, o.From, o.To, o.CallID} {
		if s == "" || !isClean(s) {
			return errOutgoing
		}
	}
	if !isToken(o.Method) || !isClean(o.Contact) || !isClean(o.ContentType) {
		return errOutgoing
	}
	for _, r := range o.Routes {
		if !isClean(r) {
			return errOutgoing
		}
	}
	return nil
}

// append writes the request as it leaves by a link.
func (o *Outgoing) append(b []byte, w *wire, branch, software string) []byte {
	b = append(append(append(append(b, o.Method...), ' '), o.URI...), " SIP/2.0\r\n"...)
	b = w.appendVia(b, branch)
	for _, r := range o.Routes {
		b = appendField(b, "Route", r)
	}
	hops := o.MaxForwards
	if hops == 0 {
		hops = defaultHops
	}
	b = strconv.AppendInt(append(b, "Max-Forwards: "...), int64(hops), 10)
	b = appendField(append(b, crlf...), "From", o.From)
	b = appendField(b, "To", o.To)
	b = appendField(b, "Call-ID", o.CallID)
	b = strconv.AppendUint(append(b, "CSeq: "...), uint64(o.CSeq), 10)
	b = append(append(append(b, ' '), o.Method...), crlf...)
	switch o.Contact {
	case "":
	case "auto":
		b = append(w.appendURI(append(b, "Contact: <"...), "", ""), ">\r\n"...)
	default:
		b = appendField(b, "Contact", o.Contact)
	}
	b = appendFields(b, o.Fields)
	if software != "" {
		b = appendField(b, "User-Agent", software)
	}
	return appendBody(b, o.ContentType, o.Body)
}

// appendVia writes our Via (RFC 3261 §18.1.1, RFC 3581 §3).
func (w *wire) appendVia(b []byte, branch string) []byte {
	b = append(append(append(b, "Via: SIP/2.0/"...), w.kind.String()...), ' ')
	b = strconv.AppendUint(append(append(b, w.host...), ':'), uint64(w.port), 10)
	b = append(append(b, ";branch="...), branch...)
	return append(b, ";rport\r\n"...)
}

// appendURI writes a URI at which we can be reached by this kind of link.
func (w *wire) appendURI(b []byte, user, params string) []byte {
	b = append(b, "sip:"...)
	if user != "" {
		b = append(append(b, user...), '@')
	}
	b = strconv.AppendUint(append(append(b, w.host...), ':'), uint64(w.port), 10)
	if w.kind != UDP {
		b = append(append(b, ";transport="...), w.kind.Param()...)
	}
	return append(b, params...)
}
