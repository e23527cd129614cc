package storage

import (
	"context"

	"rollcall/server/features/privatexml"
)

// Private keeps what clients keep for themselves: a [privatexml.Store].
type Private struct{ db *DB }

// Private returns the store of private XML.
func (db *DB) Private() *Private { return &Private{db} }

// Get implements [privatexml.Store].
func (s *Private) Get(ctx context.Context, account int64, namespace string) (xml []byte, err error) {
	_, err = s.db.one(ctx, "private.get", []any{account, namespace}, &xml)
	return xml, err
}

// Set implements [privatexml.Store]. Without such an account the error is
// [ErrNoAccount]. Sets of one account may go on at the same
// time, so that on PostgreSQL both can fit where only one has room; the next
// set then finds it full.
func (s *Private) Set(ctx context.Context, account int64, put []privatexml.Item, most int) error {
	return s.db.tx(ctx, "keep private XML", func(t *tx) error {
		for _, it := range put {
			name, args := "private.put", []any{account, it.Namespace, it.XML}
			gone := len(it.XML) == 0
			if gone {
				name, args = "private.drop", args[:2]
			}
			n, err := t.exec(ctx, name, args...)
			if err == nil && n == 0 && !gone {
				err = ErrNoAccount
			}
			if err != nil {
				return err
			}
		}
		var size int
		if _, err := t.one(ctx, "private.size", []any{account}, &size); err != nil {
			return err
		}
		if size > most {
			return privatexml.ErrFull
		}
		return nil
	})
}
