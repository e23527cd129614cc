package storage

import (
	"context"
	"time"

	"rollcall/server/features/announcements"
)

// Motd keeps the message of the day: an [announcements.Store].
type Motd struct{ db *DB }

// Motd returns the store of the message of the day.
func (db *DB) Motd() *Motd { return &Motd{db} }

// Load implements [announcements.Store].
func (s *Motd) Load(ctx context.Context) (m announcements.Motd, err error) {
	_, err = s.db.one(ctx, "motd.get", nil, &m.Body, (*micros)(&m.Changed))
	return m, err
}

// Show implements [announcements.Store].
func (s *Motd) Show(ctx context.Context, accounts []int64, now, since time.Time) (due []int64, err error) {
	if len(accounts) == 1 {
		var at time.Time
		found, err := s.db.one(ctx, "motd.shown", []any{accounts[0]}, (*micros)(&at))
		if err != nil || found && !at.Before(since) {
			return nil, err // which is how it is most of the time, and nothing is written
		}
	}
	err = s.db.tx(ctx, "show the message of the day", func(t *tx) error {
		for _, account := range accounts {
			var id int64
			found, err := t.one(ctx, "motd.show", []any{account, now.UnixMicro(), since.UnixMicro()}, &id)
			if err != nil {
				return err
			}
			if found {
				due = append(due, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return due, nil
}

// Set makes a text the message of the day. With edit it takes the place of the
// one before, and whoever has seen that has seen it.
func (s *Motd) Set(ctx context.Context, body string, now time.Time, edit bool) error {
	if edit {
		n, err := s.db.exec(ctx, "motd.edit", body)
		if err != nil || n > 0 {
			return err
		}
	}
	_, err := s.db.exec(ctx, "motd.set", body, now.UnixMicro())
	return err
}

// Drop removes the message of the day, and reports whether there was one.
func (s *Motd) Drop(ctx context.Context) (bool, error) {
	n, err := s.db.exec(ctx, "motd.drop")
	return n > 0, err
}
