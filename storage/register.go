package storage

import (
	"context"

	"rollcall/directory"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// Registrations makes, changes and removes accounts for people who do so from
// their clients.
type Registrations struct {
	accounts   *Accounts
	iterations int
	directory  string // the domain where accounts come from a directory; "" is none
}

// Registrations returns the accounts as registration needs them, with keys of so
// many iterations made from passwords.
func (db *DB) Registrations(iterations int) *Registrations {
	return &Registrations{accounts: db.Accounts(), iterations: iterations}
}

// Beside leaves to a directory what is the directory's: the passwords of its
// people at a domain, and their accounts as long as they are in it. Without a
// directory an account that came from one is like any other. It returns r.
func (r *Registrations) Beside(domain string) *Registrations {
	r.directory = domain
	return r
}

// Iterations is how many the keys of new passwords have.
func (r *Registrations) Iterations() int { return r.iterations }

// Create makes an account; the error is [ErrExists] when the name is taken.
func (r *Registrations) Create(ctx context.Context, who jid.Bare, password string) error {
	// Before the keys are made, since that takes long.
	if found, err := r.accounts.Exists(ctx, who); err != nil || found {
		if found {
			err = ErrExists
		}
		return err
	}
	keys, err := sasl.NewKeys(password, r.iterations)
	if err != nil {
		return err
	}
	_, err = r.accounts.Create(ctx, who, keys)
	return err
}

// SetPassword changes an account's password. The error is [ErrPasswordElsewhere]
// when it is not kept here.
func (r *Registrations) SetPassword(ctx context.Context, who jid.Bare, password string) error {
	a, err := r.theirs(ctx, who)
	if err == nil && a.Theirs {
		err = ErrPasswordElsewhere
	}
	if err != nil {
		return err
	}
	keys, err := sasl.NewKeys(password, r.iterations)
	if err != nil {
		return err
	}
	return r.accounts.SetKeys(ctx, who, keys)
}

// Remove removes an account and all that is its own. The error is
// [ErrAccountElsewhere] when it would be made again, for somebody who is in the
// directory.
func (r *Registrations) Remove(ctx context.Context, who jid.Bare) error {
	a, err := r.theirs(ctx, who)
	if err == nil && a.Theirs && a.Gone.IsZero() {
		err = ErrAccountElsewhere
	}
	if err != nil {
		return err
	}
	return r.accounts.Delete(ctx, who)
}

// theirs returns what is known of an account that may be the directory's, or the
// zero value.
func (r *Registrations) theirs(ctx context.Context, who jid.Bare) (a directory.Account, err error) {
	if r.directory == "" || who.Domain() != r.directory {
		return a, nil
	}
	a, _, err = r.accounts.db.Directory().Account(ctx, who)
	return a, err
}
