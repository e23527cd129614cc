package storage

import (
	"context"
	"database/sql"

	"rollcall/presence"
)

// Sharing keeps how much of their telephones people let others see: a
// [rollcall/presence/manual.Store].
type Sharing struct{ db *DB }

// Sharing returns the store of that.
func (db *DB) Sharing() *Sharing { return &Sharing{db} }

// Sharings implements manual.Store. A choice that this program does not know shares
// nothing.
func (s *Sharing) Sharings(ctx context.Context, each func(presence.Subject, presence.Sharing) error) error {
	return s.db.each(ctx, "sharing.list", nil, func(rows *sql.Rows) error {
		var who presence.Subject
		var word string
		if err := rows.Scan(&who, &word); err != nil {
			return err
		}
		choice, ok := presence.ParseSharing(word)
		if !ok {
			choice = presence.ShareNothing
		}
		return each(who, choice)
	})
}

// SetSharing implements manual.Store. It fails with [ErrNoAccount].
func (s *Sharing) SetSharing(ctx context.Context, who presence.Subject, choice presence.Sharing) error {
	n, err := s.db.exec(ctx, "sharing.put", string(who), choice.String())
	if err == nil && n == 0 {
		err = ErrNoAccount
	}
	return err
}
