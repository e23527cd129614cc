// Package disco tells what there is and what it can do: service discovery of
// the server and of accounts (XEP-0030), and the server's capabilities among
// the features of a stream, so that clients need not ask at each login
// (XEP-0115).
//
// What is told of an account must not give away that it exists or who is
// connected. So whoever may not see its presence hears of it exactly what one
// hears of an account that does not exist (XEP-0030 §8).
package disco

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/entity"
	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const (
	nsInfo  = entity.NSInfo
	nsItems = entity.NSItems
	nsCaps  = entity.NSCaps
)

// Node names this software in its capabilities (XEP-0115 §4).
const Node = "urn:x-rollcall:server"

// name is what the server calls itself in its identity.
const name = "Rollcall"

// Rosters says who may see whose presence; a *roster.Book does.
type Rosters interface {
	Of(ctx context.Context, owner jid.Bare) (*roster.Roster, error)
}

// Nodes are what accounts have beside their resources. The errors are refusals:
// item-not-found if there is no such node, or none for whoever asks.
type Nodes interface {
	// Nodes appends <item/> elements for those of r.Account that whoever asks may see.
	Nodes(ctx context.Context, r *server.Request, dst []byte) ([]byte, error)
	NodeInfo(ctx context.Context, r *server.Request, node string) ([]byte, error)
	NodeItems(ctx context.Context, r *server.Request, node string) ([]byte, error)
}

// Feature answers service discovery requests.
type Feature struct {
	rosters Rosters
	forms   func() []form.Form
	nodes   Nodes          // nil: accounts have none
	srv     *server.Server // fixed by Register

	mu   sync.Mutex // guards changes of said
	said atomic.Pointer[[]*told]
}

// told is what there is to say, once all features are registered.
type told struct {
	host, registered, anonymous entity.Info
	own, visitor                entity.Info // what one's own clients see of the two
	ver                         string
	caps                        []byte // the stream feature
}

// maxSaid is how much is remembered of what was said before it changed.
const maxSaid = 5

// New returns the feature. forms returns the extended information about the
// server (XEP-0128), which may change: see [Feature.Refresh].
func New(rosters Rosters, forms func() []form.Form) *Feature {
	return &Feature{rosters: rosters, forms: forms}
}

// Show has accounts show their nodes. It is to be called before the feature is used.
func (f *Feature) Show(n Nodes) { f.nodes = n }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:    "disco",
		Title:   "What the server and accounts can do",
		Specs:   []server.Spec{{ID: "XEP-0030"}, {ID: "XEP-0115", Note: "the server's own capabilities"}},
		Host:    []string{nsInfo, nsItems, nsCaps},
		Account: []string{nsInfo, nsItems},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	r.StreamFeature(func(string) []byte { return f.told()[0].caps })
	r.IQ(server.ToHost, false, nsInfo, "query", f.hostInfo)
	r.IQ(server.ToHost, false, nsItems, "query", f.hostItems)
	for _, t := range []server.Target{server.ToSelf, server.ToOther} {
		r.IQ(t, false, nsInfo, "query", f.accountInfo)
		r.IQ(t, false, nsItems, "query", f.accountItems)
	}
	r.IQ(server.ToNobody, false, nsItems, "query", nothing)
}

