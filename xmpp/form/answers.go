package form

import (
	"strings"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// What somebody can send in a form, beside the limits of a stanza.
const (
	MaxFields = 256
	MaxValues = 10_000 // in all fields together
	maxVar    = 256    // bytes of a field's name
)

// Answers are what somebody has filled in.
type Answers struct {
	Type      string   // FORM_TYPE; "" if it was not said
	Cancelled bool     // the form was put away: there are no answers
	Fields    []Answer // in the order in which they came, without FORM_TYPE
}

// Answer is one field as it was filled in.
type Answer struct {
	Var    string
	Values []string // in order; may be none
}

// Of finds the form in what a request has in it, or nil.
func Of(payload *stanza.Element) *stanza.Element { return payload.Child(Namespace, "x") }

// Parse reads a form that somebody has filled in or put away. It says nothing
// about whether the answers are any good: that is Form.Check. The errors are
// refusals: bad-request for what is no such form, policy-violation for one that
// is too large.
func Parse(x *stanza.Element) (*Answers, error) {
	a := new(Answers)
	switch x.Attr("type") {
	case "submit":
	case "cancel":
		a.Cancelled = true
		return a, nil
	default:
		return nil, stanza.Refuse(stanza.ErrBadRequest, "the form has to be submitted")
	}
	seen, values := map[string]bool{}, 0
	for _, e := range x.Elements() {
		if !e.Is(Namespace, "field") {
			continue
		}
		field, err := parseField(e, seen)
		if err != nil {
			return nil, err
		}
		if values += len(field.Values); len(seen) > MaxFields || values > MaxValues {
			return nil, stanza.Refuse(stanza.ErrPolicyViolation, "a form has at most %d fields and %d values", MaxFields, MaxValues)
		}
		switch field.Var {
		case "": // something that was there to read
		case TypeField:
			a.Type = strings.Join(field.Values, "\n")
		default:
			a.Fields = append(a.Fields, field)
		}
	}
	return a, nil
}

// parseField reads one field, which is not among those that were seen.
func parseField(e *stanza.Element, seen map[string]bool) (Answer, error) {
	a := Answer{Var: e.Attr("var")}
	if a.Var == "" {
		if e.Attr("type") == string(Fixed) {
			return a, nil // XEP-0004 §3.2: it may go without, and some clients send it back
		}
		return a, stanza.Refuse(stanza.ErrBadRequest, "a field of the form has no name")
	}
	if len(a.Var) > maxVar {
		return a, stanza.Refuse(stanza.ErrBadRequest, "the name of a field has at most %d bytes", maxVar)
	}
	if seen[a.Var] {
		return a, stanza.Refuse(stanza.ErrBadRequest, "the field %s is there twice", a.Var)
	}
	seen[a.Var] = true
	for _, v := range e.Elements() {
		if v.Is(Namespace, "value") {
			a.Values = append(a.Values, v.Text())
		}
	}
	return a, nil
}

// Has reports whether there is a field of that name, perhaps without a value. A
// field that is left out leaves things as they are (XEP-0004 §3.5).
func (a *Answers) Has(name string) bool { return a.find(name) != nil }

// Values returns the values of a field.
func (a *Answers) Values(name string) []string {
	if f := a.find(name); f != nil {
		return f.Values
	}
	return nil
}

// Text returns the values of a field as lines of one text.
func (a *Answers) Text(name string) string { return strings.Join(a.Values(name), "\n") }

// Bool reports whether a field says yes (XEP-0004 §3.3).
func (a *Answers) Bool(name string) bool {
	yes, _ := boolean(a.Text(name))
	return yes
}

// JIDs returns the addresses in a field, each once; the error is a refusal:
// not-acceptable.
func (a *Answers) JIDs(name string) ([]jid.JID, error) {
	var all []jid.JID
	seen := map[jid.JID]bool{}
	for _, v := range a.Values(name) {
		if v = strings.TrimSpace(v); v == "" {
			continue
		}
		j, err := jid.Parse(v)
		if err != nil {
			return nil, stanza.Refuse(stanza.ErrNotAcceptable, "an address in %s is none", name)
		}
		if !seen[j] {
			seen[j] = true
			all = append(all, j)
		}
	}
	return all, nil
}

func (a *Answers) find(name string) *Answer {
	for i := range a.Fields {
		if a.Fields[i].Var == name {
			return &a.Fields[i]
		}
	}
	return nil
}

// boolean reads what XML Schema calls one.
func boolean(s string) (yes, ok bool) {
	switch strings.TrimSpace(s) {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}
