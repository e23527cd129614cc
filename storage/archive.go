package storage

import (
	"context"
	"database/sql"
	"slices"

	"rollcall/server/features/archive"
)

// Archive reads and clears what a [Writer] wrote: an [archive.Store], an
// [archive.Book] and an [archive.Sweeper].
type Archive struct {
	db *DB
	w  *Writer
}

// Archive returns the archives that a writer writes.
func (db *DB) Archive(w *Writer) *Archive { return &Archive{db, w} }

// sweepMany is how many rows one transaction of a sweep removes: a writer waits
// no longer than for that.
const sweepMany = 1000

// args are the arguments that all queries with a filter begin with.
func filterArgs(owner int64, f archive.Filter) []any {
	with, prefix := f.With.String(), ""
	if f.With.IsBare() {
		prefix = with + "/"
	}
	return []any{owner, f.After, f.Upper(), with, hashOf(f.With.Bare()), prefix}
}

// Page implements [archive.Store].
func (s *Archive) Page(ctx context.Context, owner int64, f archive.Filter, c archive.Cut) (page []archive.Message, more bool, err error) {
	if err := s.w.catchUp(ctx, owner); err != nil {
		return nil, false, err
	}
	return s.db.archivePage(ctx, owner, f, c)
}

// archivePage reads a page of what is in the index.
func (db *DB) archivePage(ctx context.Context, owner int64, f archive.Filter, c archive.Cut) (page []archive.Message, more bool, err error) {
	query := "archive.forward"
	if c.Backward {
		query = "archive.backward"
	}
	args := append(filterArgs(owner, f), int64(c.Max)+1, int64(c.Skip))
	size := 0
	err = db.each(ctx, query, args, func(rows *sql.Rows) error {
		if more = more || len(page) == c.Max || c.Bytes > 0 && size >= c.Bytes; more {
			return nil
		}
		m, err := scanMessage(rows)
		page, size = append(page, m), size+len(m.Stanza)
		return err
	})
	return page, more, err
}

func scanMessage(rows *sql.Rows) (m archive.Message, err error) {
	err = rows.Scan(&m.ID, &m.From, &m.To, &m.Stanza)
	return m, err
}

// Pick implements [archive.Store].
func (s *Archive) Pick(ctx context.Context, owner int64, ids []int64) ([]archive.Message, error) {
	if err := s.w.catchUp(ctx, owner); err != nil {
		return nil, err
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	var out []archive.Message
	for _, id := range slices.Compact(ids) {
		err := s.db.each(ctx, "archive.pick", []any{owner, id}, func(rows *sql.Rows) error {
			m, err := scanMessage(rows)
			out = append(out, m)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Count implements [archive.Store].
func (s *Archive) Count(ctx context.Context, owner int64, f archive.Filter, most int) (n int, err error) {
	if err := s.w.catchUp(ctx, owner); err != nil {
		return 0, err
	}
	if f.With.IsZero() {
		_, err = s.db.one(ctx, "archive.count", []any{owner, f.After, f.Upper(), int64(most)}, &n)
		return n, err
	}
	_, err = s.db.one(ctx, "archive.count_with", append(filterArgs(owner, f), int64(most)), &n)
	return n, err
}

// Prefs implements [archive.Book].
func (s *Archive) Prefs(ctx context.Context, account int64) (value string, found bool, err error) {
	found, err = s.db.one(ctx, "archive.prefs", []any{account}, &value)
	return value, found, err
}

// SetPrefs implements [archive.Book].
func (s *Archive) SetPrefs(ctx context.Context, account int64, value string) error {
	n, err := s.db.exec(ctx, "archive.set_prefs", account, value)
	if err == nil && n == 0 {
		err = ErrNoAccount
	}
	return err
}

// Sweep implements [archive.Sweeper].
func (s *Archive) Sweep(ctx context.Context, below int64) (removed int, err error) {
	for owner := int64(0); ; {
		found, err := s.db.one(ctx, "archive.next_owner", []any{owner}, &owner)
		if err != nil {
			return 0, err
		}
		if !found {
			break
		}
		if _, err := s.db.bit(ctx, "archive.sweep_index", owner, below); err != nil {
			return 0, err
		}
	}
	return s.db.bit(ctx, "archive.sweep_messages", below)
}

// bit runs a DELETE whose last argument is how many rows it may remove, until
// there are no more.
func (db *DB) bit(ctx context.Context, query string, args ...any) (removed int, err error) {
	args = append(args, int64(sweepMany))
	for {
		n, err := db.exec(ctx, query, args...)
		removed += int(n)
		if err != nil || n < sweepMany {
			return removed, err
		}
	}
}
