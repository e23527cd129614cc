package operator

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"rollcall/roster"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// personOperations tell about accounts, one by one (XEP-0133 §4.8 to §4.10).
var personOperations = []Operation{
	{
		Name: "account.roster", Title: "See the contacts of an account", Node: adminNode + "get-user-roster", Reads: true,
		Fields: []Field{people}, run: showRoster,
	},
	{
		Name: "account.lastlogin", Title: "See when accounts last logged in", Node: adminNode + "get-user-lastlogin", Reads: true,
		Fields: []Field{people}, run: showLastLogin,
	},
	{
		Name: "account.show", Title: "See statistics of an account", Node: adminNode + "user-stats", Reads: true,
		// COMPAT(Openfire, always): its field is the one of several accounts, and so
		// is that of what was written for it.
		Fields: []Field{{Name: "accountjid", Also: "accountjids", Label: "The address of the account", Kind: Person, Required: true}},
		run:    showAccount,
	},
}

// instant writes a time as XEP-0082 has it; "" is never.
func instant(t time.Time) []string {
	if t.IsZero() {
		return nil
	}
	return []string{t.UTC().Format(time.RFC3339)}
}

func showLastLogin(ctx context.Context, d *Desk, v values) (Answer, error) {
	all := v.people("accountjids")
	a := Answer{Header: []string{"account", "last login"}}
	var last time.Time
	for _, who := range all {
		account, err := d.lookUp(ctx, who)
		if err != nil {
			return Answer{}, err
		}
		last = account.LastLogin
		a.Rows = append(a.Rows, []string{string(who), minute(last)})
	}
	if len(all) == 1 {
		a.Facts = []Fact{
			{Name: "accountjids", Label: "Account", Kind: People, Values: []string{string(all[0])}},
			{Name: "lastlogin", Label: "Last login", Values: instant(last)},
		}
	}
	return a, nil
}

func showAccount(ctx context.Context, d *Desk, v values) (Answer, error) {
	who := v.person("accountjid")
	account, err := d.lookUp(ctx, who)
	if err != nil {
		return Answer{}, err
	}
	list, err := d.roster(ctx, who)
	if err != nil {
		return Answer{}, err
	}
	waiting, err := d.waiting.Count(ctx, int64(account.ID))
	if err != nil {
		return Answer{}, err
	}
	hashes, err := d.accounts.Hashes(ctx, account.ID)
	if err != nil {
		return Answer{}, err
	}
	var resources, addresses []string
	for _, s := range d.sessions(who) {
		resources = append(resources, s.JID.Resource())
		if p := s.Info().Peer; p.Addr.IsValid() {
			addresses = append(addresses, p.Addr.String())
		}
	}
	return Answer{Facts: []Fact{
		{Name: "accountjid", Label: "Account", Kind: Person, Values: []string{string(who)}},
		{Name: "created", Label: "Created", Values: instant(account.Created)},
		{Name: "state", Label: "State", Values: []string{state(account, d.Admin(who))}},
		{Name: "source", Label: "Password", Values: []string{source(account, hashes)}},
		{Name: "lastlogin", Label: "Last login", Values: instant(account.LastLogin)},
		{Name: "rostersize", Label: "Contacts", Values: []string{strconv.Itoa(list.Len())}},
		{Name: "offlinemessages", Label: "Messages that wait", Values: []string{strconv.Itoa(waiting)}},
		{Name: "onlineresources", Label: "Clients online", Kind: Lines, Values: resources},
		{Name: "ipaddresses", Label: "Their addresses", Kind: Lines, Values: once(addresses)},
	}}, nil
}

// source says where the password of an account is.
func source(a storage.Account, hashes []string) string {
	switch {
	case a.Directory:
		return "kept in the directory"
	case len(hashes) == 0:
		return "none is kept here"
	}
	return "kept here, as keys of SCRAM"
}

// state says in words what an account is.
func state(a storage.Account, admin bool) string {
	var words []string
	if a.Disabled {
		words = append(words, "disabled")
	}
	switch {
	case !a.Gone.IsZero():
		words = append(words, "not in the directory any more")
	case a.Directory:
		words = append(words, "from the directory")
	}
	if admin {
		words = append(words, "administrator")
	}
	if len(words) == 0 {
		return "enabled"
	}
	return strings.Join(words, ", ")
}

// roster returns the contacts of an account that was there a moment ago.
func (d *Desk) roster(ctx context.Context, who jid.Bare) (*roster.Roster, error) {
	if !d.serving() {
		d.book.Forget(who) // whoever else is at the database is not known here
	}
	if d.live == nil { // nor whom shared groups show
		if err := d.groups.Load(ctx); err != nil {
			return nil, err
		}
	}
	list, err := d.book.Of(ctx, who)
	if errors.Is(err, roster.ErrNoAccount) {
		return nil, explain(who, storage.ErrNoAccount)
	}
	return list, err
}

func showRoster(ctx context.Context, d *Desk, v values) (Answer, error) {
	all := v.people("accountjids")
	if len(all) > 1 {
		return Answer{}, wrong("the contacts of one account at a time can be seen")
	}
	list, err := d.roster(ctx, all[0])
	if err != nil {
		return Answer{}, err
	}
	a := Answer{
		Facts:    []Fact{{Name: "accountjids", Label: "Account", Kind: People, Values: []string{string(all[0])}}},
		Header:   []string{"contact", "subscription", "name", "groups"},
		elements: []byte("<query xmlns='jabber:iq:roster'>"),
	}
	for it := range list.Items() {
		a.Rows = append(a.Rows, []string{string(it.Contact), it.Subscription().String(), it.Name, strings.Join(it.Groups, ", ")})
		a.elements = appendItem(a.elements, &it)
	}
	a.elements = append(a.elements, "</query>"...)
	return a, nil
}

// appendItem appends a contact (RFC 6121 §2.1.2).
func appendItem(b []byte, it *roster.Item) []byte {
	b = stanza.AppendAttr(append(b, "<item"...), "jid", string(it.Contact))
	b = stanza.AppendAttr(b, "name", it.Name)
	b = stanza.AppendAttr(b, "subscription", it.Subscription().String())
	if it.Ask() {
		b = append(b, " ask='subscribe'"...)
	}
	b = append(b, '>')
	for _, g := range it.Groups {
		b = stanza.AppendElement(b, "group", g)
	}
	return append(b, "</item>"...)
}
