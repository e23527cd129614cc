// Package vcard keeps everybody's vCard and shows it to whoever asks
// (XEP-0054).
//
// A vCard is public: it is what people want to be found by. That somebody has
// none looks the same as that there is nobody of that name.
package vcard

import (
	"context"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

const namespace = "vcard-temp"

// Store keeps one vCard for each account: a whole element that can stand
// anywhere, or nothing. That nothing is kept and that empty bytes are is the
// same.
type Store interface {
	Get(ctx context.Context, owner jid.Bare) (xml []byte, found bool, err error)
	Set(ctx context.Context, owner jid.Bare, xml []byte) error
}

// Feature keeps and shows vCards.
type Feature struct {
	store Store
	most  int
}

// New returns the feature.
func New(store Store, c Config) *Feature {
	if c.MaxBytes <= 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	return &Feature{store: store, most: c.MaxBytes}
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:    "vcard",
		Title:   "Who people are, with a picture",
		Specs:   []server.Spec{{ID: "XEP-0054"}},
		Host:    []string{namespace},
		Account: []string{namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	r.IQ(server.ToSelf, false, namespace, "vCard", f.get)
	r.IQ(server.ToOther, false, namespace, "vCard", f.get)
	r.IQ(server.ToSelf, true, namespace, "vCard", f.set)
	// To nobody as well, lest the answer tell who exists.
	for _, t := range []server.Target{server.ToHost, server.ToOther, server.ToNobody} {
		r.IQ(t, true, namespace, "vCard", forbidden)
	}
}

func (f *Feature) get(ctx context.Context, r *server.Request) ([]byte, error) {
	xml, _, err := f.store.Get(ctx, r.Account.JID)
	switch {
	case err != nil:
		return nil, err
	case len(xml) > 0:
		return xml, nil
	case r.Own():
		return nil, stanza.ErrItemNotFound // XEP-0054 §3.1
	}
	return nil, stanza.ErrServiceUnavailable // XEP-0054 §3.3: as if there were no such account
}

func (f *Feature) set(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, stanza.Refuse(stanza.ErrNotAllowed, "an anonymous user has no vCard")
	}
	var xml []byte
	if len(r.Payload.Nodes) > 0 { // an empty one takes the old one away
		xml = r.Stanza.AppendChild(nil, &r.Stanza.Children[0])
	}
	if len(xml) > f.most {
		return nil, stanza.Refuse(stanza.ErrPolicyViolation, "a vCard has at most %d bytes, this one %d", f.most, len(xml))
	}
	return nil, f.store.Set(ctx, r.Account.JID, xml)
}

// forbidden keeps people from writing what is not theirs (XEP-0054 §3.2).
func forbidden(context.Context, *server.Request) ([]byte, error) { return nil, stanza.ErrForbidden }
