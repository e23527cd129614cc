package storage

import (
	"context"
	"database/sql"
	"math"
	"time"

	"rollcall/sipgw/history"
)

// SIPCalls keeps the calls that are over: a [history.Store].
type SIPCalls struct{ db *DB }

// SIPCalls returns the store of that.
func (db *DB) SIPCalls() *SIPCalls { return &SIPCalls{db} }

// SaveCalls implements [history.Store].
func (s *SIPCalls) SaveCalls(ctx context.Context, all []history.Call) error {
	const width = 11
	rows := make([]any, 0, width*len(all))
	for i := range all {
		c := &all[i]
		made := int64(0)
		if c.Made {
			made = 1
		}
		rows = append(rows, c.ID, string(c.Device), string(c.Owner), made, plain(c.With), ever(c.Began), ever(c.Answer),
			c.How, int64(c.Code), c.Cause, plain(c.Why))
	}
	return s.db.tx(ctx, "write down calls that are over", func(t *tx) error { return t.insert(ctx, "sipcall.add", width, rows) })
}

// Calls implements [history.Store].
func (s *SIPCalls) Calls(ctx context.Context, q history.Query) (all []history.Call, err error) {
	if q.Subject == "" {
		return nil, nil
	}
	since, before := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.Since.IsZero() {
		since = q.Since.UnixMicro()
	}
	if q.Older > 0 {
		before = q.Older
	}
	err = s.db.each(ctx, "sipcall.page", []any{string(q.Subject), since, before, int64(q.Limit)}, func(rows *sql.Rows) error {
		var c history.Call
		var made int64
		err := rows.Scan(&c.ID, &c.Device, &c.Owner, &made, &c.With, (*sinceEver)(&c.Began), (*sinceEver)(&c.Answer),
			&c.How, &c.Code, &c.Cause, &c.Why)
		c.Made = made == 1
		all = append(all, c)
		return err
	})
	return all, err
}

// ExpireCalls implements [history.Store].
func (s *SIPCalls) ExpireCalls(ctx context.Context, before time.Time, most int) (int64, error) {
	return s.db.exec(ctx, "sipcall.expire", before.UnixMicro(), int64(most))
}
