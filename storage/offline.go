package storage

import (
	"context"
	"database/sql"

	"rollcall/server/features/offline"
)

// Offline reads and removes what a [Writer] keeps for those who are away: an
// [offline.Store] and an [offline.Sweeper].
type Offline struct {
	db *DB
	w  *Writer
}

// Offline returns the messages that a writer keeps for those who are away.
func (db *DB) Offline(w *Writer) *Offline { return &Offline{db, w} }

// Page implements [offline.Store].
func (s *Offline) Page(ctx context.Context, account, after int64, max, bytes int) (page []offline.Message, more bool, err error) {
	size := 0
	err = s.db.each(ctx, "offline.page", []any{account, after, int64(max) + 1}, func(rows *sql.Rows) error {
		if more = more || len(page) == max || len(page) > 0 && size >= bytes; more {
			return nil
		}
		var m offline.Message
		err := rows.Scan(&m.ID, &m.Stored, &m.Stanza)
		page, size = append(page, m), size+len(m.Stanza)
		return err
	})
	return page, more, err
}

// Count implements [offline.Store].
func (s *Offline) Count(ctx context.Context, account int64) (n int, err error) {
	_, err = s.db.one(ctx, "offline.count", []any{account}, &n)
	return n, err
}

// Drop implements [offline.Store].
func (s *Offline) Drop(account int64, ids []int64) { s.w.drop(account, ids) }

// Expire implements [offline.Sweeper].
func (s *Offline) Expire(ctx context.Context, below int64, removed func(account int64, n int)) error {
	for account := int64(0); ; {
		found, err := s.db.one(ctx, "offline.next_account", []any{account}, &account)
		if err != nil || !found {
			return err
		}
		n, err := s.db.bit(ctx, "offline.expire", account, below)
		if n > 0 {
			removed(account, n)
		}
		if err != nil {
			return err
		}
	}
}
