package operator

import (
	"context"
	"errors"
	"fmt"

	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stream"
)

const (
	adminSpace = "http://jabber.org/protocol/admin" // the FORM_TYPE of XEP-0133
	adminNode  = adminSpace + "#"
)

// The fields that most operations have.
var (
	onePerson = Field{Name: "accountjid", Label: "The address of the account", Kind: Person, Required: true}
	people    = Field{Name: "accountjids", Label: "The addresses of the accounts", Kind: People, Required: true}
)

// accountOperations change accounts (XEP-0133 §4.1 to §4.4, §4.7).
var accountOperations = []Operation{
	{
		Name: "account.add", Title: "Add an account", Node: adminNode + "add-user",
		Fields: []Field{
			onePerson,
			{Name: "password", Label: "The password", Kind: Secret, Required: true},
			{Name: "password-verify", Label: "The password once more", Kind: Secret},
		},
		run: addAccount,
	},
	{
		Name: "account.remove", Title: "Remove accounts", Node: adminNode + "delete-user",
		Hint:   "They go with everything that is their own: contacts, archive, messages that wait. This cannot be undone.",
		Fields: []Field{people},
		run:    each("removed", (*Desk).remove),
	},
	{
		Name: "account.disable", Title: "Disable accounts", Node: adminNode + "disable-user",
		Hint:   "Their clients are disconnected and nobody can log in to them. Nothing of theirs is lost, and messages to them are kept.",
		Fields: []Field{people},
		run:    each("disabled", (*Desk).disable),
	},
	{
		Name: "account.enable", Title: "Enable accounts again", Node: adminNode + "reenable-user",
		Fields: []Field{people},
		run:    each("enabled", (*Desk).enable),
	},
	{
		Name: "account.passwd", Title: "Change the password of an account", Node: adminNode + "change-user-password",
		Fields: []Field{onePerson, {Name: "password", Label: "The new password", Kind: Secret, Required: true}},
		run:    setPassword,
	},
}

func addAccount(ctx context.Context, d *Desk, v values) (Answer, error) {
	who := v.person("accountjid")
	if err := d.ours(who); err != nil {
		return Answer{}, err
	}
	if again := v.one("password-verify"); again != "" && again != v.one("password") {
		return Answer{}, wrong("the two passwords are not the same")
	}
	if err := d.register.Create(ctx, who, v.one("password")); err != nil {
		return Answer{}, explain(who, err)
	}
	if d.serving() {
		d.live.Server.Added(ctx, who)
	}
	return Answer{Note: "added " + string(who)}, nil
}

func setPassword(ctx context.Context, d *Desk, v values) (Answer, error) {
	who := v.person("accountjid")
	if err := d.register.SetPassword(ctx, who, v.one("password")); err != nil {
		return Answer{}, explain(who, err)
	}
	return Answer{Note: "changed the password of " + string(who)}, nil
}

// each makes an operation on accounts of one on a single account. It stops at
// the first for which that comes to nothing, and says how far it came.
func each(done string, do func(*Desk, context.Context, jid.Bare) error) func(context.Context, *Desk, values) (Answer, error) {
	return func(ctx context.Context, d *Desk, v values) (Answer, error) {
		all := v.people("accountjids")
		for i, who := range all {
			if err := do(d, ctx, who); err != nil {
				return Answer{}, after(i, done, err)
			}
		}
		if len(all) == 1 {
			return Answer{Note: done + " " + string(all[0])}, nil
		}
		return Answer{Note: fmt.Sprintf("%s %d accounts", done, len(all))}, nil
	}
}

// after adds to an error what was done before it.
func after(n int, done string, err error) error {
	var e *Error
	if n == 0 || !errors.As(err, &e) {
		return err
	}
	longer := *e
	longer.Text = fmt.Sprintf("%s; %s %d before that", e.Text, done, n)
	return &longer
}

func (d *Desk) remove(ctx context.Context, who jid.Bare) error {
	account, err := d.accounts.Lookup(ctx, who)
	if err != nil {
		return explain(who, err)
	}
	if d.serving() {
		d.live.Server.Removing(ctx, who, int64(account.ID))
	}
	if err := d.register.Remove(ctx, who); err != nil {
		return explain(who, err)
	}
	switch {
	case d.serving():
		d.live.Server.Removed(who, int64(account.ID))
	case d.live != nil && d.live.Removed != nil:
		d.live.Removed(ctx, who)
	}
	return nil
}

var errDisabled = &stream.Fault{Condition: mellium.NotAuthorized, Text: "the account is disabled"}

// disable bars an account and then cuts its sessions off. Whoever logs in
// meanwhile is found by one of the two: see Server.Bar.
func (d *Desk) disable(ctx context.Context, who jid.Bare) error {
	if err := d.accounts.Disable(ctx, who, true); err != nil {
		return explain(who, err)
	}
	if d.serving() {
		d.live.Server.Bar(who, errDisabled)
	}
	return nil
}

func (d *Desk) enable(ctx context.Context, who jid.Bare) error {
	account, err := d.accounts.Lookup(ctx, who)
	if err == nil {
		err = d.accounts.Disable(ctx, who, false)
	}
	if err != nil {
		return explain(who, err)
	}
	if !account.Gone.IsZero() {
		return &Error{Elsewhere, fmt.Sprintf("%s is enabled, but the person is not in the directory any more: put them back there", who), who, nil}
	}
	return nil
}

// cutOff ends sessions, also those that wait to be resumed.
func cutOff(all []*server.Session, why *stream.Fault) {
	for _, s := range all {
		s.HangUp(why)
	}
}
