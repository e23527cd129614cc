package transport

import "strings"

// A verdict is an answer that is due before anybody looks at what a request
// wants. The zero value is none.
type verdict struct {
	status int
	reason string
	fields []Field
}

// single are the headers that make two requests of one when there are two of
// them, besides those that [Message.read] counts.
var single = [...]string{"Max-Forwards", "Content-Type", "Content-Length", "Event", "Expires", "Subject", "SIP-If-Match"}

// check decides whether a request that could be read is one that can be answered
// by what it wants (RFC 3261 §8.2, §16.3), and has to be called before anybody
// relies on its accessors.
func (r *Request) check() verdict {
	for _, name := range single {
		if r.twice(name) {
			return verdict{status: 400, reason: "More Than One " + name}
		}
	}
	if v := r.checkHops(); v.status != 0 {
		return v
	}
	if r.modern() && r.from.Tag() == "" { // RFC 3261 §8.1.1.3
		return verdict{status: 400, reason: "From Without A Tag"}
	}
	return verdict{}
}

// checkHops looks at Max-Forwards. What comes from before RFC 3261 has none and
// needs none.
func (r *Request) checkHops() verdict {
	value := r.Header("Max-Forwards")
	if value == "" && !r.Has("Max-Forwards") {
		if r.modern() {
			return verdict{status: 400, reason: "Missing Max-Forwards"}
		}
		r.hops = defaultHops
		return verdict{}
	}
	n, ok := Seconds(value)
	if !ok || n > 255 {
		return verdict{status: 400, reason: "Bad Max-Forwards"}
	}
	r.hops = int(n)
	return verdict{}
}

// defaultHops is what RFC 3261 §8.1.1.6 recommends.
const defaultHops = 70

// modern reports whether the sender follows RFC 3261 rather than RFC 2543.
func (r *Request) modern() bool {
	b := r.via.Branch()
	return len(b) > len(magic) && strings.HasPrefix(b, magic)
}

// twice reports whether two headers have the name. Two numbers that are the same
// are one: some middle boxes write Content-Length again.
func (r *Request) twice(name string) bool {
	first, n := "", 0
	for _, f := range r.fields {
		if !sameName(f.Name, name) {
			continue
		}
		if n++; n == 1 {
			first = f.Value
		} else if name != "Content-Length" || f.Value != first {
			return true
		}
	}
	return false
}

// Accept checks what only matters to whom a request ends at, as opposed to a
// proxy: whether all that it requires is among the supported extensions
// (RFC 3261 §8.2.2.3), and whether it is not the same request that came already
// by another way (§8.2.2.2). If not it has been answered, and false is returned.
func (r *Request) Accept(supported ...string) bool {
	if r.method != "ACK" && r.method != "CANCEL" {
		if missing := r.unsupported(supported); missing != nil {
			r.Respond(420, "", Field{"Unsupported", strings.Join(missing, ", ")})
			return false
		}
	}
	if r.tx != nil && r.to.Tag() == "" && !r.tx.t.server.sole(r) {
		r.Respond(482, "Merged Request")
		return false
	}
	return true
}

// unsupported are the extensions that the request requires and we lack.
func (r *Request) unsupported(supported []string) (missing []string) {
	for _, tag := range r.Values("Require") {
		found := false
		for _, s := range supported {
			found = found || strings.EqualFold(s, tag)
		}
		if !found && isToken(tag) {
			missing = append(missing, tag)
		}
	}
	return missing
}
