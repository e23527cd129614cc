// Package adhoc lets people give commands that their clients need not know
// beforehand (XEP-0050): a client asks which there are, shows the form of one,
// and sends it back filled in.
//
// What the commands do, and who may give which, is said from outside: see
// [Command]. They are given to the server's domain or, which is the same, to
// one's own account. Whoever may not give a command does not see it in a list,
// and is forbidden to ask about it or to give it.
package adhoc

import (
	"context"

	"rollcall/server"
	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Namespace is that of commands, and the node that lists them.
const Namespace = "http://jabber.org/protocol/commands"

const (
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
)

// Command is something that people can have done.
type Command struct {
	Node string // its name for clients
	Name string // its name for people

	// May says who may give it; nil lets in everybody with an account.
	May func(*Caller) bool

	// Form is what whoever gives the command has to fill in. Without it there is
	// nothing to fill in.
	Form func(context.Context, *Caller) (*form.Form, error)

	// Run carries it out. The answers are those to Form, checked against it; nil
	// without one. A [Mistake] lets people correct what they have filled in.
	Run func(context.Context, *Caller, *form.Answers) (Result, error)
}

// Caller is who gives a command.
type Caller struct {
	JID jid.JID // with the resource

	// Account and Session are nil of somebody at another server, which vouches for the
	// address.
	Account *server.Account
	Session *server.Session

	// At is the address that the command is given to; "" is the server, or one's own
	// account.
	At jid.Bare
}

// Visits reports whether somebody is here without an account.
func (c *Caller) Visits() bool { return c.Account != nil && c.Account.ID == 0 }

// Result is what came of a command.
type Result struct {
	Note    string // for people; "" for none
	Payload []byte // whole elements: a form, a table
}

// Mistake says that what was filled in cannot be carried out, in words for
// people. It is an error.
type Mistake string

// Error implements error.
func (m Mistake) Error() string { return string(m) }

// Feature takes commands.
type Feature struct {
	// Fixed after Register.
	commands  []Command
	byNode    map[string]*Command
	forbidden func(context.Context, *Caller, *Command)

	// Safe.
	open sessions
}

// New returns the feature with all commands, in the order in which they are
// listed. Their nodes are all different.
func New(commands ...Command) *Feature {
	f := &Feature{commands: commands, byNode: make(map[string]*Command, len(commands))}
	for i := range commands {
		f.byNode[commands[i].Node] = &commands[i]
	}
	f.open.init()
	return f
}

// OnForbidden has h called when somebody gives a command that they may not give.
func (f *Feature) OnForbidden(h func(context.Context, *Caller, *Command)) { f.forbidden = h }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "adhoc",
		Title: "Commands from any client, and running the server by them",
		Specs: []server.Spec{
			{ID: "XEP-0050"},
			{ID: "XEP-0133", Note: "without block lists, a welcome message, changing who is an administrator, and restarts"},
		},
		Host: []string{Namespace},
		Own:  []string{Namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	for _, t := range []server.Target{server.ToHost, server.ToSelf} {
		r.IQ(t, true, Namespace, "command", f.command)
		r.Node(t, Namespace, server.Node{Info: f.listInfo, Items: f.list})
		for i := range f.commands {
			c := &f.commands[i]
			r.Node(t, c.Node, server.Node{Info: f.infoOf(c), Items: f.itemsOf(c)})
		}
	}
	r.OnEnded(func(s *server.Session) { f.open.drop(s.JID) })
}

// caller returns who asks; nil if it is no session here.
func caller(r *server.Request) *Caller {
	if r.Session == nil {
		return nil
	}
	return &Caller{JID: r.Session.JID, Account: r.Session.Account, Session: r.Session}
}

// may reports whether somebody may give a command.
func (c *Command) may(who *Caller) bool {
	switch {
	case who == nil:
		return false
	case c.May != nil:
		return c.May(who)
	}
	return !who.Visits()
}

// list lists the commands that whoever asks may give (XEP-0050 §2.2).
func (f *Feature) list(_ context.Context, r *server.Request) ([]byte, error) {
	return f.listFor(caller(r), r.To), nil
}

// listFor lists them, as they are given to an address.
func (f *Feature) listFor(who *Caller, at jid.JID) []byte {
	b := appendQuery(nil, nsItems, Namespace)
	for i := range f.commands {
		c := &f.commands[i]
		if !c.may(who) {
			continue
		}
		b = stanza.AppendAttr(append(b, "<item"...), "jid", at.String())
		b = append(stanza.AppendAttr(stanza.AppendAttr(b, "node", c.Node), "name", c.Name), "/>"...)
	}
	return append(b, "</query>"...)
}

// listInfo tells what the list is.
func (f *Feature) listInfo(context.Context, *server.Request) ([]byte, error) {
	b := appendQuery(nil, nsInfo, Namespace)
	b = append(b, "<identity category='automation' type='command-list' name='Commands'/>"...)
	return append(b, "<feature var='"+Namespace+"'/></query>"...), nil
}

// infoOf tells about one command (XEP-0050 §2.3).
func (f *Feature) infoOf(c *Command) server.Answerer {
	return func(_ context.Context, r *server.Request) ([]byte, error) { return c.info(caller(r)) }
}

func (c *Command) info(who *Caller) ([]byte, error) {
	if !c.may(who) {
		return nil, stanza.ErrForbidden
	}
	b := appendQuery(nil, nsInfo, c.Node)
	b = append(b, "<identity category='automation' type='command-node'"...)
	b = append(stanza.AppendAttr(b, "name", c.Name), "/>"...)
	return append(b, "<feature var='"+Namespace+"'/><feature var='"+form.Namespace+"'/></query>"...), nil
}

// itemsOf says that nothing belongs to a command.
func (f *Feature) itemsOf(c *Command) server.Answerer {
	return func(_ context.Context, r *server.Request) ([]byte, error) {
		if !c.may(caller(r)) {
			return nil, stanza.ErrForbidden
		}
		return append(appendQuery(nil, nsItems, c.Node), "</query>"...), nil
	}
}

func appendQuery(b []byte, space, node string) []byte {
	b = stanza.AppendAttr(append(b, "<query"...), "xmlns", space)
	return append(stanza.AppendAttr(b, "node", node), '>')
}