// told returns what there is to say, and after it what was said before. The
// features after this one in the list count as well, so it is put together when
// somebody first asks.
func (f *Feature) told() []*told {
	if all := f.said.Load(); all != nil {
		return *all
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.said.Load() == nil {
		f.said.Store(&[]*told{tell(f.srv.Infos(), f.forms())})
	}
	return *f.said.Load()
}

// Refresh has what there is to say put together anew, since a form has changed.
// Clients that are connected know the server by what was said before
// (XEP-0115), so that is still told to those who ask for it.
func (f *Feature) Refresh() {
	f.told()
	f.mu.Lock()
	defer f.mu.Unlock()
	all := append([]*told{tell(f.srv.Infos(), f.forms())}, *f.said.Load()...)
	if all[0].ver != all[1].ver {
		all = all[:min(len(all), maxSaid)]
		f.said.Store(&all)
	}
}

// tell collects what the features say of themselves.
func tell(infos []server.Info, forms []form.Form) *told {
	host := entity.Info{Identities: []entity.Identity{{Category: "server", Type: "im", Name: name}}, Forms: forms}
	var account, own []string
	var kinds []entity.Identity
	for _, i := range infos {
		for _, k := range i.Kinds {
			kinds = append(kinds, entity.Identity{Category: k.Category, Type: k.Type})
		}
		host.Features = append(host.Features, i.Host...)
		account = append(account, i.Account...)
		own = append(own, i.Own...)
	}
	own = append(own, account...)
	of := func(kind string, features []string, more ...entity.Identity) entity.Info {
		all := append([]entity.Identity{{Category: "account", Type: kind}}, more...)
		return entity.Info{Identities: all, Features: features}.Sorted()
	}
	t := &told{
		host:       host.Sorted(),
		registered: of("registered", account, kinds...), own: of("registered", own, kinds...),
		anonymous: of("anonymous", account), visitor: of("anonymous", own),
	}
	t.ver = t.host.Verification()
	// XEP-0115 §6.3.
	t.caps = []byte("<c xmlns='" + nsCaps + "' hash='sha-1' node='" + Node + "' ver='" + t.ver + "'/>")
	return t
}

func (f *Feature) hostInfo(ctx context.Context, r *server.Request) ([]byte, error) {
	node := r.Payload.Attr("node")
	if n, ok := f.srv.Node(server.ToHost, node); ok {
		return n.Info(ctx, r)
	}
	for _, t := range f.told() {
		if node == "" || node == Node+"#"+t.ver { // XEP-0115 §6.2
			return t.host.Append(nil, node), nil
		}
	}
	return nil, stanza.ErrItemNotFound
}

// hostItems lists the annexes that somebody serves (XEP-0030 §4.1).
func (f *Feature) hostItems(ctx context.Context, r *server.Request) ([]byte, error) {
	node := r.Payload.Attr("node")
	if n, ok := f.srv.Node(server.ToHost, node); ok {
		return n.Items(ctx, r)
	}
	if node != "" {
		return nil, stanza.ErrItemNotFound
	}
	b := append(entity.Open(nil, nsItems, ""), '>')
	for _, x := range f.srv.Annexes() {
		if x.Service() != nil {
			b = append(stanza.AppendAttr(append(b, "<item"...), "jid", x.Name()), "/>"...)
		}
	}
	return append(b, "</query>"...), nil
}

func (f *Feature) accountInfo(ctx context.Context, r *server.Request) ([]byte, error) {
	sees, err := f.sees(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case !sees:
		return nil, stanza.ErrServiceUnavailable // XEP-0030 §8, rule 1
	}
	if node := r.Payload.Attr("node"); node != "" {
		if n, ok := f.ownNode(r, node); ok {
			return n.Info(ctx, r)
		}
		if f.nodes != nil {
			return f.nodes.NodeInfo(ctx, r, node)
		}
		return nil, stanza.ErrItemNotFound
	}
	t := f.told()[0]
	info := &t.registered
	switch {
	case r.Account.ID == 0 && r.Own():
		info = &t.visitor
	case r.Account.ID == 0:
		info = &t.anonymous
	case r.Own():
		info = &t.own
	}
	return info.Append(nil, ""), nil
}

// ownNode returns what answers for a node of the account of whoever asks.
func (f *Feature) ownNode(r *server.Request, node string) (n server.Node, ok bool) {
	if !r.Own() {
		return n, false
	}
	return f.srv.Node(server.ToSelf, node)
}

// accountItems lists an account's available resources (XEP-0030 §4.1).
func (f *Feature) accountItems(ctx context.Context, r *server.Request) ([]byte, error) {
	sees, err := f.sees(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case !sees:
		return nothing(ctx, r) // XEP-0030 §8, rule 2
	}
	if node := r.Payload.Attr("node"); node != "" {
		if n, ok := f.ownNode(r, node); ok {
			return n.Items(ctx, r)
		}
		if f.nodes != nil {
			return f.nodes.NodeItems(ctx, r, node)
		}
		return nil, stanza.ErrItemNotFound
	}
	all := slices.Clone(r.Account.Sessions())
	slices.SortFunc(all, func(a, b *server.Session) int { return cmp.Compare(a.Full(), b.Full()) })
	b := append(entity.Open(nil, nsItems, ""), '>')
	for _, s := range all {
		if s.Availability() != nil && !s.Denies(true, stanza.Presence, r.From) {
			b = append(append(append(b, "<item jid='"...), s.Full()...), "'/>"...)
		}
	}
	if f.nodes != nil {
		if b, err = f.nodes.Nodes(ctx, r, b); err != nil {
			return nil, err
		}
	}
	return append(b, "</query>"...), nil
}

// nothing is an empty list of items.
func nothing(_ context.Context, r *server.Request) ([]byte, error) {
	return append(entity.Open(nil, nsItems, r.Payload.Attr("node")), "/>"...), nil
}

// sees reports whether whoever asks may see the account's presence.
func (f *Feature) sees(ctx context.Context, r *server.Request) (bool, error) {
	if r.Own() {
		return true, nil
	}
	of, err := f.rosters.Of(ctx, r.Account.JID)
	if errors.Is(err, roster.ErrNoAccount) {
		return false, nil // it is anonymous, or went away just now
	}
	if err != nil {
		return false, err
	}
	return of.State(r.From.Bare()).Has(roster.From), nil
}
