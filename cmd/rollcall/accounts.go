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

// accounts is the one place where accounts are changed, whoever asks: the
// command line, the control socket, or a client that registers.
type accounts struct {
	store      *storage.Accounts
	domains    []server.Domain
	iterations int

	// removed tells the running server that an account is gone. It is nil
	// where there is none.
	removed func(jid.Bare, storage.AccountID)
}

func newAccounts(db *storage.DB, cfg *config.Config) *accounts {
	return &accounts{store: db.Accounts(), domains: cfg.Server.Domains, iterations: cfg.C2S.Auth.Iterations}
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
	keys, err := derive(password, a.iterations)
	if err != nil {
		return err
	}
	_, err = a.store.Create(ctx, who, keys)
	if errors.Is(err, storage.ErrExists) {
		return fmt.Errorf("%s exists already; to change the password type: rollcall account passwd %s: %w", who, who, err)
	}
	return err
}

// SetPassword changes an account's password.
func (a *accounts) SetPassword(ctx context.Context, who jid.Bare, password string) error {
	keys, err := derive(password, a.iterations)
	if err != nil {
		return err
	}
	return missing(who, a.store.SetKeys(ctx, who, keys))
}

// Remove removes an account with all that is its own, and ends its sessions.
func (a *accounts) Remove(ctx context.Context, who jid.Bare) error {
	account, err := a.store.Lookup(ctx, who)
	if err != nil {
		return missing(who, err)
	}
	if err := a.store.Delete(ctx, who); err != nil {
		return missing(who, err)
	}
	if a.removed != nil {
		a.removed(who, account.ID)
	}
	return nil
}

// List implements ledger.
func (a *accounts) List(ctx context.Context, after jid.Bare, limit int) ([]storage.Account, error) {
	return a.store.List(ctx, after, limit)
}

// missing says what to type when an account is not there.
func missing(who jid.Bare, err error) error {
	if errors.Is(err, storage.ErrNoAccount) {
		return fmt.Errorf("there is no account %s; to see those there are type: rollcall account list: %w", who, err)
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

// derive makes from a password what is kept of it.
func derive(password string, iterations int) (map[sasl.Hash]sasl.Keys, error) {
	keys, err := sasl.NewKeys(password, iterations)
	if errors.Is(err, sasl.ErrPassword) {
		return nil, errors.New("the password is empty, too long, or has characters that cannot be typed everywhere; choose another")
	}
	return keys, err
}
