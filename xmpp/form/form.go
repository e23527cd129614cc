package form

import (
	"strings"

	"rollcall/xmpp/stanza"
)

// Namespace is that of <x/>.
const Namespace = "jabber:x:data"

// TypeField is the hidden field that says what a form is for (XEP-0068).
const TypeField = "FORM_TYPE"

const nsValidate = "http://jabber.org/protocol/xdata-validate"

// Kind is what a field holds (XEP-0004 §3.3); "" is not said, which means
// TextSingle.
type Kind string

// The kinds of fields. Those that end in Multi, and Hidden, may have several
// values; the values of TextMulti are lines.
const (
	Boolean     Kind = "boolean"
	Fixed       Kind = "fixed" // something to read
	Hidden      Kind = "hidden"
	JIDMulti    Kind = "jid-multi"
	JIDSingle   Kind = "jid-single"
	ListMulti   Kind = "list-multi"
	ListSingle  Kind = "list-single"
	TextMulti   Kind = "text-multi"
	TextPrivate Kind = "text-private"
	TextSingle  Kind = "text-single"
)

// Form is what somebody is to fill in, or a result without rows.
type Form struct {
	Type         string   // FORM_TYPE; "" for none
	Title        string   // a line
	Instructions []string // lines
	Fields       []Field  // without that of FORM_TYPE
}

// Field is a field of a form.
type Field struct {
	Var      string // its name in the form; only a fixed one goes without
	Kind     Kind
	Label    string   // its name for people
	Desc     string   // more about it, for people
	Required bool     // the form is not complete without it
	Values   []string // what stands there already; a result
	Options  []Option // what a list can be chosen from
	Open     bool     // beside the options people may name others (XEP-0122 §3.2.2)
}

// Option is one of the values of a list; Label is its name for people.
type Option struct{ Label, Value string }

// AppendForm appends the form as one to fill in.
func (f *Form) AppendForm(dst []byte) []byte { return f.append(dst, "form") }

// AppendResult appends the form as a result: what only concerns who fills one
// in is left out.
func (f *Form) AppendResult(dst []byte) []byte { return f.append(dst, "result") }

// AppendSubmit appends the form as it was filled in.
func (f *Form) AppendSubmit(dst []byte) []byte { return f.append(dst, "submit") }

func (f *Form) append(dst []byte, typ string) []byte {
	dst = open(dst, typ)
	if typ != "submit" {
		dst = head(dst, f.Title, f.Instructions)
	}
	dst = formType(dst, f.Type)
	for i := range f.Fields {
		dst = f.Fields[i].append(dst, typ)
	}
	return append(dst, "</x>"...)
}

func open(dst []byte, typ string) []byte {
	return append(append(append(dst, "<x xmlns='"+Namespace+"' type='"...), typ...), "'>"...)
}

func head(dst []byte, title string, instructions []string) []byte {
	dst = stanza.AppendElement(dst, "title", title)
	for _, line := range instructions {
		dst = stanza.AppendElement(dst, "instructions", line)
	}
	return dst
}

func formType(dst []byte, typ string) []byte {
	if typ == "" {
		return dst
	}
	hidden := Field{Var: TypeField, Kind: Hidden, Values: []string{typ}}
	return hidden.append(dst, "form")
}

// append appends the field as it stands in a form of that type.
func (f *Field) append(dst []byte, typ string) []byte {
	dst = stanza.AppendAttr(append(dst, "<field"...), "var", f.Var)
	dst = stanza.AppendAttr(dst, "type", string(f.Kind))
	if typ == "submit" {
		return end(value(append(dst, '>'), f.Values), "field")
	}
	dst = stanza.AppendAttr(dst, "label", f.Label)
	if typ == "form" {
		dst = stanza.AppendElement(append(dst, '>'), "desc", f.Desc)
		if f.Required {
			dst = append(dst, "<required/>"...)
		}
		if f.Open {
			dst = append(dst, "<validate xmlns='"+nsValidate+"' datatype='xs:string'><open/></validate>"...)
		}
	} else {
		dst = append(dst, '>')
	}
	dst = value(dst, f.Values)
	if typ == "form" {
		for _, o := range f.Options {
			dst = append(stanza.AppendAttr(append(dst, "<option"...), "label", o.Label), '>')
			dst = end(value(dst, []string{o.Value}), "option")
		}
	}
	return end(dst, "field")
}

func value(dst []byte, values []string) []byte {
	for _, v := range values {
		if v == "" {
			dst = append(dst, "<value/>"...) // AppendElement leaves out what is empty
		}
		dst = stanza.AppendElement(dst, "value", v)
	}
	return dst
}

// end closes an element that may be empty.
func end(dst []byte, name string) []byte {
	return append(append(append(dst, "</"...), name...), '>')
}

// Table is a result with rows (XEP-0004 §3.4).
type Table struct {
	Type         string   // FORM_TYPE; "" for none
	Title        string   // a line
	Instructions []string // lines
	Columns      []Field  // names, labels and kinds
	Rows         [][]string
}

// AppendResult appends the table. Each row has a value for each column; what is
// missing at its end is empty.
//
// COMPAT(all, until XEP-0055 changes): since its version 2.13.1 XEP-0004 wants no
// field beside the rows, while XEP-0055 §3 shows FORM_TYPE there, and clients look
// for it. Whoever wants none leaves Type out.
func (t *Table) AppendResult(dst []byte) []byte {
	dst = head(open(dst, "result"), t.Title, t.Instructions)
	dst = append(formType(dst, t.Type), "<reported>"...)
	for i := range t.Columns {
		c := Field{Var: t.Columns[i].Var, Kind: t.Columns[i].Kind, Label: t.Columns[i].Label}
		dst = c.append(dst, "result")
	}
	dst = end(dst, "reported")
	for _, row := range t.Rows {
		dst = append(dst, "<item>"...)
		for i := range t.Columns {
			cell := Field{Var: t.Columns[i].Var, Values: []string{""}}
			if i < len(row) {
				cell.Values[0] = row[i]
			}
			dst = cell.append(dst, "result")
		}
		dst = end(dst, "item")
	}
	return append(dst, "</x>"...)
}

// Lines splits a text into the values of a TextMulti field.
func Lines(text string) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n")
}
