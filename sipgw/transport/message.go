package transport

import (
	"strconv"
	"strings"
)

// A Message is what requests and responses have in common. Nobody changes it
// once it has been read.
type Message struct {
	fields []Field // short names have been made long
	body   []byte

	via    Via // the topmost
	from   Address
	to     Address
	callID string
	cseq   uint32
	method string // of the request, or of the request that this answers

	flow Flow
}

// read reads what every message has to have (RFC 3261 §8.1.1). The error is a
// [Malformed] that names what is missing or wrong. Of a response the same is
// wanted, but for Max-Forwards.
func (m *Message) read() error {
	var from, to, cseq, via string
	for _, f := range m.fields {
		var err error
		switch {
		case sameName(f.Name, "Via"):
			err = m.readVia(f.Value, via == "")
			via = f.Value
		case sameName(f.Name, "From"):
			err = once(&from, f)
		case sameName(f.Name, "To"):
			err = once(&to, f)
		case sameName(f.Name, "Call-ID"):
			err = once(&m.callID, f)
		case sameName(f.Name, "CSeq"):
			err = once(&cseq, f)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case via == "":
		return Malformed("Missing Via")
	case m.callID == "":
		return Malformed("Missing Call-ID")
	}
	if err := readAddress(&m.from, "From", from); err != nil {
		return err
	}
	if err := readAddress(&m.to, "To", to); err != nil {
		return err
	}
	return m.readCSeq(cseq)
}

// once takes a header that may be there only once. Two that are different to two
// readers are how requests are smuggled past a check.
func once(to *string, f Field) error {
	if *to != "" {
		return Malformed("More Than One " + f.Name)
	}
	if *to = f.Value; f.Value == "" {
		return Malformed("Bad " + f.Name)
	}
	return nil
}

// readVia reads a Via header, of which the first element of the first is kept.
func (m *Message) readVia(value string, first bool) error {
	for rest := value; rest != "" || first; first = false {
		var part string
		part, rest = cutOutside(rest, ',')
		v, err := ParseVia(strings.TrimSpace(part))
		if err != nil {
			return Malformed("Bad Via")
		}
		if first {
			m.via = v
		}
	}
	return nil
}

func readAddress(to *Address, name, value string) (err error) {
	if value == "" {
		return Malformed("Missing " + name)
	}
	if *to, err = ParseAddress(value); err != nil {
		return Malformed("Bad " + name)
	}
	if _, more := cutOutside(value, ','); more != "" {
		return Malformed("More Than One " + name)
	}
	return nil
}

// readCSeq reads the number, below 2^31 (RFC 3261 §8.1.1.5), and the method.
func (m *Message) readCSeq(value string) error {
	if value == "" {
		return Malformed("Missing CSeq")
	}
	i := strings.IndexAny(value, " \t")
	if i < 0 {
		return Malformed("Bad CSeq")
	}
	n, err := strconv.ParseUint(value[:i], 10, 31)
	method := strings.TrimSpace(value[i:])
	if err != nil || !isToken(method) {
		return Malformed("Bad CSeq")
	}
	if m.method != "" && m.method != method {
		return Malformed("CSeq Of Another Method")
	}
	m.cseq, m.method = uint32(n), method
	return nil
}

// Method is the method of a request, or of the request that a response answers.
func (m *Message) Method() string { return m.method }

// From is who sent the request.
func (m *Message) From() Address { return m.from }

// To is whom the request was meant for.
func (m *Message) To() Address { return m.to }

// CallID is the value of Call-ID.
func (m *Message) CallID() string { return m.callID }

// CSeq is the number in CSeq, below 2^31.
func (m *Message) CSeq() uint32 { return m.cseq }

// Via is the topmost Via: of a request, who sent it here.
func (m *Message) Via() Via { return m.via }

// Flow is where the message came from.
func (m *Message) Flow() Flow { return m.flow }

// Body is the body, nil if there is none. It is not to be changed.
func (m *Message) Body() []byte { return m.body }

// Header returns the value of the first header of a name, "" if there is none.
// The name is a long one; what came by its short name is found too.
func (m *Message) Header(name string) string {
	for _, f := range m.fields {
		if sameName(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Has reports whether there is a header of a name, be it empty.
func (m *Message) Has(name string) bool {
	for _, f := range m.fields {
		if sameName(f.Name, name) {
			return true
		}
	}
	return false
}

// Lines returns the values of all headers of a name, one for each line.
func (m *Message) Lines(name string) (out []string) {
	for _, f := range m.fields {
		if sameName(f.Name, name) {
			out = append(out, f.Value)
		}
	}
	return out
}

// Values returns the elements of all headers of a name, for those that are lists
// (RFC 3261 §7.3.1): Contact, Route, Supported and so on. Authorization and the
// like are none, see [Message.Lines]. Empty elements are left out.
func (m *Message) Values(name string) (out []string) {
	for _, f := range m.fields {
		if sameName(f.Name, name) {
			out = splitList(out, f.Value)
		}
	}
	return out
}

// Count returns how many elements [Message.Values] would have.
func (m *Message) Count(name string) (n int) {
	for _, f := range m.fields {
		if !sameName(f.Name, name) {
			continue
		}
		for rest := f.Value; rest != ""; {
			var part string
			part, rest = cutOutside(rest, ',')
			if strings.TrimSpace(part) != "" {
				n++
			}
		}
	}
	return n
}

// Names reports whether a list names a token, such as Supported an extension.
func (m *Message) Names(name, token string) bool {
	for _, f := range m.fields {
		if !sameName(f.Name, name) {
			continue
		}
		for rest := f.Value; rest != ""; {
			var part string
			part, rest, _ = strings.Cut(rest, ",")
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// Fields returns all headers in their order, not to be changed.
func (m *Message) Fields() []Field { return m.fields }

// Addresses reads the elements of all headers of a name as addresses.
func (m *Message) Addresses(name string) ([]Address, error) {
	var out []Address
	for _, v := range m.Values(name) {
		a, err := ParseAddress(v)
		if err != nil {
			return nil, Malformed("Bad " + name)
		}
		out = append(out, a)
	}
	return out, nil
}

// Contacts reads the contacts. star is set for "Contact: *", which stands alone
// (RFC 3261 §10.3).
func (m *Message) Contacts() (all []Address, star bool, err error) {
	values := m.Values("Contact")
	for _, v := range values {
		if v == "*" {
			star = true
		}
	}
	if star {
		if len(values) > 1 {
			return nil, false, Malformed("More Than One Contact With *")
		}
		return nil, true, nil
	}
	all, err = m.Addresses("Contact")
	return all, false, err
}

// Seconds reads a header that is a number, as Expires and Min-Expires are. What
// does not fit into 32 bits counts as the most that does (RFC 3261 §20.19); ok is
// false where there is no number.
func (m *Message) Seconds(name string) (n uint32, ok bool) {
	return Seconds(m.Header(name))
}

// Seconds reads a number of seconds with or without parameters or a comment
// behind it (RFC 3261 §20.33).
func Seconds(value string) (n uint32, ok bool) {
	if i := strings.IndexAny(value, " \t;("); i >= 0 {
		value = value[:i]
	}
	if value == "" {
		return 0, false
	}
	var sum uint64
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		sum = min(sum*10+uint64(c-'0'), 1<<32-1)
	}
	return uint32(sum), true
}

// ContentType is the media type of the body, in lower case and without
// parameters.
func (m *Message) ContentType() string {
	t, _, _ := strings.Cut(m.Header("Content-Type"), ";")
	return lower(strings.TrimSpace(t))
}

// UserAgent is what the sender's program calls itself.
func (m *Message) UserAgent() string {
	if s := m.Header("User-Agent"); s != "" {
		return s
	}
	return m.Header("Server")
}

// Event is the event package that the message is about and the parameters, such
// as id (RFC 6665 §8.2.1). Packages are in lower case.
func (m *Message) Event() (name string, params Params) {
	v := m.Header("Event")
	if i := strings.IndexByte(v, ';'); i >= 0 {
		v, params = v[:i], Params(v[i:])
	}
	return lower(strings.TrimSpace(v)), params
}
