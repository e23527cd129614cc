// Package privatexml keeps what clients want to find again on another device:
// settings, bookmarks, notes (XEP-0049). It is their owner's alone.
//
// What is kept goes by the namespace of its elements. A set replaces what was
// kept under each namespace in it, all of them or none; elements with nothing in
// them take it away, which nobody can tell from their being kept.
package privatexml

import (
	"context"
	"strings"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

const namespace = "jabber:iq:private"

// maxNamespace bounds the names under which something is kept, in bytes.
const maxNamespace = 1024

// Item is what is kept under a namespace: elements one after the other, each of
// which can stand anywhere; nothing is as good as not kept.
type Item struct {
	Namespace string
	XML       []byte
}

// Store keeps items for accounts, by the number of the account.
type Store interface {
	// Get returns what is kept under a namespace, or nil.
	Get(ctx context.Context, account int64, namespace string) ([]byte, error)
	// Set replaces what is kept, all of it or none. If all that the account then
	// had were more than most bytes, names included, the error is ErrFull.
	Set(ctx context.Context, account int64, put []Item, most int) error
}

// ErrFull says that an account keeps as much as it may.
var ErrFull error = stanza.Refuse(stanza.ErrResourceConstraint, "there is no room left for what your clients keep here")

// Feature is private XML storage.
type Feature struct {
	store Store
	cfg   Config
}

// New returns the feature.
func New(store Store, c Config) *Feature { return &Feature{store, c.WithDefaults()} }

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:    "privatexml",
		Title:   "Settings and notes of clients, on every device",
		Specs:   []server.Spec{{ID: "XEP-0049"}},
		Host:    []string{namespace},
		Account: []string{namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	r.IQ(server.ToSelf, false, namespace, "query", f.get)
	r.IQ(server.ToSelf, true, namespace, "query", f.set)
	// To nobody as well, lest the answer tell who exists.
	for _, t := range []server.Target{server.ToHost, server.ToOther, server.ToNobody} {
		r.IQ(t, false, namespace, "query", forbidden)
		r.IQ(t, true, namespace, "query", forbidden)
	}
}

// forbidden keeps people away from what is not theirs (XEP-0049 §2.3).
func forbidden(context.Context, *server.Request) ([]byte, error) { return nil, stanza.ErrForbidden }

var errAnonymous = stanza.Refuse(stanza.ErrNotAllowed, "nothing is kept for an anonymous user")

// get returns what is kept under the namespace of the element that is asked
// for, or that element if nothing is.
func (f *Feature) get(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, errAnonymous
	}
	items, err := elements(r)
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return nil, stanza.Refuse(stanza.ErrBadRequest, "say what of it") // XEP-0049 §3
	case len(items) > 1:
		return nil, stanza.Refuse(stanza.ErrBadRequest, "one namespace at a time") // §2.3
	}
	kept, err := f.store.Get(ctx, r.Account.ID, items[0].Namespace)
	if err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		kept = items[0].empty
	}
	b := append([]byte("<query xmlns='"+namespace+"'>"), kept...)
	return append(b, "</query>"...), nil
}

// set keeps the elements of a query.
func (f *Feature) set(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, errAnonymous
	}
	items, err := elements(r)
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return nil, stanza.Refuse(stanza.ErrNotAcceptable, "there is nothing to keep") // XEP-0049 §2.3
	}
	put := make([]Item, len(items))
	for i, it := range items {
		if put[i].Namespace = it.Namespace; it.blank {
			continue
		}
		if put[i].XML = it.write(f.cfg.MaxElement); put[i].XML == nil {
			return nil, stanza.Refuse(stanza.ErrPolicyViolation, "at most %d bytes are kept under one namespace", f.cfg.MaxElement)
		}
	}
	return nil, f.store.Set(ctx, r.Account.ID, put, f.cfg.MaxAccount)
}

// CheckNamespace says why nothing is kept under a namespace, if that is so.
func CheckNamespace(space string) error {
	switch {
	case space == "" || reserved(space):
		return stanza.Refuse(stanza.ErrNotAcceptable, "what is kept has a namespace of its own")
	case len(space) > maxNamespace:
		return stanza.Refuse(stanza.ErrNotAcceptable, "a namespace has at most %d bytes", maxNamespace)
	}
	return nil
}

// reserved reports whether a namespace is none for private data (XEP-0049 §2.3).
func reserved(space string) bool {
	return strings.HasPrefix(space, "jabber:") || strings.HasPrefix(space, "http://jabber.org/") || space == "vcard-temp"
}
