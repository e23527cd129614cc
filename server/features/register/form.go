package register

import (
	"slices"

	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// formChange is the type of a form that changes a password; one of registration
// does so too, where there is an account already (§3.1).
const formChange = "jabber:iq:register:changepassword"

// newAccount is the form for making an account (§4). Its fields are those that
// go without a form as well.
var newAccount = form.Form{
	Type: namespace, Title: "A new account", Instructions: []string{"Choose a name and a password."},
	Fields: []form.Field{
		{Var: "username", Kind: form.TextSingle, Label: "Name", Required: true},
		{Var: "password", Kind: form.TextPrivate, Label: "Password", Required: true},
	},
}

// ownAccount is the form for somebody who has an account of that name.
func ownAccount(name string) form.Form {
	return form.Form{
		Type: namespace, Title: "Your account", Instructions: []string{"Choose a new password."},
		Fields: []form.Field{
			{Var: "username", Kind: form.TextSingle, Label: "Name", Required: true, Values: []string{name}},
			{Var: "password", Kind: form.TextPrivate, Label: "New password", Required: true},
		},
	}
}

// credentials are what somebody has filled in.
type credentials struct {
	named          bool // there is a name, perhaps an empty one
	name, password string
}

// read reads a query of type set: the form in it, which has to be of one of
// these types if it says so, or else the fields without one (§4, rule 5). It
// returns nil if the form was put away.
func read(query *stanza.Element, types ...string) (*credentials, error) {
	x := form.Of(query)
	if x == nil {
		c := &credentials{name: query.ChildText("", "username"), password: query.ChildText("", "password")}
		c.named = query.Child("", "username") != nil
		return c, nil
	}
	a, err := form.Parse(x)
	if err != nil || a.Cancelled {
		return nil, err
	}
	if a.Type != "" && !slices.Contains(types, a.Type) {
		return nil, stanza.Refuse(stanza.ErrBadRequest, "the form is not for this")
	}
	return &credentials{a.Has("username"), a.Text("username"), a.Text("password")}, nil
}

// names reports whether the name is that of an account: its first part, or all
// of it, as in an example of §3.3.
func (c *credentials) names(who jid.Bare) bool {
	if local, err := jid.Local(c.name); err == nil {
		return local == who.Local()
	}
	whole, err := jid.Parse(c.name)
	return err == nil && whole.IsBare() && whole.Bare() == who
}
