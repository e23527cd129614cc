package adhoc

import (
	"context"
	"errors"
	"slices"
	"time"

	mellium "mellium.im/xmpp/stanza"

	"rollcall/server"
	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// bad is a bad-request with one of the conditions of XEP-0050 §4.4.
func bad(condition, text string) *stanza.Error {
	e := stanza.Refuse(stanza.ErrBadRequest, "%s", text)
	e.Extra = []byte("<" + condition + " xmlns='" + Namespace + "'/>")
	return e
}

var (
	errMalformed = bad("malformed-action", "there is no such action")
	errAction    = bad("bad-action", "that cannot be done at this point")
	errSession   = bad("bad-sessionid", "there was no such session")
	errExpired   = &stanza.Error{
		Type: mellium.Cancel, Condition: mellium.NotAllowed, Text: "that took too long, or is done already; begin anew",
		Extra: []byte("<session-expired xmlns='" + Namespace + "'/>"),
	}
)

// order is what a <command/> says (XEP-0050 §4.1).
type order struct {
	node, session, action string
	form                  *stanza.Element // nil if there is none
}

// read reads a <command/>. The action is one of those that there are.
func read(e *stanza.Element) (order, error) {
	o := order{node: e.Attr("node"), session: e.Attr("sessionid"), action: e.Attr("action"), form: form.Of(e)}
	if o.node == "" {
		return o, stanza.Refuse(stanza.ErrBadRequest, "a command has a node")
	}
	switch o.action {
	case "":
		o.action = "execute"
	case "execute", "next", "prev", "complete", "cancel":
	default:
		return o, errMalformed
	}
	return o, nil
}

// command takes one step of a command.
func (f *Feature) command(ctx context.Context, r *server.Request) ([]byte, error) {
	return f.give(ctx, caller(r), r.Payload)
}

// give takes the step that somebody's <command/> is.
func (f *Feature) give(ctx context.Context, who *Caller, e *stanza.Element) ([]byte, error) {
	o, err := read(e)
	if err != nil {
		return nil, err
	}
	c := f.byNode[o.node]
	switch {
	case who == nil:
		return nil, stanza.ErrForbidden
	case c == nil:
		return nil, stanza.ErrItemNotFound
	case !c.may(who):
		if f.forbidden != nil {
			f.forbidden(ctx, who, c)
		}
		return nil, stanza.ErrForbidden
	}
	if o.session != "" {
		return f.proceed(ctx, who, c, o)
	}
	if o.action != "execute" {
		return nil, errSession // §3.3: only that begins one
	}
	return f.begin(ctx, who, c)
}

// begin shows the form, or carries out what has none.
func (f *Feature) begin(ctx context.Context, who *Caller, c *Command) ([]byte, error) {
	if c.Form == nil {
		return f.run(ctx, who, &session{id: f.open.newID(who.JID), command: c}, nil)
	}
	x, err := c.Form(ctx, who)
	if err != nil {
		return nil, err
	}
	s, err := f.open.begin(who.JID, c, x, time.Now())
	if err != nil {
		return nil, err
	}
	return s.ask(x, ""), nil
}

// proceed goes on with a form. There is only one, so that "complete" is what can
// be done with it (XEP-0050 §3.4), which "execute" stands for.
func (f *Feature) proceed(ctx context.Context, who *Caller, c *Command, o order) ([]byte, error) {
	s := f.open.find(o.session, who.JID, time.Now())
	switch {
	case s == nil && f.open.issued(o.session, who.JID):
		return nil, errExpired
	case s == nil || s.command != c:
		return nil, errSession
	}
	switch o.action {
	case "cancel":
		f.open.end(s)
		return append(s.head("canceled"), "</command>"...), nil
	case "next", "prev":
		return nil, errAction
	}
	answers, err := s.answers(o.form)
	if err == nil {
		return f.run(ctx, who, s, answers)
	}
	return s.again(answers, err)
}

// answers reads the form as it was filled in. With a [Mistake] there are answers
// too.
func (s *session) answers(x *stanza.Element) (*form.Answers, error) {
	if x == nil {
		return nil, bad("bad-payload", "the form is missing")
	}
	for i := range x.Attrs {
		if a := &x.Attrs[i]; a.Local == "type" && a.Space == "" && a.Value == "cancel" {
			a.Value = "submit" // XEP-0050 §3.5.1
		}
	}
	answers, err := form.Parse(x)
	if err != nil {
		return nil, payload(err)
	}
	for i := range s.form.Fields {
		field := &s.form.Fields[i]
		said := slices.ContainsFunc(answers.Values(field.Var), func(v string) bool { return v != "" })
		if field.Required && !said {
			return nil, bad("bad-payload", field.Label+" is missing")
		}
	}
	err = s.form.Check(answers)
	if errors.Is(err, stanza.ErrNotAcceptable) {
		refusal, _ := stanza.AsError(err)
		return answers, Mistake(refusal.Text)
	}
	return answers, payload(err)
}

// payload marks a bad request as one because of the form.
func payload(err error) error {
	if !errors.Is(err, stanza.ErrBadRequest) {
		return err
	}
	refusal, _ := stanza.AsError(err)
	return bad("bad-payload", refusal.Text)
}

// run carries the command out.
func (f *Feature) run(ctx context.Context, who *Caller, s *session, answers *form.Answers) ([]byte, error) {
	res, err := s.command.Run(ctx, who, answers)
	if err != nil {
		return s.again(answers, err)
	}
	if answers != nil {
		f.open.end(s)
	}
	b := s.head("completed")
	if res.Note != "" {
		b = appendNote(b, "info", res.Note)
	}
	return append(append(b, res.Payload...), "</command>"...), nil
}

// again shows the form once more if there was a mistake in it, and says which.
// What has no form is over, and the note says that it failed (XEP-0050 §3.6). Any
// other error is an answer itself.
func (s *session) again(answers *form.Answers, err error) ([]byte, error) {
	var m Mistake
	switch {
	case !errors.As(err, &m):
		return nil, err
	case s.form == nil:
		return append(appendNote(s.head("completed"), "error", string(m)), "</command>"...), nil
	}
	x := *s.form
	x.Instructions = append([]string{string(m)}, x.Instructions...)
	x.Fields = slices.Clone(x.Fields)
	for i := range x.Fields {
		field := &x.Fields[i]
		switch {
		case field.Kind == form.TextPrivate:
			field.Values = nil
		case answers.Has(field.Var):
			field.Values = answers.Values(field.Var)
		}
	}
	return s.ask(&x, string(m)), nil
}

// ask is the form, with a note about what was wrong with it.
func (s *session) ask(x *form.Form, wrong string) []byte {
	b := append(s.head("executing"), "<actions execute='complete'><complete/></actions>"...)
	if wrong != "" {
		b = appendNote(b, "error", wrong)
	}
	return append(x.AppendForm(b), "</command>"...)
}

// head is the tag of an answer.
func (s *session) head(status string) []byte {
	b := stanza.AppendAttr([]byte("<command xmlns='"+Namespace+"'"), "node", s.command.Node)
	b = stanza.AppendAttr(stanza.AppendAttr(b, "sessionid", s.id), "status", status)
	return append(b, '>')
}

func appendNote(b []byte, typ, text string) []byte {
	b = append(stanza.AppendAttr(append(b, "<note"...), "type", typ), '>')
	return append(stanza.AppendText(b, text), "</note>"...)
}
