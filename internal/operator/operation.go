package operator

import (
	"context"
	"fmt"
	"slices"

	"rollcall/xmpp/jid"
)

// Order is what somebody asks for: an operation and the values of its fields.
type Order struct {
	Name   string              `json:"name"`
	Values map[string][]string `json:"values,omitempty"` // by the name of a field
}

// NewOrder returns an order of pairs: the name of a field, and a value of it.
// A field that is named twice has two values.
func NewOrder(name string, pairs ...string) Order {
	o := Order{Name: name, Values: map[string][]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Values[pairs[i]] = append(o.Values[pairs[i]], pairs[i+1])
	}
	return o
}

// Kind says what a field holds, and so how it is asked for and checked.
type Kind string

// The kinds of fields.
const (
	Text   Kind = "text"
	Lines  Kind = "lines"  // a text of several lines, each a value
	Secret Kind = "secret" // never shown, logged or kept
	Person Kind = "person" // the bare address of an account here
	People Kind = "people" // one or more of them
	Number Kind = "number" // a count
	Yes    Kind = "yes"    // "true" or "false"
	Choice Kind = "choice" // one of Options
)

// Field is one thing that an operation wants to know.
type Field struct {
	Name     string // as in XEP-0133, where it is there
	Label    string // for a form
	Kind     Kind
	Required bool
	Options  []string // of a Choice
}

// Operation is one thing that an operator can do.
type Operation struct {
	Name   string // "account.add"
	Title  string // "Add an account", as the list of commands shows it
	Node   string // of the ad-hoc command; "" if there is none
	Fields []Field

	// Reads says that nothing is changed, so that nothing is noted.
	Reads bool

	// Live says that it makes sense only while the server runs.
	Live bool

	run func(context.Context, *Desk, values) (Answer, error)
}

// Answer is what came of an operation.
type Answer struct {
	Note   string     `json:"note,omitempty"`   // a sentence about what was done
	Facts  []Fact     `json:"facts,omitempty"`  // what there is to know, one by one
	Header []string   `json:"header,omitempty"` // of the columns of Rows
	Rows   [][]string `json:"rows,omitempty"`

	// Next, if it is not empty, is the value of the field "after" that the next
	// page begins with.
	Next string `json:"next,omitempty"`
}

// Fact is one thing of which there may be several.
type Fact struct {
	Name   string   `json:"name"`  // as in XEP-0133, where it is there
	Label  string   `json:"label"` // for people
	Values []string `json:"values"`
}

// values are checked values of fields.
type values map[string][]string

// one returns the value of a field, or "".
func (v values) one(field string) string {
	if all := v[field]; len(all) > 0 {
		return all[0]
	}
	return ""
}

// person returns the value of a field that holds an address.
func (v values) person(field string) jid.Bare { return jid.Bare(v.one(field)) }

const (
	maxValues     = 1000 // of one field
	maxValueBytes = 8 << 10
)

// check returns an order's values in canonical form.
func (op *Operation) check(o Order) (values, error) {
	known := values{}
	for name := range o.Values {
		if !slices.ContainsFunc(op.Fields, func(f Field) bool { return f.Name == name }) {
			return nil, wrong("%s knows no field %q", op.Name, name)
		}
	}
	for i := range op.Fields {
		f := &op.Fields[i]
		all, err := f.check(o.Values[f.Name])
		if err != nil {
			return nil, err
		}
		if len(all) > 0 {
			known[f.Name] = all
		}
	}
	return known, nil
}

// check returns the values of a field in canonical form.
func (f *Field) check(given []string) ([]string, error) {
	given = slices.DeleteFunc(slices.Clone(given), func(s string) bool { return s == "" && f.Kind != Lines })
	switch {
	case len(given) == 0 && f.Required:
		return nil, wrong("%s is missing", f.Label)
	case len(given) > 1 && f.Kind != People && f.Kind != Lines:
		return nil, wrong("%s has one value", f.Label)
	case len(given) > maxValues:
		return nil, wrong("%s has at most %d values", f.Label, maxValues)
	}
	for i, s := range given {
		if len(s) > maxValueBytes {
			return nil, wrong("%s is longer than %d bytes", f.Label, maxValueBytes)
		}
		var err error
		if given[i], err = f.canonical(s); err != nil {
			return nil, err
		}
	}
	return given, nil
}

func (f *Field) canonical(s string) (string, error) {
	switch f.Kind {
	case Person, People:
		j, err := jid.Parse(s)
		if err != nil || j.IsFull() || j.Local() == "" {
			return "", wrong("%s: %q is not the address of an account", f.Label, s)
		}
		return string(j.Bare()), nil
	case Number:
		var n int
		if _, err := fmt.Sscanf(s, "%d", &n); err != nil || n < 0 || fmt.Sprint(n) != s {
			return "", wrong("%s: %q is no count", f.Label, s)
		}
	case Yes:
		switch s {
		case "true", "1": // XEP-0004 §3.3
			return "true", nil
		case "false", "0":
			return "false", nil
		}
		return "", wrong("%s: say true or false", f.Label)
	case Choice:
		if !slices.Contains(f.Options, s) {
			return "", wrong("%s: %q is none of %q", f.Label, s, f.Options)
		}
	}
	return s, nil
}
