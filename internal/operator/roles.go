package operator

import (
	"context"
	"slices"

	"rollcall/presence"
	"rollcall/server/features/adhoc"
	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// mayGive reports whether somebody may give an order of a kind: administrators, and those
// whose role it is, of some subjects.
func (d *Desk) mayGive(op *Operation, who *adhoc.Caller) bool {
	if d.administers(who) {
		return true
	}
	return op.Level > presence.Hidden && !who.Visits() && d.live != nil && d.live.InCharge(who.JID.Bare())
}

// allowed refuses an order that is not for who gives it. Whether there is such a subject
// they do not learn.
func (d *Desk) allowed(op *Operation, by jid.Bare, v values) error {
	switch {
	case by == "" || d.Admin(by):
		return nil
	case op.Level == presence.Hidden || d.live == nil || !d.live.InCharge(by) || d.live.Sees(by, v.person(subject.Name)) < op.Level:
		return stanza.Refuse(stanza.ErrForbidden, "that is not for you to do")
	}
	return nil
}

// whoIs is who gives the order, for those whom it is about.
func (d *Desk) whoIs(ctx context.Context) string {
	if by, _ := ctx.Value(whose{}).(jid.Bare); by != "" && !d.Admin(by) {
		return string(by)
	}
	return "An operator"
}

// atDevice begins the nodes of commands that are given to a device.
const atDevice = "urn:rollcall:device#"

// AtDevices returns the commands that are given to a device itself.
func (d *Desk) AtDevices() []adhoc.Command {
	repair := []Field{
		{Name: "for", Label: "For how long (20m, 2h)", Kind: Text},
		{Name: "until", Label: "Until when (15:00, 2026-01-31T15:00)", Kind: Text},
		{Name: "text", Label: "In words", Kind: Text},
	}
	return []adhoc.Command{
		d.atDevice("maintenance", "Maintenance: it is being repaired", "state.set", repair, "state", "maintenance"),
		d.atDevice("clear", "Take away what was set: maintenance, an alarm, a fault", "state.clear", nil),
		d.atDevice("explain", "Why is it shown as it is?", "explain", nil),
	}
}

// atDevice is an operation as a command to a device. Some of its fields are asked for, and
// others have these values.
func (d *Desk) atDevice(node, title, name string, asked []Field, fixed ...string) adhoc.Command {
	op := lookup(name)
	c := adhoc.Command{
		Node: atDevice + node, Name: title,
		May: func(who *adhoc.Caller) bool {
			return d.mayGive(op, who) && (d.administers(who) || d.live.Sees(who.JID.Bare(), who.At) >= op.Level)
		},
		Run: func(ctx context.Context, who *adhoc.Caller, answers *form.Answers) (adhoc.Result, error) {
			o := NewOrder(op.Name, append(slices.Clone(fixed), subject.Name, string(who.At))...)
			for i := range asked {
				if f := &asked[i]; answers != nil && answers.Has(f.Name) {
					o.Values[f.Name] = answers.Values(f.Name)
				}
			}
			return d.carryOut(ctx, who, op, o)
		},
	}
	if asked != nil {
		c.Form = func(context.Context, *adhoc.Caller) (*form.Form, error) {
			x := &form.Form{Type: adminSpace, Title: title}
			for i := range asked {
				x.Fields = append(x.Fields, asked[i].form())
			}
			return x, nil
		}
	}
	return c
}
