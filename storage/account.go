package storage

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

// What can be wrong with an account. They are stanza errors too.
var (
	ErrNoAccount = fmt.Errorf("storage: no such account: %w", stanza.ErrItemNotFound)
	ErrExists    = fmt.Errorf("storage: the account exists: %w", stanza.ErrConflict)
)

// AccountID names an account in other tables. It is never given twice.
type AccountID int64

// Account is a local user.
type Account struct {
	ID        AccountID
	JID       jid.Bare
	Created   time.Time
	Disabled  bool      // by an operator: nobody can log in to it
	LastLogin time.Time // the zero time if nobody ever did, as far as is known

	// Directory says that it comes from a directory. Gone is since when its person is
	// not in there, so that nobody can log in to it either; the zero time: they are.
	Directory bool
	Gone      time.Time
}

// Accounts keeps accounts. It is a [sasl.Credentials].
type Accounts struct{ db *DB }

// Accounts returns the store of accounts.
func (db *DB) Accounts() *Accounts { return &Accounts{db} }

// Create adds an account, with what verifies its password if it has one, and
// what people find it by until it has a vCard. The error is [ErrExists] when the name is taken.
func (s *Accounts) Create(ctx context.Context, who jid.Bare, keys map[sasl.Hash]sasl.Keys) (AccountID, error) {
	var id AccountID
	era := s.db.ids.now()
	err := s.db.tx(ctx, "create the account "+string(who), func(t *tx) error {
		found, err := t.one(ctx, "account.create", []any{string(who), time.Now().UnixMicro()}, &id)
		if err != nil {
			return err
		}
		if !found {
			return ErrExists
		}
		if err := t.describe(ctx, "search.put", id, who, nil); err != nil {
			return err
		}
		return putKeys(ctx, t, id, keys)
	})
	if err != nil {
		return 0, err
	}
	s.db.ids.putIf(era, who, id)
	return id, nil
}

// SetKeys replaces all that verifies an account's password. An account with a
// password here is no directory's.
func (s *Accounts) SetKeys(ctx context.Context, who jid.Bare, keys map[sasl.Hash]sasl.Keys) error {
	return s.db.tx(ctx, "change the password of "+string(who), func(t *tx) error {
		id, err := t.account(ctx, who)
		if err != nil {
			return err
		}
		for _, query := range []string{"account.drop_keys", "directory.leave"} {
			if _, err := t.exec(ctx, query, int64(id)); err != nil {
				return err
			}
		}
		return putKeys(ctx, t, id, keys)
	})
}

func putKeys(ctx context.Context, t *tx, id AccountID, keys map[sasl.Hash]sasl.Keys) error {
	for hash, k := range keys {
		if _, err := t.exec(ctx, "account.put_keys",
			int64(id), hash.String(), k.Salt, int64(k.Iterations), k.StoredKey, k.ServerKey); err != nil {
			return err
		}
	}
	return nil
}

// Keys returns what verifies an account's password with a hash. found is false
// when there is no such account or it has no keys of that hash. Whether whoever
// knows the password may log in is for [Accounts.Admit] to say.
func (s *Accounts) Keys(ctx context.Context, who jid.Bare, hash sasl.Hash) (k sasl.Keys, found bool, err error) {
	found, err = s.db.one(ctx, "account.keys", []any{string(who), hash.String()},
		&k.Salt, &k.Iterations, &k.StoredKey, &k.ServerKey)
	return k, found, err
}

// Delete removes an account and all that is its own. Its messages stay in the
// archives of those it wrote with.
func (s *Accounts) Delete(ctx context.Context, who jid.Bare) error {
	defer s.db.ids.drop(who) // also when it is not known whether it was committed
	return s.db.tx(ctx, "delete the account "+string(who), func(t *tx) error {
		id, err := t.account(ctx, who)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, "account.leave_archive", int64(id), string(who)); err != nil {
			return err
		}
		for _, query := range []string{"groups.drop_account", "pep.drop_person", "pep.drop_subscriber"} {
			if _, err := t.exec(ctx, query, string(who)); err != nil {
				return err
			}
		}
		for _, query := range []string{
			"account.drop_unkept", "account.drop_index", "account.drop_offline", "account.drop_prefs", "account.delete",
		} {
			if _, err := t.exec(ctx, query, int64(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// account finds an account's id in a transaction.
func (t *tx) account(ctx context.Context, who jid.Bare) (AccountID, error) {
	var id AccountID
	found, err := t.one(ctx, "account.id", []any{string(who)}, &id)
	if err == nil && !found {
		err = ErrNoAccount
	}
	return id, err
}

// Disable bars an account from logging in, or lets it in again.
func (s *Accounts) Disable(ctx context.Context, who jid.Bare, disabled bool) error {
	n, err := s.db.exec(ctx, "account.disable", string(who), flag(disabled))
	if err == nil && n == 0 {
		err = ErrNoAccount
	}
	return err
}

// Lookup returns an account; the error is [ErrNoAccount] when there is none.
func (s *Accounts) Lookup(ctx context.Context, who jid.Bare) (Account, error) {
	var a Account
	found, err := s.db.one(ctx, "account.get", []any{string(who)}, a.fields()...)
	if err == nil && !found {
		err = ErrNoAccount
	}
	return a, err
}

// Exists says whether there is such an account. Those that exist are remembered.
func (s *Accounts) Exists(ctx context.Context, who jid.Bare) (bool, error) {
	_, found, err := s.ID(ctx, who)
	return found, err
}

// ID returns an account's id, from memory if it was asked for lately.
func (s *Accounts) ID(ctx context.Context, who jid.Bare) (id AccountID, found bool, err error) {
	if id, found = s.db.ids.get(who); found {
		return id, true, nil
	}
	return s.readID(ctx, who)
}

func (s *Accounts) readID(ctx context.Context, who jid.Bare) (id AccountID, found bool, err error) {
	era := s.db.ids.now()
	found, err = s.db.one(ctx, "account.id", []any{string(who)}, &id)
	if err == nil && found {
		s.db.ids.putIf(era, who, id)
	}
	return id, found, err
}

// List returns up to limit accounts in the order of their addresses, from the
// first one after the given address on; "" is the beginning.
func (s *Accounts) List(ctx context.Context, after jid.Bare, limit int) ([]Account, error) {
	return s.list(ctx, "account.list", after, limit)
}

// ListDisabled is List of those that nobody can log in to.
func (s *Accounts) ListDisabled(ctx context.Context, after jid.Bare, limit int) ([]Account, error) {
	return s.list(ctx, "account.list_disabled", after, limit)
}

func (s *Accounts) list(ctx context.Context, query string, after jid.Bare, limit int) (out []Account, err error) {
	err = s.db.each(ctx, query, []any{string(after), int64(limit)}, func(rows *sql.Rows) error {
		var a Account
		if err := rows.Scan(a.fields()...); err != nil {
			return err
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

// Count returns how many accounts there are.
func (s *Accounts) Count(ctx context.Context) (n int, err error) {
	_, err = s.db.one(ctx, "account.count", nil, &n)
	return n, err
}

// CountDisabled returns how many of them nobody can log in to.
func (s *Accounts) CountDisabled(ctx context.Context) (n int, err error) {
	_, err = s.db.one(ctx, "account.count_disabled", nil, &n)
	return n, err
}

func (a *Account) fields() []any {
	return []any{&a.ID, &a.JID, (*micros)(&a.Created), &a.Disabled, (*sinceEver)(&a.LastLogin), &a.Directory, (*sinceEver)(&a.Gone)}
}
