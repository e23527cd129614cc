package operator

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"rollcall/server/features/adhoc"
	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// Commands returns the operations that administrators have as ad-hoc commands
// (XEP-0133), to be offered by the server that the desk serves.
func (d *Desk) Commands() []adhoc.Command {
	return d.commands(func(*Operation) bool { return true })
}

// DeviceCommands returns those of them that make sense where there are devices and their
// states, and no accounts.
func (d *Desk) DeviceCommands() []adhoc.Command {
	return d.commands(func(op *Operation) bool { return op.Presence || strings.HasPrefix(op.Name, "device.") })
}

func (d *Desk) commands(offered func(*Operation) bool) []adhoc.Command {
	var all []adhoc.Command
	for i := range operations {
		if op := &operations[i]; op.Node != "" && offered(op) {
			all = append(all, d.command(op))
		}
	}
	return all
}

func (d *Desk) command(op *Operation) adhoc.Command {
	c := adhoc.Command{
		Node: op.Node, Name: op.Title, May: func(who *adhoc.Caller) bool { return d.mayGive(op, who) },
		Run: func(ctx context.Context, who *adhoc.Caller, answers *form.Answers) (adhoc.Result, error) {
			return d.carryOut(ctx, who, op, op.order(answers))
		},
	}
	if len(op.Fields) > 0 {
		c.Form = func(ctx context.Context, _ *adhoc.Caller) (*form.Form, error) { return d.form(ctx, op) }
	}
	return c
}

// carryOut carries out an order that somebody gives by a command.
func (d *Desk) carryOut(ctx context.Context, who *adhoc.Caller, op *Operation, o Order) (adhoc.Result, error) {
	a, err := d.Do(ctx, actor(who), o)
	if err != nil {
		return adhoc.Result{}, refusal(err)
	}
	return adhoc.Result{Note: a.Note, Payload: a.payload(op)}, nil
}

// administers reports whether somebody is an administrator. Visitors are not,
// whatever address they get.
func (d *Desk) administers(who *adhoc.Caller) bool {
	return !who.Visits() && d.Admin(who.JID.Bare())
}

// actor is who gives a command.
func actor(c *adhoc.Caller) Actor {
	a := Actor{Name: c.JID.String(), JID: c.JID.Bare()}
	if c.Session == nil {
		return a // their server does not tell
	}
	if p := c.Session.Info().Peer; p.Addr.IsValid() {
		a.Origin = p.Addr.String()
	}
	return a
}

// refusal says whether an error can be put right in the form.
func refusal(err error) error {
	var e *Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Reason == Exists, e.Reason == GroupExists, e.Reason == DeviceExists:
		return stanza.Refuse(stanza.ErrConflict, "%s", e.Text) // XEP-0133 §5
	}
	return adhoc.Mistake(e.Text)
}

// order is what was filled in, as far as the operation asks for it.
func (op *Operation) order(answers *form.Answers) Order {
	o := Order{Name: op.Name, Values: map[string][]string{}}
	if answers == nil {
		return o
	}
	for i := range op.Fields {
		for _, name := range []string{op.Fields[i].Name, op.Fields[i].Also} {
			if values := answers.Values(name); name != "" && len(values) > 0 {
				o.Values[name] = values
			}
		}
	}
	return o
}

// form is what to fill in for an operation.
func (d *Desk) form(ctx context.Context, op *Operation) (*form.Form, error) {
	x := &form.Form{Type: adminSpace, Title: op.Title}
	if op.Hint != "" {
		x.Instructions = []string{op.Hint}
	}
	var there map[string][]string
	if op.fill != nil {
		var err error
		if there, err = op.fill(ctx, d); err != nil {
			return nil, err
		}
	}
	for i := range op.Fields {
		f := op.Fields[i].form()
		if f.Values = there[f.Var]; op.Fields[i].Preset != "" {
			f.Values = []string{op.Fields[i].Preset}
		}
		x.Fields = append(x.Fields, f)
		if also := op.Fields[i].Also; also != "" {
			f.Var, f.Kind = also, form.JIDMulti
			x.Fields = append(x.Fields, f)
		}
	}
	return x, nil
}

// kinds are the field types of XEP-0004.
var kinds = map[Kind]form.Kind{
	Text: form.TextSingle, Lines: form.TextMulti, Secret: form.TextPrivate, Person: form.JIDSingle, People: form.JIDMulti,
	Clients: form.JIDMulti, Number: form.TextSingle, Yes: form.Boolean, Choice: form.ListSingle,
	Words: form.TextMulti, List: form.TextMulti,
}

// form is the field as it stands in a form. One that goes by two names is not
// said to be required: either will do.
func (f *Field) form() form.Field {
	x := form.Field{Var: f.Name, Label: f.Label, Kind: kinds[f.Kind], Required: f.Required && f.Also == ""}
	for _, o := range f.Options {
		x.Options = append(x.Options, form.Option{Label: o.Label, Value: o.Value})
	}
	if f.Kind == Number && len(f.Options) > 0 {
		x.Kind, x.Open = form.ListSingle, true
	}
	return x
}

// payload is the answer as a form of type result.
func (a *Answer) payload(op *Operation) []byte {
	switch {
	case len(a.Facts) > 0 || len(a.elements) > 0:
		x := &form.Form{Type: adminSpace, Title: op.Title}
		for _, f := range a.Facts {
			x.Fields = append(x.Fields, f.form())
		}
		b := x.AppendResult(nil)
		if len(a.elements) > 0 { // XEP-0133 §4.8 wants them inside
			b = append(append(bytes.TrimSuffix(b, []byte("</x>")), a.elements...), "</x>"...)
		}
		return b
	case len(a.Rows) > 0:
		t := &form.Table{Type: adminSpace, Title: op.Title, Rows: a.Rows}
		for _, name := range a.Header {
			t.Columns = append(t.Columns, form.Field{Var: name, Label: name, Kind: form.TextSingle})
		}
		return t.AppendResult(nil)
	}
	return nil
}

// form is the fact as it stands in a result.
func (f *Fact) form() form.Field {
	x := form.Field{Var: f.Name, Label: f.Label, Kind: form.TextSingle, Values: f.Values}
	switch {
	case f.Kind != "":
		x.Kind = kinds[f.Kind]
	case len(f.Values) > 1:
		x.Kind = form.TextMulti
	}
	return x
}
