package operator

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"rollcall/config"
	"rollcall/roster"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// NewGroups returns the shared groups that a database has. Changes of them are
// put in force in a book.
func NewGroups(db *storage.DB, cfg *config.Config, book *roster.Book, log *slog.Logger) *roster.Groups {
	var domains []string
	for _, d := range cfg.Server.Domains {
		if !d.Anonymous {
			domains = append(domains, d.Name)
		}
	}
	return roster.NewGroups(roster.GroupParts{
		Store: db.Groups(), Book: book, Log: log,
		Accounts: func(ctx context.Context) ([]jid.Bare, error) { return db.Accounts().Everybody(ctx, domains...) },
	}, cfg.Groups)
}

var (
	groupField = Field{Name: "group", Label: "The name of the group", Kind: Text, Required: true}
	titleField = Field{Name: "title", Label: "What people see as its name", Kind: Text}
	everyField = Field{Name: "everybody", Label: "Everybody belongs to it", Kind: Yes}
	bothField  = Field{Name: "mutual", Label: "Its members see one another", Kind: Yes}
)

// groupOperations are those on shared groups of contacts.
var groupOperations = []Operation{
	{
		Name: "group.add", Title: "Add a shared group of contacts", Node: ownNode + "group-add",
		Fields: []Field{groupField, titleField, everyField, bothField}, run: addGroup,
	},
	{
		Name: "group.set", Title: "Change a shared group of contacts", Node: ownNode + "group-set",
		Fields: []Field{groupField, titleField, everyField, bothField}, run: setGroup,
	},
	{
		Name: "group.remove", Title: "Remove a shared group of contacts", Node: ownNode + "group-remove",
		Fields: []Field{groupField}, run: removeGroup,
	},
	{
		Name: "group.list", Title: "List the shared groups of contacts", Node: ownNode + "group-list", Reads: true, run: listGroups,
	},
	{
		Name: "group.members", Title: "List the members of a shared group", Node: ownNode + "group-members", Reads: true,
		Fields: []Field{groupField, {Name: "after", Label: "The address before the first one", Kind: Text}}, run: groupMembers,
	},
	{
		Name: "group.join", Title: "Put people into a shared group", Node: ownNode + "group-join",
		Fields: []Field{
			groupField, {Name: "accountjids", Label: "Their addresses", Kind: People, Required: true},
			{Name: "name", Label: "The name that others see, for one address", Kind: Text},
		},
		run: joinGroup,
	},
	{
		Name: "group.leave", Title: "Take people out of a shared group", Node: ownNode + "group-leave",
		Fields: []Field{groupField, {Name: "accountjids", Label: "Their addresses", Kind: People, Required: true}}, run: leaveGroup,
	},
	{
		Name: "group.visible", Title: "Say which group sees the members of another", Node: ownNode + "group-visible",
		Fields: []Field{
			groupField, {Name: "to", Label: "The name of the group that sees them", Kind: Text, Required: true},
			{Name: "visible", Label: "Whether it sees them", Kind: Yes, Required: true},
		},
		run: showGroup,
	},
}

// ownNode begins the names of commands that XEP-0133 does not have.
const ownNode = "urn:rollcall:admin#"

// grouped puts an error about a group into words.
func grouped(err error) error { return refused(err, NoGroup, GroupExists) }

// refused puts an error of the domain into words; missing and exists are the
// reasons if what it is about is not there, or is there already.
func refused(err error, missing, exists Reason) error {
	var refusal *stanza.Error
	if !errors.As(err, &refusal) || refusal.Text == "" {
		return err
	}
	reason := Wrong
	switch {
	case errors.Is(err, stanza.ErrItemNotFound):
		reason = missing
	case errors.Is(err, stanza.ErrConflict):
		reason = exists
	}
	return &Error{Reason: reason, Text: refusal.Text, err: err}
}

