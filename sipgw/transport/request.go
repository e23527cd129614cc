package transport

import (
	"errors"
	"strings"
)

// A Handler takes a request that came in. It must not wait for anything slow:
// nothing else is read from that socket meanwhile. It may keep the request and
// answer later, from any goroutine.
type Handler func(*Request)

// A Request is a request that came in and has been checked.
type Request struct {
	Message

	target  string // the Request-URI as it is written
	uri     URI
	version string // "SIP/2.0", in whatever case
	hops    int    // Max-Forwards
	tag     string // ours, for To; made when it is first asked for

	routes []string // what is left of Route, once popped is set
	popped bool

	tx *serverTx // nil for ACK, and for what is not from a socket
}

// start reads the first line. Methods differ by case (RFC 3261 §7.1).
func (r *Request) start(line string) error {
	var ok [2]bool
	r.method, line, ok[0] = strings.Cut(line, " ")
	r.target, r.version, ok[1] = strings.Cut(line, " ")
	if !ok[0] || !ok[1] || !isToken(r.method) || strings.ContainsAny(r.version, " \t") {
		return Malformed("Bad Request-Line")
	}
	if !strings.EqualFold(r.version, "SIP/2.0") {
		return errVersion
	}
	var err error
	if r.uri, err = ParseURI(r.target); err != nil {
		return Malformed("Bad Request-URI")
	}
	switch r.uri.Scheme {
	case "sip", "sips":
		if r.uri.Headers != "" { // RFC 3261 §19.1.1
			return Malformed("Request-URI With Headers")
		}
	case "tel":
	default:
		return errScheme
	}
	return nil
}

// What is wrong with a request besides its syntax: answered 505 and 416
// (RFC 3261 §21.5.6, §8.2.2.1).
var (
	errVersion = errors.New("a version that is not SIP/2.0")
	errScheme  = errors.New("a Request-URI of a scheme that is not understood")
)

// ParseRequest reads and checks a request, for tests and for what is not a
// socket. Responses to it go nowhere.
func ParseRequest(data []byte) (*Request, error) {
	req, _, err := parse(data)
	if err != nil {
		return nil, err
	}
	if req == nil {
		return nil, errNoMessage
	}
	if v := req.check(); v.status != 0 {
		return nil, Malformed(reasonFor(v.status, v.reason))
	}
	return req, nil
}

// URI is the Request-URI.
func (r *Request) URI() URI { return r.uri }

// Target is the Request-URI as it is written.
func (r *Request) Target() string { return r.target }

// MaxForwards is how many more hops the request may take, 0 to 255.
func (r *Request) MaxForwards() int { return r.hops }

// Initial reports whether the request is outside of any dialog.
func (r *Request) Initial() bool { return r.to.Tag() == "" }

// LocalTag is the tag that the To of our responses has: the one that came, or one
// that is made now and is then the request's.
func (r *Request) LocalTag() string {
	if tag := r.to.Tag(); tag != "" {
		return tag
	}
	if r.tag == "" {
		r.tag = newTag()
	}
	return r.tag
}

// SetLocalTag has the responses carry a tag that was chosen before, say that of
// a dialog. It does nothing if the request has one.
func (r *Request) SetLocalTag(tag string) { r.tag = tag }

// A Reply is a response to a request.
type Reply struct {
	Status      int
	Reason      string // "" is the usual one
	Fields      []Field
	ContentType string
	Body        []byte
}

// Respond answers the request: provisionally any number of times, finally once.
// An empty reason is the usual one. What follows a final response is not sent,
// unless it is another 2xx to an INVITE.
func (r *Request) Respond(status int, reason string, fields ...Field) {
	r.Reply(Reply{Status: status, Reason: reason, Fields: fields})
}

// Reply answers as [Request.Respond] does, with a body.
func (r *Request) Reply(p Reply) {
	if r.tx != nil {
		r.tx.respond(r, &p)
	}
}

// OnCancel has f called when an INVITE is cancelled before it was finally
// answered. Without f such an INVITE is answered 487; with f that is up to who
// called it. If it has been cancelled already, f is called at once.
func (r *Request) OnCancel(f func()) {
	if r.tx != nil {
		r.tx.whenCancelled(f)
	}
}
