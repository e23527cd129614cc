package privacy

import (
	mellium "mellium.im/xmpp/stanza"

	"rollcall/roster"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Filter is a list in force. It never changes: when the list or the roster does,
// there is another one.
type Filter struct {
	list   *List
	roster *roster.Roster // nil if the list does not look at it
}

// Under puts the list in force over an owner with that roster. A list that does
// not look at the roster always gives the same filter.
func (l *List) Under(r *roster.Roster) *Filter {
	if !l.LooksAtRoster() {
		return &l.plain
	}
	return &Filter{list: l, roster: r}
}

// List returns the list.
func (f *Filter) List() *List { return f.list }

// Roster returns the roster as it was when the list was put in force; nil if the
// list does not look at it.
func (f *Filter) Roster() *roster.Roster { return f.roster }

// Denies reports whether a stanza may not come from a peer or, out, go there.
func (f *Filter) Denies(out bool, k stanza.Kind, peer jid.JID) bool {
	return f.list.Decide(TrafficOf(out, k), peer, f.roster) == Deny
}

// NSErrors is the namespace of <blocked/> (XEP-0191 §3.2).
const NSErrors = "urn:xmpp:blocking:errors"

// The owner is told of what did not go out. XEP-0016 §2.14 and XEP-0191 §3.2
// have the type "cancel" in their examples.
var (
	errDenied  = &stanza.Error{Type: mellium.Cancel, Condition: mellium.NotAcceptable}
	errBlocked = &stanza.Error{Type: mellium.Cancel, Condition: mellium.NotAcceptable, Extra: []byte("<blocked xmlns='" + NSErrors + "'/>")}
)

// Refusal is what the owner is told about a stanza to a peer that Denies does
// not let out.
func (f *Filter) Refusal(peer jid.JID) error {
	if f.list.Blocks(peer) {
		return errBlocked
	}
	return errDenied
}
