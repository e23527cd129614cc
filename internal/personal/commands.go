package personal

import (
	"context"
	"errors"

	"rollcall/presence"
	"rollcall/presence/manual"
	"rollcall/server/features/adhoc"
	"rollcall/xmpp/form"
)

// space names our forms, and node begins the nodes of our commands.
const (
	space = "urn:rollcall:me"
	node  = space + "#"
)

// Commands returns what people can have done by ad-hoc commands: on the server, or on
// their own account.
func (d *Desk) Commands() []adhoc.Command {
	return []adhoc.Command{
		{Node: node + "state-set", Name: "Set my state", Form: d.stateForm, Run: d.setState},
		{Node: node + "state-clear", Name: "Take my state away", Run: d.clearState},
		{Node: node + "explain", Name: "Why am I seen as I am?", Run: d.tellWhy},
		{Node: node + "phone", Name: "How much others see of my telephones", Form: d.phoneForm, Run: d.setPhone},
	}
}

// spans are the usual answers to for how long.
var spans = []form.Option{
	{Label: "as long as usual", Value: ""}, {Label: "15 minutes", Value: "15m"}, {Label: "30 minutes", Value: "30m"}, {Label: "1 hour", Value: "1h"},
	{Label: "2 hours", Value: "2h"}, {Label: "4 hours", Value: "4h"}, {Label: "8 hours", Value: "8h"},
}

func (d *Desk) stateForm(context.Context, *adhoc.Caller) (*form.Form, error) {
	x := &form.Form{
		Type: space, Title: "Set my state",
		Instructions: []string{"It goes before what your clients say, and ends by itself."},
		Fields: []form.Field{
			{Var: "state", Label: "State", Kind: form.ListSingle, Required: true},
			{Var: "for", Label: "For how long (20m, 2h)", Kind: form.ListSingle, Open: true, Options: spans, Values: []string{""}},
			{Var: "text", Label: "In your own words", Kind: form.TextSingle},
		},
	}
	for _, c := range d.byHand.Choices(presence.Person, presence.ByManual) {
		x.Fields[0].Options = append(x.Fields[0].Options, form.Option{Label: c.Name, Value: c.ID})
	}
	return x, nil
}

func (d *Desk) setState(ctx context.Context, who *adhoc.Caller, a *form.Answers) (adhoc.Result, error) {
	o := manual.Order{State: first(a, "state"), Text: a.Text("text")}
	if s := first(a, "for"); s != "" {
		var ok bool
		if o.For, ok = manual.Span(s); !ok {
			if o.Until, ok = manual.Clock(s, d.now(), d.engine.Catalogue().Zone()); !ok {
				return adhoc.Result{}, adhoc.Mistake("say for how long as 20m or 2h, or until when as 15:00")
			}
		}
	}
	return noted(d.set(ctx, who.Account.JID, o))
}

func (d *Desk) clearState(ctx context.Context, who *adhoc.Caller, _ *form.Answers) (adhoc.Result, error) {
	return noted(d.clear(ctx, who.Account.JID))
}

func (d *Desk) tellWhy(ctx context.Context, who *adhoc.Caller, _ *form.Answers) (adhoc.Result, error) {
	lines, err := d.explain(ctx, who.Account.JID)
	if err != nil {
		return adhoc.Result{}, err
	}
	x := &form.Form{Type: space, Title: "Why am I seen as I am?", Fields: []form.Field{
		{Var: "explanation", Label: "Why", Kind: form.TextMulti, Values: lines},
	}}
	return adhoc.Result{Payload: x.AppendResult(nil)}, nil
}

func (d *Desk) phoneForm(_ context.Context, who *adhoc.Caller) (*form.Form, error) {
	x := &form.Form{Type: space, Title: "How much others see of my telephones", Fields: []form.Field{{
		Var: "sharing", Label: "Others see", Kind: form.ListSingle, Required: true,
		Values: []string{d.byHand.Sharing(who.Account.JID).String()},
	}}}
	for _, c := range []presence.Sharing{presence.SharePhone, presence.ShareBusyOnly, presence.ShareNothing} {
		x.Fields[0].Options = append(x.Fields[0].Options, form.Option{Label: map[presence.Sharing]string{
			presence.SharePhone: "when I telephone", presence.ShareBusyOnly: "that I am busy, and no more", presence.ShareNothing: "nothing",
		}[c], Value: c.String()})
	}
	return x, nil
}

func (d *Desk) setPhone(ctx context.Context, who *adhoc.Caller, a *form.Answers) (adhoc.Result, error) {
	return noted(d.share(ctx, who.Account.JID, first(a, "sharing")))
}

// noted is a result in words, or a mistake that can be put right.
func noted(said string, err error) (adhoc.Result, error) {
	var r manual.Refusal
	if errors.As(err, &r) {
		err = adhoc.Mistake(r)
	}
	return adhoc.Result{Note: said}, err
}

func first(a *form.Answers, name string) string {
	if all := a.Values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}
