package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/presence"
	"rollcall/presence/manual"
)

// stateOperations set states of people and devices by hand, and say why somebody is
// in a state.
var stateOperations = []Operation{
	{
		Name: "state.set", Title: "Set the state of a person or a device", Node: ownNode + "state-set", Presence: true,
		Hint: "It ends by itself. People can take away what they might have set themselves.",
		Fields: []Field{
			subject,
			{Name: "state", Label: "The state", Kind: Text, Required: true},
			{Name: "for", Label: "For how long (20m, 2h)", Kind: Text},
			{Name: "until", Label: "Until when (15:00, 2026-01-31T15:00)", Kind: Text},
			{Name: "text", Label: "In words", Kind: Lines},
		},
		Level: presence.Detail, run: setState,
	},
	{
		Name: "state.clear", Title: "Take away the state that was set of a person or a device", Node: ownNode + "state-clear", Presence: true,
		Fields: []Field{subject}, Level: presence.Detail, run: clearState,
	},
	{
		Name: "state.show", Title: "See the state of a person or a device", Node: ownNode + "state-show", Presence: true, Reads: true,
		Fields: []Field{subject}, Level: presence.Detail, run: showState,
	},
	{
		Name: "state.list", Title: "List the states that are set by hand", Node: ownNode + "state-list", Presence: true, Reads: true,
		run: listStates,
	},
	{
		Name: "state.names", Title: "List the states that can be set", Node: ownNode + "state-names", Presence: true, Reads: true,
		Fields: []Field{{Name: "kind", Label: "Of what", Kind: Choice, Preset: "person", Options: []Option{{"person", "people"}, {"device", "devices"}}}},
		run:    listStateNames,
	},
	{
		Name: "explain", Title: "See why a person or a device is in a state", Node: ownNode + "explain", Presence: true, Reads: true,
		Fields: []Field{subject}, Level: presence.Full, run: explainState,
	},
}

var subject = Field{Name: "subject", Label: "The address of the person or the device", Kind: Person, Required: true}

// kindOf finds out what the subject of an order is: an account, a device, or what some
// source has spoken of.
func (d *Desk) kindOf(ctx context.Context, who presence.Subject) (presence.Kind, error) {
	if d.devices.Picture().ByJID(who) != nil {
		return presence.Device, nil
	}
	if e := d.live.Engine.State(who); e != nil && e.Kind != presence.Person {
		return e.Kind, nil
	}
	exists, err := d.accounts.Exists(ctx, who)
	if d.serving() {
		_, exists, err = d.live.Server.Account(ctx, who)
	} else if d.live.Engine.State(who) != nil { // they have their account elsewhere
		exists = true
	}
	if err == nil && !exists {
		err = &Error{Reason: NoSubject, Text: fmt.Sprintf("there is nobody here, and no device, with the address %s", who), Subject: who}
	}
	return presence.Person, err
}

// inWords returns the error of the service as one of the desk.
func inWords(err error) error {
	var r manual.Refusal
	if errors.As(err, &r) {
		return wrong("%s", string(r))
	}
	return err
}

func setState(ctx context.Context, d *Desk, v values) (Answer, error) {
	o := manual.Order{Subject: v.person("subject"), By: presence.ByRole, State: v.one("state"), Text: v.text("text")}
	var err error
	if o.Kind, err = d.kindOf(ctx, o.Subject); err != nil {
		return Answer{}, err
	}
	cat := d.live.Engine.Catalogue()
	var ok bool
	length, until := v.one("for"), v.one("until")
	switch {
	case length != "" && until != "":
		return Answer{}, wrong("say for how long or until when, not both")
	case length != "":
		if o.For, ok = manual.Span(length); !ok {
			return Answer{}, wrong("%q does not say for how long: write 20m, 2h or 3d", length)
		}
	case until != "":
		if o.Until, ok = manual.Clock(until, time.Now(), cat.Zone()); !ok {
			return Answer{}, wrong("%q does not say until when: write 15:00 or 2026-01-31T15:00", until)
		}
	}
	x, err := d.live.ByHand.Set(ctx, o)
	if err != nil {
		return Answer{}, inWords(err)
	}
	a := Answer{Note: fmt.Sprintf("set %s to %s until %s", x.Subject, x.State, cat.Tell(x.Until, x.Since))}
	if x.Shortened {
		a.Note += ", which is the longest"
	}
	seen, err := d.live.Engine.Explain(ctx, x.Subject, o.Kind)
	if err == nil && seen.State != x.State {
		a.Note += fmt.Sprintf("; just now it is %s: %s", seen.State, seen.Why)
	}
	if o.Kind == presence.Person {
		d.live.ByHand.Tell(x.Subject, fmt.Sprintf("%s has set your state to %s until %s.", d.whoIs(ctx), x.Name, cat.Tell(x.Until, x.Since)))
	}
	return a, err
}

