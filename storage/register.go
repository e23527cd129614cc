package storage

import (
	"context"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// Registrations makes, changes and removes accounts for people who do so from
// their clients.
type Registrations struct {
	accounts   *Accounts
	iterations int
}

// Registrations returns the accounts as registration needs them, with keys of so
// many iterations made from passwords.
func (db *DB) Registrations(iterations int) *Registrations {
	return &Registrations{db.Accounts(), iterations}
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

// SetPassword changes an account's password.
func (r *Registrations) SetPassword(ctx context.Context, who jid.Bare, password string) error {
	keys, err := sasl.NewKeys(password, r.iterations)
	if err != nil {
		return err
	}
	return r.accounts.SetKeys(ctx, who, keys)
}

// Remove removes an account and all that is its own.
func (r *Registrations) Remove(ctx context.Context, who jid.Bare) error {
	return r.accounts.Delete(ctx, who)
}
