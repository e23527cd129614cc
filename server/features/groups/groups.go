// Package groups lets operators, and directories of the organisation, put people
// into the contact lists of one another. There is no specification of it:
// clients see contacts like any others (RFC 6121 §2), who come and go by roster
// pushes.
//
// The rules are in package roster, and the feature of contacts shows what follows
// from them. This one sees to it that a group of everybody has everybody in it.
package groups

import (
	"context"

	"rollcall/server"
	"rollcall/xmpp/jid"
)

// Groups hear of accounts; a *roster.Groups does.
type Groups interface {
	AccountAdded(ctx context.Context, all ...jid.Bare) error
	AccountRemoved(ctx context.Context, who jid.Bare) error
}

// Feature keeps groups up to date with the accounts.
type Feature struct {
	groups Groups
	srv    *server.Server // fixed by Register
}

// New returns the feature.
func New(groups Groups) *Feature { return &Feature{groups: groups} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "groups",
		Title: "Groups of people that the operator puts into everybody's list of contacts",
		Specs: []server.Spec{{ID: "RFC 6121 §2", Note: "as contacts that are there by themselves"}},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	r.OnAdded(f.added)
	r.OnRemoved(f.removed)
}

func (f *Feature) added(ctx context.Context, all ...jid.Bare) {
	if err := f.groups.AccountAdded(context.WithoutCancel(ctx), all...); err != nil {
		f.srv.Log().Error("new accounts are not in the groups of everybody", "jid", all, "err", err)
	}
}

func (f *Feature) removed(a *server.Account) {
	if err := f.groups.AccountRemoved(f.srv.Context(), a.JID); err != nil {
		f.srv.Log().Error("an account that was removed is still shown in groups", "jid", a.JID, "err", err)
	}
}