func clearState(ctx context.Context, d *Desk, v values) (Answer, error) {
	who := v.person("subject")
	kind, err := d.kindOf(ctx, who)
	if err != nil {
		return Answer{}, err
	}
	gone, err := d.live.ByHand.Clear(ctx, who, kind, presence.ByRole)
	if err != nil {
		return Answer{}, inWords(err)
	}
	if len(gone) == 0 {
		return Answer{Note: fmt.Sprintf("nothing was set by hand of %s", who)}, nil
	}
	var ids, names []string
	for _, x := range gone {
		ids, names = append(ids, x.State), append(names, x.Name)
	}
	if kind == presence.Person {
		d.live.ByHand.Tell(who, fmt.Sprintf("%s has taken your state %s away.", d.whoIs(ctx), strings.Join(names, ", ")))
	}
	return Answer{Note: fmt.Sprintf("took %s away from %s", strings.Join(ids, ", "), who)}, nil
}

func showState(ctx context.Context, d *Desk, v values) (Answer, error) {
	who := v.person("subject")
	kind, err := d.kindOf(ctx, who)
	if err != nil {
		return Answer{}, err
	}
	x, err := d.live.Engine.Explain(ctx, who, kind)
	if err != nil {
		return Answer{}, err
	}
	set, err := d.live.ByHand.Settings(ctx, who)
	if err != nil {
		return Answer{}, err
	}
	var byHand []string
	for i := range set {
		byHand = append(byHand, d.setting(&set[i]))
	}
	seen := x.Levels[presence.Status]
	return Answer{Facts: []Fact{
		{Name: "subject", Label: cmp.Or(map[string]string{"person": "Person", "device": "Device"}[x.Kind], "Subject"), Values: []string{string(who)}},
		{Name: "state", Label: "State", Values: []string{x.State}},
		{Name: "why", Label: "Why", Values: []string{x.Why}},
		{Name: "channels", Label: "To be reached by", Values: []string{x.Channels}},
		{Name: "seen", Label: "Seen by colleagues", Values: []string{strings.TrimSpace(seen.Show + "  " + seen.Text)}},
		{Name: "byhand", Label: "Set by hand", Kind: Lines, Values: byHand},
	}}, nil
}

// setting describes a state that is set by hand.
func (d *Desk) setting(x *manual.Setting) string {
	s := fmt.Sprintf("%s until %s", x.State, d.live.Engine.Catalogue().Tell(x.Until, time.Now()))
	if x.Source == manual.Operators && x.Kind == presence.Person {
		s += ", by an operator"
	}
	if x.Text != "" {
		s += fmt.Sprintf(", %q", x.Text)
	}
	return s
}

func listStates(_ context.Context, d *Desk, _ values) (Answer, error) {
	cat, now := d.live.Engine.Catalogue(), time.Now()
	all := d.live.ByHand.All()
	slices.SortFunc(all, func(a, b manual.Setting) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Source, b.Source))
	})
	a := Answer{Header: []string{"subject", "kind", "state", "since", "until", "by", "text"}}
	for i := range all {
		x := &all[i]
		by := "the person"
		if x.Source == manual.Operators {
			by = "an operator"
		}
		a.Rows = append(a.Rows, []string{string(x.Subject), x.Kind.String(), x.State, cat.Tell(x.Since, now), cat.Tell(x.Until, now), by, x.Text})
	}
	if len(a.Rows) == 0 {
		a.Note = "nothing is set by hand"
	}
	return a, nil
}

func listStateNames(_ context.Context, d *Desk, v values) (Answer, error) {
	kind, _ := presence.ParseKind(cmp.Or(v.one("kind"), "person"))
	people := map[string]bool{}
	for _, c := range d.live.ByHand.Choices(kind, presence.ByManual) {
		people[c.ID] = true
	}
	a := Answer{Header: []string{"state", "name", "usually", "at most", "set by"}}
	for _, c := range d.live.ByHand.Choices(kind, presence.ByRole) {
		usually := "to be said"
		if c.Lasts > 0 {
			usually = manual.Brief(c.Lasts)
		}
		by := "operators"
		if people[c.ID] {
			by = "the person, operators"
		}
		a.Rows = append(a.Rows, []string{c.ID, c.Name, usually, manual.Brief(c.Longest), by})
	}
	return a, nil
}

func explainState(ctx context.Context, d *Desk, v values) (Answer, error) {
	who := v.person("subject")
	kind, err := d.kindOf(ctx, who)
	if err != nil {
		return Answer{}, err
	}
	x, err := d.live.Engine.Explain(ctx, who, kind)
	if err != nil {
		return Answer{}, err
	}
	detail, err := json.Marshal(x)
	if err != nil {
		return Answer{}, err
	}
	lines := x.Lines(d.live.Engine.Catalogue())
	return Answer{Facts: []Fact{{Name: "explanation", Label: "Why", Kind: Lines, Values: lines}}, Detail: detail}, nil
}