// done is the answer to a change of a group.
func done(note string, err error) (Answer, error) {
	if err != nil {
		return Answer{}, grouped(err)
	}
	return Answer{Note: note}, nil
}

// flag returns the value of a field that may be left out.
func (v values) flag(field string) *bool {
	s := v.one(field)
	if s == "" {
		return nil
	}
	is := s == "true"
	return &is
}

func addGroup(ctx context.Context, d *Desk, v values) (Answer, error) {
	g := roster.Group{Name: v.one("group"), Title: v.one("title"), Mutual: true}
	if e := v.flag("everybody"); e != nil {
		g.Everybody = *e
	}
	if m := v.flag("mutual"); m != nil {
		g.Mutual = *m
	}
	return done("added the group "+g.Name, d.groups.Add(ctx, g))
}

func setGroup(ctx context.Context, d *Desk, v values) (Answer, error) {
	c := roster.GroupChange{Everybody: v.flag("everybody"), Mutual: v.flag("mutual")}
	if title := v.one("title"); title != "" {
		c.Title = &title
	}
	return done("changed the group "+v.one("group"), d.groups.Set(ctx, v.one("group"), c))
}

func removeGroup(ctx context.Context, d *Desk, v values) (Answer, error) {
	return done("removed the group "+v.one("group"), d.groups.Remove(ctx, v.one("group")))
}

func listGroups(ctx context.Context, d *Desk, _ values) (Answer, error) {
	all, err := d.groups.List(ctx)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Header: []string{"group", "title", "members", "each other", "seen by", "kept by"}}
	for _, g := range all {
		members, mutual := strconv.Itoa(len(g.Members)), "unseen"
		if g.Everybody {
			members = "everybody"
		}
		if g.Mutual {
			mutual = "seen"
		}
		a.Rows = append(a.Rows, []string{g.Name, g.Title, members, mutual, strings.Join(g.VisibleTo, ", "), g.Source})
	}
	return a, nil
}

func groupMembers(ctx context.Context, d *Desk, v values) (Answer, error) {
	g, err := d.groups.Get(ctx, v.one("group"))
	if err != nil {
		return Answer{}, grouped(err)
	}
	a := Answer{Header: []string{"address", "name"}}
	if g.Everybody && v.one("after") == "" {
		a.Note = "everybody with an account here, and besides:"
	}
	for _, m := range g.Members { // sorted by address
		switch {
		case m.JID <= v.person("after"):
			continue
		case len(a.Rows) == Page:
			a.Next = a.Rows[Page-1][0]
			return a, nil
		}
		a.Rows = append(a.Rows, []string{string(m.JID), m.Name})
	}
	return a, nil
}

func joinGroup(ctx context.Context, d *Desk, v values) (Answer, error) {
	var all []roster.Member
	for _, who := range v.people("accountjids") {
		all = append(all, roster.Member{JID: who, Name: v.one("name")})
	}
	if len(all) > 1 && v.one("name") != "" {
		return Answer{}, wrong("a name is for one address")
	}
	return done(counted(len(all), v.one("accountjids"), "joined "+v.one("group")), d.groups.Join(ctx, v.one("group"), all...))
}

func leaveGroup(ctx context.Context, d *Desk, v values) (Answer, error) {
	all := v.people("accountjids")
	return done(counted(len(all), v.one("accountjids"), "left "+v.one("group")), d.groups.Leave(ctx, v.one("group"), all...))
}

// counted says who did something, or how many.
func counted(n int, who, what string) string {
	if n > 1 {
		who = strconv.Itoa(n) + " people"
	}
	return who + " " + what
}

func showGroup(ctx context.Context, d *Desk, v values) (Answer, error) {
	group, to, visible := v.one("group"), v.one("to"), *v.flag("visible")
	note := to + " sees the members of " + group
	if !visible {
		note = to + " does not see the members of " + group
	}
	return done(note, d.groups.SetVisible(ctx, group, to, visible))
}
