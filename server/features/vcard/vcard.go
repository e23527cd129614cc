// Package vcard keeps everybody's vCard and shows it to whoever asks
// (XEP-0054), and says in people's presence which picture is in it (XEP-0153).
//
// A vCard is public: it is what people want to be found by. That somebody has
// none looks the same as that there is nobody of that name.
//
// The hash of a picture is made once, when the vCard is set, and kept beside it.
// The server adds it to what clients say, so that none has to fetch its own
// vCard at each login to know it, and says it again when another client of the
// account changes the picture.
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
	// Photo returns what [Photo] makes of the vCard. kept is false if there
	// never was one; one that was taken away has no picture.
	Photo(ctx context.Context, account int64) (hash string, kept bool, err error)
}

// Availability tells the contacts of a session who is there.
type Availability interface {
	// Amend has a presence that was published changed and told again. change
	// returns nil for one that is right already.
	Amend(s *server.Session, change func(*stanza.Stanza) []byte)
}

// Feature keeps and shows vCards.
type Feature struct {
	// Fixed after Register.
	store Store
	there Availability
	cfg   Config
	srv   *server.Server
	slot  server.Slot // of *worn
	none  server.Flag // the client says that there is no picture to be shown
	taken []func(owner jid.Bare, was string)

	// Safe.
	gallery gallery
}

// New returns the feature.
func New(store Store, there Availability, c Config) *Feature {
	return &Feature{store: store, there: there, cfg: c.WithDefaults()}
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:    "vcard",
		Title:   "Who people are, with a picture",
		Specs:   []server.Spec{{ID: "XEP-0054"}, {ID: "XEP-0153"}},
		Host:    []string{namespace},
		Account: []string{namespace},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv, f.slot, f.none = r.Server(), r.NewSlot(), r.NewFlag()
	r.On(stanza.Presence, server.Leaving, server.Amend, f.leave)
	r.OnEnded(f.ended)
	r.OnRemoved(func(a *server.Account) { f.gallery.forget(a.ID) })
	r.OnChanged(func(a *server.Account) { f.gallery.forget(a.ID) })
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
	if len(xml) > f.cfg.MaxBytes {
		return nil, stanza.Refuse(stanza.ErrPolicyViolation, "a vCard has at most %d bytes, this one %d", f.cfg.MaxBytes, len(xml))
	}
	hash, size := Photo(r.Payload)
	if size > f.cfg.MaxPhoto {
		return nil, stanza.Refuse(stanza.ErrPolicyViolation, "a picture has at most %d bytes, this one %d", f.cfg.MaxPhoto, size)
	}
	owner, now := r.Account.JID, picture{kept: true, hash: hash}
	a := f.gallery.open(r.Account)
	defer f.gallery.close(owner, a)
	was, changed, err := a.change(ctx, now, f, func() error { return f.store.Set(ctx, owner, xml) })
	if changed {
		r.After(func() { f.tell(owner, now, was) })
	}
	return nil, err
}

// tell tells everybody which picture an account has now.
func (f *Feature) tell(owner jid.Bare, now picture, was string) {
	f.announceAll(owner, now)
	for _, h := range f.taken {
		h(owner, was)
	}
}

// forbidden keeps people from writing what is not theirs (XEP-0054 §3.2).
func forbidden(context.Context, *server.Request) ([]byte, error) { return nil, stanza.ErrForbidden }
