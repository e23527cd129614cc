// Package register lets people make an account, change its password and remove
// it from their client (XEP-0077).
//
// Making accounts is closed unless it is configured otherwise; what concerns
// one's own account always works. A new account is made before anybody has
// logged in, so that part is called by whoever serves the connection:
// [Feature.StreamFeature] and [Feature.Unauthenticated]. It is to call them only where
// it would take a password in the clear as well: on an encrypted connection, or
// where the configuration says that the connection is safe without (§11).
package register

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
	"unicode/utf8"

	mellium "mellium.im/xmpp/stanza"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

const (
	namespace = "jabber:iq:register"

	// maxPassword bounds what a password costs to derive keys from.
	maxPassword = 1023

	// maxChanges is how often an account's password can be changed in a window,
	// since each time costs as much as many logins.
	maxChanges = 20
)

// offer is the stream feature of §8.
const offer = "<register xmlns='http://jabber.org/features/iq-register'/>"

// Accounts makes, changes and removes accounts. A password that SASL would not
// let pass is sasl.ErrPassword. An account that is kept elsewhere, in an
// organisation's directory, is neither changed nor removed from here:
// stanza.ErrNotAllowed, perhaps with words for its owner.
type Accounts interface {
	// Create makes an account. If there is one of that name the error is
	// stanza.ErrConflict.
	Create(ctx context.Context, who jid.Bare, password string) error
	SetPassword(ctx context.Context, who jid.Bare, password string) error
	// Remove removes the account and all that is its own. It does not end its
	// sessions.
	Remove(ctx context.Context, who jid.Bare) error
}

// Feature is in-band registration.
type Feature struct {
	accounts Accounts
	srv      *server.Server // fixed by Register
	cfg      atomic.Pointer[Config]
	limiter  limiter
	changes  budget[jid.Bare] // of passwords
}

// New returns the feature.
func New(accounts Accounts, c Config) *Feature {
	f := &Feature{accounts: accounts}
	f.Configure(c)
	return f
}

// Configure changes the configuration of a running server.
func (f *Feature) Configure(c Config) {
	if c.MinPassword <= 0 {
		c.MinPassword = DefaultMinPassword
	}
	f.cfg.Store(&c)
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "register",
		Title: "Making an account, changing its password and removing it from a client",
		Specs: []server.Spec{{ID: "XEP-0077", Note: "without redirection; new accounts only where configured"}},
		Host:  []string{namespace},
	}
}

// Register puts the handlers in place. A request without an address means one's
// own server, as well as the one that is addressed to it.
func (f *Feature) Register(r *server.Registry) {
	f.srv = r.Server()
	for _, t := range []server.Target{server.ToHost, server.ToSelf} {
		r.IQ(t, false, namespace, "query", f.get)
		r.IQ(t, true, namespace, "query", f.set)
	}
}

// own returns the account of whoever asks, if the request is for its server.
func own(r *server.Request) (*server.Account, error) {
	if r.Session == nil || r.From.Domain() != r.To.Domain() {
		return nil, stanza.ErrServiceUnavailable // nobody registers with a second server here
	}
	return r.Session.Account, nil
}

// get tells people that they are registered (§3.1).
func (f *Feature) get(_ context.Context, r *server.Request) ([]byte, error) {
	a, err := own(r)
	switch {
	case err != nil:
		return nil, err
	case a.ID == 0:
		return nil, stanza.ErrNotAllowed // anonymous: there is nothing to register with
	}
	b := []byte("<query xmlns='" + namespace + "'><registered/>")
	b = stanza.AppendElement(b, "instructions", "You have this account. Send a password to change yours.")
	b = stanza.AppendElement(b, "username", a.JID.Local())
	change := ownAccount(a.JID.Local())
	return append(change.AppendForm(append(b, "<password/>"...)), "</query>"...), nil // §4: both, for old clients
}

// set changes the password or removes the account of whoever asks.
func (f *Feature) set(ctx context.Context, r *server.Request) ([]byte, error) {
	a, err := own(r)
	if err != nil {
		return nil, err
	}
	if r.Payload.Child("", "remove") != nil {
		return nil, f.remove(ctx, r, a)
	}
	if a.ID == 0 {
		return nil, stanza.ErrNotAllowed
	}
	return nil, f.change(ctx, r.Payload, a.JID)
}

// remove removes the account and, once that is told, ends its sessions (§3.2).
func (f *Feature) remove(ctx context.Context, r *server.Request, a *server.Account) error {
	if len(r.Payload.Elements()) != 1 {
		return stanza.ErrBadRequest
	}
	if a.ID == 0 {
		return &stanza.Error{Condition: mellium.RegistrationRequired}
	}
	f.srv.Removing(ctx, a.JID, a.ID)
	if err := f.accounts.Remove(ctx, a.JID); err != nil {
		return err
	}
	f.srv.Log().Info("an account was removed by its owner", "jid", a.JID)
	r.After(func() { f.srv.Removed(a.JID, a.ID) })
	return nil
}

// change changes a password (§3.3).
func (f *Feature) change(ctx context.Context, query *stanza.Element, who jid.Bare) error {
	c, err := read(query, namespace, formChange)
	switch {
	case err != nil || c == nil:
		return err
	case c.password == "":
		return stanza.Refuse(stanza.ErrBadRequest, "no password")
	case c.named && !c.names(who):
		return stanza.Refuse(stanza.ErrNotAcceptable, "you are logged in to another account") // §3.1.1
	}
	if err := f.acceptable(c.password); err != nil {
		return err
	}
	if !f.changes.spend(who, 1, maxChanges, time.Now()) {
		return stanza.Refuse(stanza.ErrResourceConstraint, "your password was changed too often: try again in an hour")
	}
	if err := unusable(f.accounts.SetPassword(ctx, who, c.password)); err != nil {
		return err
	}
	f.srv.Log().Info("a password was changed by its owner", "jid", who)
	return nil
}

// acceptable checks a password against what the configuration wants of it.
func (f *Feature) acceptable(password string) error {
	least := f.cfg.Load().MinPassword
	switch {
	case utf8.RuneCountInString(password) < least:
		return stanza.Refuse(stanza.ErrNotAcceptable, "a password has at least %d characters", least)
	case len(password) > maxPassword:
		return stanza.Refuse(stanza.ErrNotAcceptable, "a password has at most %d bytes", maxPassword)
	}
	return nil
}

// unusable tells people that they have to choose another password.
func unusable(err error) error {
	if errors.Is(err, sasl.ErrPassword) {
		return stanza.Refuse(stanza.ErrNotAcceptable, "that password cannot be typed everywhere")
	}
	return err
}
