// Package search finds people by what they tell about themselves: their names,
// address and unit, as their vCards have them, and the name of their account
// (XEP-0055).
//
// A person is found by the beginnings of words, in whatever case and with
// whatever accents. What is looked for is split into words the same way, so
// nothing in it can mean more than itself. Only people with an account here may
// search, so many times and for so many results. Whoever says in the vCard that
// it is private or confidential (CLASS) is not found.
//
// [Describe] says what an account is found by. It is kept beside the vCard, by
// whoever keeps that.
package search

import (
	"context"
	"time"

	"rollcall/server"
	"rollcall/xmpp/form"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const namespace = "jabber:iq:search"

// DefaultMaxResults is more than anybody reads.
const DefaultMaxResults = 50

// Config says who can be found.
type Config struct {
	// MaxResults is how many people one search finds at most; 0 is
	// DefaultMaxResults.
	MaxResults int
}

// Found is a person who was found.
type Found struct {
	JID jid.Bare
	Card
}

// Store finds people.
type Store interface {
	// Find returns up to most accounts of a domain that have all the terms, in
	// the order of their addresses. Disabled accounts are not found.
	Find(ctx context.Context, domain string, terms []Term, most int) ([]Found, error)
}

// Filler describes accounts that nobody has described by today's rules.
type Filler interface {
	// Fill describes up to most of them, and returns how many it did.
	Fill(ctx context.Context, most int) (int, error)
}

// Feature finds people.
type Feature struct {
	store  Store
	filler Filler
	most   int
	srv    *server.Server // fixed by Register
	pace   pace
}

// New returns the feature.
func New(store Store, filler Filler, c Config) *Feature {
	if c.MaxResults <= 0 {
		c.MaxResults = DefaultMaxResults
	}
	return &Feature{store: store, filler: filler, most: c.MaxResults}
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "search",
		Title: "Finding people by name",
		Specs: []server.Spec{{ID: "XEP-0055"}},
		Host:  []string{namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	r.IQ(server.ToHost, false, namespace, "query", f.get)
	r.IQ(server.ToHost, true, namespace, "query", f.set)
}

// may keeps those out who have no account here.
func may(r *server.Request) error {
	if r.Session == nil || r.Session.Account.ID == 0 {
		return stanza.Refuse(stanza.ErrForbidden, "only people with an account here can search")
	}
	return nil
}

// get says what can be looked for (XEP-0055 §2.1).
func (f *Feature) get(_ context.Context, r *server.Request) ([]byte, error) {
	if err := may(r); err != nil {
		return nil, err
	}
	b := stanza.AppendElement([]byte("<query xmlns='"+namespace+"'>"), "instructions", asked.Instructions[0])
	b = asked.AppendForm(append(b, "<first/><last/><nick/><email/>"...))
	return append(b, "</query>"...), nil
}

// set looks for people.
func (f *Feature) set(ctx context.Context, r *server.Request) ([]byte, error) {
	if err := may(r); err != nil {
		return nil, err
	}
	terms, formed, err := read(r.Payload)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 { // nobody matches; not everybody does
		return nothing, nil
	}
	if !f.pace.take(r.From.Bare(), time.Now()) {
		return nil, stanza.Refuse(stanza.ErrResourceConstraint, "too many searches: wait a moment")
	}
	list, err := f.store.Find(ctx, r.To.Domain(), terms, f.most+1)
	if err != nil || len(list) == 0 {
		return nothing, err
	}
	more := len(list) > f.most
	list = list[:min(len(list), f.most)]
	if formed {
		return table(list, more), nil
	}
	return items(list, more), nil
}

// nothing is the answer when nobody is found, in whatever way it was asked
// (XEP-0055 §2.1).
var nothing = []byte("<query xmlns='" + namespace + "'/>")

// asked is the form for a search (XEP-0055 §3). The names beside those of the
// registry are the ones that ejabberd's directory has, so clients know them.
var asked = form.Form{
	Type: namespace, Title: "Looking for people",
	Instructions: []string{"Fill in the beginnings of names or of other words, as many as you know."},
	Fields: []form.Field{
		{Var: "fn", Kind: form.TextSingle, Label: "Name"},
		{Var: "first", Kind: form.TextSingle, Label: "Given name"},
		{Var: "last", Kind: form.TextSingle, Label: "Family name"},
		{Var: "nick", Kind: form.TextSingle, Label: "Nickname"},
		{Var: "email", Kind: form.TextSingle, Label: "Email"},
		{Var: "orgunit", Kind: form.TextSingle, Label: "Unit"},
	},
}

// Run describes accounts that nobody has described: at first those from before
// there was a search, and now and then those that came by other ways, until ctx
// is done.
func (f *Feature) Run(ctx context.Context) error {
	ticker := time.NewTicker(fillEvery)
	defer ticker.Stop()
	for {
		if err := f.fill(ctx); err != nil && ctx.Err() == nil {
			f.srv.Log().Warn("not everybody can be found yet; it is tried again", "err", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

const (
	fillEvery = 10 * time.Minute
	fillPage  = 100
)

func (f *Feature) fill(ctx context.Context) error {
	for ctx.Err() == nil {
		if n, err := f.filler.Fill(ctx, fillPage); err != nil || n == 0 {
			return err
		}
	}
	return nil
}
