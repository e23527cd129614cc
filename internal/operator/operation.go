package operator

import (
	"context"
	"encoding/json"

	"rollcall/presence"
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

// Actor is who gives an order.
type Actor struct {
	Name   string   // an administrator's full address, or a user of this machine: "uid 1000"
	Origin string   // where they sit: an IP address, or a word for this machine
	JID    jid.Bare // their account; "" if it is a user of this machine
}

// Operation is one thing that an operator can do.
type Operation struct {
	Name   string // "account.add"
	Title  string // "Add an account", as the list of commands shows it
	Hint   string // a sentence for the form, or ""
	Node   string // of the ad-hoc command; "" if there is none
	Fields []Field

	// Reads says that nothing is changed, so that nothing is noted.
	Reads bool

	// Live says that it makes sense only while the server runs, and Presence only while
	// it is known in which states people and devices are.
	Live, Presence bool

	// Level, if it is not Hidden, lets those give the order who have a role that other
	// people's states are part of, and see so much of the subject. Else it is for
	// administrators alone.
	Level presence.Level

	run func(context.Context, *Desk, values) (Answer, error)

	// fill returns what stands in the form already, by the names of fields; nil
	// is nothing.
	fill func(context.Context, *Desk) (map[string][]string, error)
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

	// Detail is all of it for programs, as JSON; nil is nothing more.
	Detail json.RawMessage `json:"detail,omitempty"`

	// elements are whole ones for the form in which a client gets the answer, in
	// place of the rows.
	elements []byte
}

// Fact is one thing of which there may be several. A client gets the facts if
// there are any, and else the rows.
type Fact struct {
	Name   string   `json:"name"`  // as in XEP-0133, where it is there
	Label  string   `json:"label"` // for people
	Kind   Kind     `json:"kind,omitempty"`
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

// people returns the values of a field that holds addresses.
func (v values) people(field string) []jid.Bare {
	all := make([]jid.Bare, len(v[field]))
	for i, s := range v[field] {
		all[i] = jid.Bare(s)
	}
	return all
}
