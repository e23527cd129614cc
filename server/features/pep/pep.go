// Package pep is what people publish about themselves, and who hears of it: each
// account is a publish-subscribe service of its own (XEP-0163, on XEP-0060). Clients
// keep there what they need on every device, such as bookmarks (XEP-0402), and what
// contacts are to know, such as keys for encryption (XEP-0384) or a mood (XEP-0107).
//
// A node belongs to the account's owner, and nobody else publishes in it. Contacts
// hear of it because they see the owner's presence and their client says that it
// wants to (caps). What they see of the owner bounds what they hear.
//
// Whoever does not see the owner's presence hears of a node that is not open to all
// exactly what one hears of an account that does not exist.
//
// While a state lies over somebody, contacts find the activity of that state in place
// of what the person has published (XEP-0108). Nothing is written for that: see
// overlay.go.
package pep

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"rollcall/presence"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Rosters knows who sees whose presence; a *roster.Book does.
type Rosters interface {
	Of(ctx context.Context, owner jid.Bare) (*roster.Roster, error)
}

// Clients knows of which nodes people's clients want to hear.
type Clients interface {
	// Interests returns them in order.
	Interests(*server.Session) []string
}

// View is what lies over somebody, as a watcher sees it.
type View = func(watcher jid.Bare) presence.Shown

// Views knows how much people see of one another.
type Views interface {
	Level(watcher, of jid.Bare) presence.Level
	// View returns what lies over somebody now; nil if nothing does.
	View(of jid.Bare) View
}

// Feature is everybody's publish-subscribe service.
type Feature struct {
	// Fixed after Register.
	store   Stores
	rosters Rosters
	clients Clients
	there   Views
	cfg     Config
	srv     *server.Server
	slot    server.Slot // of a session's *heard
	changed []func(owner jid.Bare, node string)
	gate    func(*server.Session) error

	// Safe.
	shelves shelves
	owners  owners
	count   atomic.Uint64 // of notices, for their ids
	overlay overlay
}

// New returns the feature.
func New(store Stores, rosters Rosters, clients Clients, there Views, c Config) *Feature {
	f := &Feature{store: store, rosters: rosters, clients: clients, there: there, cfg: c.WithDefaults()}
	f.overlay.wake, f.shelves.seed, f.owners.seed = make(chan struct{}, 1), maphash.MakeSeed(), maphash.MakeSeed()
	return f
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	of := []string{namespace, nsOwner}
	for _, x := range []string{
		"access-open", "access-presence", "access-roster", "access-whitelist", "auto-create", "auto-subscribe", "config-node", "config-node-max",
		"create-and-configure", "create-nodes", "delete-items", "delete-nodes", "filtered-notifications", "item-ids", "last-published",
		"manage-subscriptions", "member-affiliation", "meta-data", "modify-affiliations", "multi-items", "outcast-affiliation", "persistent-items", "publish",
		"publish-options", "purge-nodes", "retract-items", "retrieve-affiliations", "retrieve-default", "retrieve-items",
		"retrieve-subscriptions", "rsm", "subscribe",
	} {
		of = append(of, namespace+"#"+x)
	}
	return server.Info{
		Name:  "pep",
		Title: "What people publish about themselves, and keep for their clients",
		Specs: []server.Spec{
			{ID: "XEP-0163"},
			{ID: "XEP-0060", Note: "at people's own addresses; nobody is asked to approve subscribers"},
			{ID: "XEP-0223"},
			{ID: "XEP-0084"},
			{ID: "XEP-0398"},
			{ID: "XEP-0108", Note: "also on behalf of people, while they are on the phone or in a meeting"},
		},
		Account: append(of, "urn:xmpp:pep-vcard-conversion:0"),
		Kinds:   []server.Kind{{Category: "pubsub", Type: "pep"}},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv, f.slot = r.Server(), r.NewSlot()
	for _, space := range []string{namespace, nsOwner} {
		for _, set := range []bool{false, true} {
			r.IQ(server.ToSelf, set, space, "pubsub", f.own)
			r.IQ(server.ToOther, set, space, "pubsub", f.others)
		}
	}
	r.OnEnded(f.ended)
	r.OnAdded(func(_ context.Context, all ...jid.Bare) { f.owners.add(all...) }) // with what they have brought
	r.OnChanged(func(a *server.Account) {
		f.owners.add(a.JID)
		f.forget(a.JID)
	})
	r.OnRemoved(func(a *server.Account) {
		f.forget(a.JID)
		for _, owner := range f.shelves.naming(a.JID) {
			f.forget(owner)
		}
	})
}

// OnChanged adds a call for each node of which the last item has changed. It runs with
// the account's turn held, so that the last word is the last: it is not to block, nor
// to come back here.
func (f *Feature) OnChanged(h func(owner jid.Bare, node string)) { f.changed = append(f.changed, h) }

// Limited has may say how often people may tell their contacts what they publish: it is
// asked each time, and an error is their answer.
func (f *Feature) Limited(may func(*server.Session) error) { f.gate = may }

// own answers the owner.
func (f *Feature) own(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, stanza.Refuse(stanza.ErrNotAllowed, "nothing is kept for an anonymous user")
	}
	c, err := parse(r)
	if err != nil {
		return nil, err
	}
	if c.owner {
		return f.manage(ctx, r, c)
	}
	switch c.verb {
	case "create":
		return f.create(ctx, r, c)
	case "publish":
		return f.publish(ctx, r, c)
	case "retract":
		return nil, f.retract(ctx, r, c)
	}
	return f.any(ctx, r, c, asker{own: true, who: r.Account.JID})
}

// others answers somebody else. Whoever does not see the owner's presence hears of
// open nodes, and nothing else.
func (f *Feature) others(ctx context.Context, r *server.Request) ([]byte, error) {
	a, err := f.asker(ctx, r.From.Bare(), r.Account)
	if err != nil {
		return nil, err
	}
	if !r.Account.Shows(r.From) {
		a.sees = false
	}
	c, err := parse(r)
	if err != nil {
		return nil, a.hides(err)
	}
	if c.owner || c.verb == "create" || c.verb == "publish" || c.verb == "retract" {
		return nil, a.hides(stanza.ErrForbidden) // XEP-0060 §7.1.3.1, §8
	}
	b, err := f.any(ctx, r, c, a)
	return b, a.hides(err)
}

// any answers what everybody may ask.
func (f *Feature) any(ctx context.Context, r *server.Request, c *command, a asker) ([]byte, error) {
	switch c.verb {
	case "items":
		return f.items(ctx, r, c, a)
	case "subscribe":
		return f.subscribe(ctx, r, c, a)
	case "unsubscribe":
		return nil, f.unsubscribe(ctx, r, c, a)
	case "subscriptions":
		return f.subscriptions(ctx, r, c, a)
	case "affiliations":
		return f.affiliations(ctx, r, c, a)
	}
	return nil, unsupported("subscription-options")
}

// visible returns a node that somebody may see.
func (f *Feature) visible(ctx context.Context, of *server.Account, name string, a asker) (*Node, error) {
	s, err := f.shelf(ctx, of)
	if err != nil {
		return nil, err
	}
	n := s.node(name)
	if n == nil {
		return nil, stanza.ErrItemNotFound
	}
	return n, n.allows(a)
}
