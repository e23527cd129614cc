package storage

import (
	"context"

	"rollcall/server/features/lastactivity"
)

// LastActivity keeps when accounts were last there: a [lastactivity.Store].
type LastActivity struct{ db *DB }

// LastActivity returns the store of that.
func (db *DB) LastActivity() *LastActivity { return &LastActivity{db} }

// Left implements [lastactivity.Store].
func (s *LastActivity) Left(ctx context.Context, account int64) (l lastactivity.Left, found bool, err error) {
	l.Account = account
	found, err = s.db.one(ctx, "lastactivity.get", []any{account}, (*micros)(&l.At), &l.Status)
	return l, found, err
}

// SetLeft implements [lastactivity.Store].
func (s *LastActivity) SetLeft(ctx context.Context, all []lastactivity.Left) error {
	return s.db.tx(ctx, "keep when people were last there", func(t *tx) error {
		for _, l := range all {
			if _, err := t.exec(ctx, "lastactivity.put", l.Account, l.At.UnixMicro(), l.Status); err != nil {
				return err
			}
		}
		return nil
	})
}
