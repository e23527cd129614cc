package pep

import (
	"context"
	"errors"
	"slices"

	"rollcall/presence"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// asker is who wants to see a node, as far as that matters.
type asker struct {
	own    bool
	who    jid.Bare
	sees   bool // the owner's presence
	level  presence.Level
	groups []string // of the owner's roster that the asker is in
}

// telling are nodes that say what somebody is doing, as the words of a status do.
var telling = map[string]bool{
	nodeActivity:                        true,
	"http://jabber.org/protocol/mood":   true,
	"http://jabber.org/protocol/tune":   true,
	"http://jabber.org/protocol/geoloc": true,
	"urn:xmpp:reach:0":                  true,
}

// levelOf is how much of the owner somebody has to see to see a node for being a
// contact.
func levelOf(node string) presence.Level {
	if telling[node] {
		return presence.Status
	}
	return presence.Basic
}

// affiliation returns what somebody is to a node; "" is nothing.
func (n *Node) affiliation(who jid.Bare) Standing {
	for _, a := range n.Affiliations {
		if a.JID == who {
			return a.Kind
		}
	}
	return ""
}

// allows says whether somebody may see a node: nil, or a refusal (XEP-0060 §4.5,
// §6.5.9).
func (n *Node) allows(a asker) error {
	if a.own {
		return nil
	}
	standing := n.affiliation(a.who)
	contact := a.sees && a.level >= levelOf(n.Name)
	switch {
	case standing == Outcast:
		return stanza.ErrForbidden
	case n.Access == Open || standing == Member && n.Access == Whitelist:
		return nil
	case n.Access == Whitelist:
		return refuse(stanza.ErrNotAllowed, "closed-node", "only members see this node")
	case !contact:
		return refuse(stanza.ErrNotAuthorized, "presence-subscription-required", "only contacts see this node")
	case n.Access == Roster && !slices.ContainsFunc(n.Groups, func(g string) bool { return slices.Contains(a.groups, g) }):
		return refuse(stanza.ErrNotAuthorized, "not-in-roster-group", "only some groups see this node")
	}
	return nil
}

// asker looks at somebody who wants to see what is an account's.
func (f *Feature) asker(ctx context.Context, who jid.Bare, of *server.Account) (asker, error) {
	a := asker{who: who, own: who == of.JID}
	if a.own {
		return a, nil
	}
	r, err := f.rosters.Of(ctx, of.JID)
	if errors.Is(err, roster.ErrNoAccount) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	return f.contact(r, who, of), nil
}

// contact looks at somebody by the roster of an owner.
func (f *Feature) contact(r *roster.Roster, who jid.Bare, of *server.Account) asker {
	a := asker{who: who, sees: r.State(who).Has(roster.From) && of.Shows(who.With(""))}
	if a.sees {
		a.level = f.there.Level(who, of.JID)
		a.sees = a.level > presence.Hidden
		it, _ := r.Lookup(who)
		a.groups = it.Groups
	}
	return a
}

// hides is what somebody hears of a node if not even whether it is there is for them:
// who does not see the owner's presence is told what one is told of an account that
// does not exist.
func (a asker) hides(err error) error {
	if _, refusal := stanza.AsError(err); err == nil || !refusal || a.own || a.sees {
		return err
	}
	return stanza.ErrServiceUnavailable
}
