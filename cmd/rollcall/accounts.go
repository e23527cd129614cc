package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rollcall/config"
	"rollcall/server"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// action is what to do to an account.
type action string

const (
	add    action = "add"
	passwd action = "passwd"
	remove action = "remove"
)

// change is one change to one account.
type change struct {
	Action   action   `json:"action"`
	JID      jid.Bare `json:"jid"`
	Password string   `json:"password,omitempty"`
}

// ledger is where accounts are changed and listed: in the database itself, or
// through the server that is running on it.
type ledger interface {
	Change(context.Context, change) error
	List(ctx context.Context, after jid.Bare, limit int) ([]storage.Account, error)
}

// removals is who has to know of accounts that are removed: before, and after.
type removals interface {
	Removing(ctx context.Context, who jid.Bare, id int64)
	Removed(who jid.Bare, id int64)
}

// accounts is the one place where accounts are changed, whoever asks: the
// command line, the control socket, or a client that registers.
type accounts struct {
	store    *storage.Accounts
	register *storage.Registrations
	domains  []server.Domain

	// running is the server whose accounts they are, if there is one.
	running removals
}

func newAccounts(db *storage.DB, cfg *config.Config) *accounts {
	return &accounts{store: db.Accounts(), register: db.Registrations(cfg.C2S.Auth.Iterations), domains: cfg.Server.Domains}
}

// Change implements ledger.
func (a *accounts) Change(ctx context.Context, c change) error {
	switch c.Action {
	case add:
		return a.Add(ctx, c.JID, c.Password)
	case passwd:
		return a.SetPassword(ctx, c.JID, c.Password)
	case remove:
		return a.Remove(ctx, c.JID)
	}
	return fmt.Errorf("there is no action %q", c.Action)
}

// Add makes an account.
func (a *accounts) Add(ctx context.Context, who jid.Bare, password string) error {
	if err := a.ours(who); err != nil {
		return err
	}
	return explain(who, a.register.Create(ctx, who, password))
}

// SetPassword changes an account's password.
func (a *accounts) SetPassword(ctx context.Context, who jid.Bare, password string) error {
	return explain(who, a.register.SetPassword(ctx, who, password))
}

// Remove removes an account with all that is its own, and ends its sessions.
func (a *accounts) Remove(ctx context.Context, who jid.Bare) error {
	account, err := a.store.Lookup(ctx, who)
	if err != nil {
		return explain(who, err)
	}
	if a.running != nil {
		a.running.Removing(ctx, who, int64(account.ID))
	}
	if err := a.register.Remove(ctx, who); err != nil {
		return explain(who, err)
	}
	if a.running != nil {
		a.running.Removed(who, int64(account.ID))
	}
	return nil
}

// List implements ledger.
func (a *accounts) List(ctx context.Context, after jid.Bare, limit int) ([]storage.Account, error) {
	return a.store.List(ctx, after, limit)
}

// refused is an error that says what to type. It is still the error that it
// explains.
type refused struct {
	text string
	err  error
}

func (r *refused) Error() string { return r.text }
func (r *refused) Unwrap() error { return r.err }

// explain says what to do about an error that people can do something about.
func explain(who jid.Bare, err error) error {
	switch {
	case errors.Is(err, storage.ErrExists):
		return &refused{fmt.Sprintf("%s exists already; to change the password type: rollcall account passwd %s", who, who), err}
	case errors.Is(err, storage.ErrNoAccount):
		return &refused{fmt.Sprintf("there is no account %s; to see those there are type: rollcall account list", who), err}
	case errors.Is(err, sasl.ErrPassword):
		return &refused{"the password is empty, too long, or has characters that cannot be typed everywhere; choose another", err}
	}
	return err
}

// ours refuses an account at a domain that has none.
func (a *accounts) ours(who jid.Bare) error {
	var names []string
	for _, d := range a.domains {
		if !d.Anonymous {
			names = append(names, d.Name)
		}
	}
	if slices.Contains(names, who.Domain()) {
		return nil
	}
	return fmt.Errorf("%s is not at a domain with accounts; this server has %s (server.domains in the configuration)", who, strings.Join(names, ", "))
}
