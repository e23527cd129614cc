package operator

import (
	"context"
	"strconv"
	"time"

	"rollcall/xmpp/jid"
)

// Page is how many rows an answer has at most.
const Page = 500

const adminNode = "http://jabber.org/protocol/admin#"

// accountOperations are those on accounts (XEP-0133 §4.1, §4.2, §4.7).
var accountOperations = []Operation{
	{
		Name: "account.add", Title: "Add an account", Node: adminNode + "add-user",
		Fields: []Field{
			{Name: "accountjid", Label: "The address", Kind: Person, Required: true},
			{Name: "password", Label: "The password", Kind: Secret, Required: true},
		},
		run: addAccount,
	},
	{
		Name: "account.passwd", Title: "Change the password of an account", Node: adminNode + "change-user-password",
		Fields: []Field{
			{Name: "accountjid", Label: "The address", Kind: Person, Required: true},
			{Name: "password", Label: "The password", Kind: Secret, Required: true},
		},
		run: setPassword,
	},
	{
		Name: "account.remove", Title: "Remove accounts and everything that is their own", Node: adminNode + "delete-user",
		Fields: []Field{{Name: "accountjids", Label: "The addresses", Kind: People, Required: true}},
		run:    removeAccounts,
	},
	{
		Name: "account.list", Title: "List the accounts", Reads: true,
		Fields: []Field{
			{Name: "after", Label: "The address before the first one", Kind: Text},
			{Name: "max_items", Label: "How many at most", Kind: Number},
		},
		run: listAccounts,
	},
}

func addAccount(ctx context.Context, d *Desk, v values) (Answer, error) {
	who := v.person("accountjid")
	if err := d.ours(who); err != nil {
		return Answer{}, err
	}
	if err := d.register.Create(ctx, who, v.one("password")); err != nil {
		return Answer{}, explain(who, err)
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

// removeAccounts removes accounts with all that is their own, and ends their
// sessions. It stops at the first that cannot be removed.
func removeAccounts(ctx context.Context, d *Desk, v values) (Answer, error) {
	for _, who := range v["accountjids"] {
		if err := d.remove(ctx, jid.Bare(who)); err != nil {
			return Answer{}, err
		}
	}
	note := "removed " + v.one("accountjids")
	if n := len(v["accountjids"]); n > 1 {
		note = "removed " + strconv.Itoa(n) + " accounts"
	}
	return Answer{Note: note}, nil
}

func (d *Desk) remove(ctx context.Context, who jid.Bare) error {
	account, err := d.accounts.Lookup(ctx, who)
	if err != nil {
		return explain(who, err)
	}
	if d.running != nil {
		d.running.Removing(ctx, who, int64(account.ID))
	}
	if err := d.register.Remove(ctx, who); err != nil {
		return explain(who, err)
	}
	if d.running != nil {
		d.running.Removed(who, int64(account.ID))
	}
	return nil
}

func listAccounts(ctx context.Context, d *Desk, v values) (Answer, error) {
	limit, err := strconv.Atoi(v.one("max_items"))
	if err != nil || limit < 1 || limit > Page {
		limit = Page
	}
	list, err := d.accounts.List(ctx, v.person("after"), limit)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Header: []string{"account", "created", "note"}}
	for _, x := range list {
		note := ""
		if x.Disabled {
			note = "disabled"
		}
		a.Rows = append(a.Rows, []string{string(x.JID), x.Created.Format(time.DateOnly), note})
	}
	if len(list) == limit {
		a.Next = string(list[limit-1].JID)
	}
	return a, nil
}
