package storage

import (
	"context"
	"database/sql"
	"time"

	"rollcall/server"
	"rollcall/xmpp/sasl"
)

// Holdings are what an account has, or had once, of what each login has to know, and
// many have nothing of.
type Holdings struct {
	Lists bool // privacy lists
	VCard bool
}

// Admit says whether an account may have a session: the error is
// [server.ErrDisabled] if it is disabled, and [ErrNoAccount] if it is gone. It
// looks into the database each time, so that what is done to an account holds
// for whoever is about to log in. The same look tells what the account has.
func (s *Accounts) Admit(ctx context.Context, id AccountID) (has Holdings, err error) {
	var disabled bool
	found, err := s.db.one(ctx, "account.admit", []any{int64(id)}, &disabled, &has.Lists, &has.VCard)
	switch {
	case err != nil:
		return has, err
	case !found:
		return has, ErrNoAccount
	case disabled:
		return has, server.ErrDisabled
	}
	return has, nil
}

// LoggedIn keeps when accounts last logged in, by their numbers. One that is gone
// is passed over.
func (s *Accounts) LoggedIn(ctx context.Context, when map[int64]time.Time) error {
	return s.db.tx(ctx, "keep who logged in", func(t *tx) error {
		for id, at := range when {
			if _, err := t.exec(ctx, "account.logged_in", id, at.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Hashes returns for which SCRAM mechanisms the account's password has keys, by
// their names; none if it has no password here.
func (s *Accounts) Hashes(ctx context.Context, id AccountID) (out []string, err error) {
	err = s.db.each(ctx, "account.hashes", []any{int64(id)}, func(rows *sql.Rows) error {
		var hash string
		err := rows.Scan(&hash)
		out = append(out, hash)
		return err
	})
	return out, err
}

// Lacking counts the accounts that have a password here, and no keys to verify it
// with one hash: those that moved here with keys of others.
func (s *Accounts) Lacking(ctx context.Context, hash sasl.Hash) (n int, err error) {
	_, err = s.db.one(ctx, "account.lacking", []any{hash.String()}, &n)
	return n, err
}
