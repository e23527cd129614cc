package storage

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"rollcall/presence"
)

// Presence keeps what the presence engine knows over a restart, and its journal: a
// [presence.Store] and a [presence.Journal].
//
// What changes is appended to a log, and brought to the table of subjects when there
// is much of it or somebody asks.
type Presence struct {
	db *DB // fixed

	mu     sync.Mutex // guards the fields below
	logged int        // records in the log, about
	since  time.Time  // when the log was emptied
}

// When the log is emptied.
const (
	logMost  = 1 << 14 // records
	logAfter = 5 * time.Minute
)

// Presence returns the store of that.
func (db *DB) Presence() *Presence { return &Presence{db: db} }

// Load implements [presence.Store].
func (s *Presence) Load(ctx context.Context, each func(presence.Record) error) (start presence.Start, err error) {
	err = s.db.tx(ctx, "begin a run of the presence engine", func(t *tx) error {
		var epoch int64
		if _, err := t.one(ctx, "presence.begin", nil, &epoch, (*sinceEver)(&start.Alive)); err != nil {
			return err
		}
		start.Epoch = uint64(epoch)
		if _, err := t.one(ctx, "presence.latest", nil, &start.Entry); err != nil {
			return err
		}
		return t.applyPresence(ctx)
	})
	if err != nil {
		return start, err
	}
	return start, s.db.each(ctx, "presence.subjects", nil, func(rows *sql.Rows) error {
		var r presence.Record
		var version int64
		var said []byte
		if err := rows.Scan(&r.Subject, &r.Kind, &version, &r.State, (*sinceEver)(&r.Since), &r.Last, &said); err != nil {
			return err
		}
		r.Version = uint64(version)
		if r.Said, err = parseSaid(said); err != nil {
			return err
		}
		return each(r)
	})
}

// Save implements [presence.Store].
func (s *Presence) Save(ctx context.Context, b *presence.Batch) error {
	full := s.grows(len(b.Records) + len(b.Gone))
	err := s.db.tx(ctx, "store presence", func(t *tx) error {
		if len(b.Records)+len(b.Gone) > 0 {
			if _, err := t.exec(ctx, "presence.append", formatRecords(b)); err != nil {
				return err
			}
		}
		if err := t.insert(ctx, "presence.note", 10, entryRows(b.Journal)); err != nil {
			return err
		}
		if full {
			if err := t.applyPresence(ctx); err != nil {
				return err
			}
		}
		if b.Alive.IsZero() {
			return nil
		}
		_, err := t.exec(ctx, "presence.alive", b.Alive.UnixMicro())
		return err
	})
	if err == nil && full {
		s.emptied()
	}
	return err
}

// grows notes that the log does, and reports whether it is to be emptied.
func (s *Presence) grows(records int) (full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logged += records
	return s.logged >= logMost || s.logged > 0 && time.Since(s.since) >= logAfter
}

func (s *Presence) emptied() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logged, s.since = 0, time.Now()
}

// settle brings the table of subjects up to date.
func (s *Presence) settle(ctx context.Context) error {
	var n int64
	if _, err := s.db.one(ctx, "presence.logged", nil, &n); err != nil || n == 0 {
		return err
	}
	err := s.db.tx(ctx, "settle presence", func(t *tx) error { return t.applyPresence(ctx) })
	if err == nil {
		s.emptied()
	}
	return err
}

func entryRows(entries []presence.Entry) []any {
	rows := make([]any, 0, len(entries)*10)
	for i := range entries {
		e := &entries[i]
		rows = append(rows, e.ID, e.Prev, string(e.Subject), int64(e.Kind), e.From, e.To, plain(e.Source), plain(e.Cause),
			ever(e.Since), ever(e.Until))
	}
	return rows
}

// plain leaves out what a text in a database may not have.
func plain(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
}

// ever is the opposite of sinceEver.
func ever(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Entries implements [presence.Journal].
func (s *Presence) Entries(ctx context.Context, q presence.Query) ([]presence.Entry, error) {
	since, before := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.Since.IsZero() {
		since = q.Since.UnixMicro()
	}
	if !q.Before.IsZero() {
		before = q.Before.UnixMicro()
	}
	if q.Older > 0 {
		before = min(before, q.Older)
	}
	if q.Subject == "" {
		return s.entries(ctx, "presence.range", since, before, int64(q.Limit))
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	from, known, err := s.last(ctx, q.Subject)
	if err != nil {
		return nil, err
	}
	if !known {
		return s.entries(ctx, "presence.forgotten", string(q.Subject), since, before, int64(q.Limit))
	}
	if q.Older > 0 && q.Older < from {
		from = q.Older
	}
	return s.entries(ctx, "presence.chain", from, string(q.Subject), since, before, int64(q.Limit))
}

// At implements [presence.Journal].
func (s *Presence) At(ctx context.Context, subject presence.Subject, at time.Time) (e presence.Entry, found bool, err error) {
	if err := s.settle(ctx); err != nil {
		return e, false, err
	}
	from, known, err := s.last(ctx, subject)
	if err != nil {
		return e, false, err
	}
	var got []presence.Entry
	if known {
		got, err = s.entries(ctx, "presence.at", from, string(subject), at.UnixMicro())
	} else {
		got, err = s.entries(ctx, "presence.forgotten", string(subject), int64(math.MinInt64), at.UnixMicro()+1, int64(1))
	}
	switch {
	case err != nil:
		return e, false, err
	case len(got) == 0:
		return s.unchanged(ctx, subject, at)
	case got[0].ID <= at.UnixMicro():
		return got[0], got[0].To != "", nil
	}
	// What was before the first entry that is left is what that one says.
	return presence.Entry{Subject: subject, Kind: got[0].Kind, To: got[0].From}, got[0].From != "", nil
}

// unchanged is the state of a subject that has not changed for as long as the
// journal goes back.
func (s *Presence) unchanged(ctx context.Context, subject presence.Subject, at time.Time) (e presence.Entry, found bool, err error) {
	e.Subject = subject
	found, err = s.db.one(ctx, "presence.state", []any{string(subject)}, &e.Kind, &e.To, (*sinceEver)(&e.Since), &e.ID)
	return e, found && e.To != "" && e.ID <= at.UnixMicro(), err
}

// last returns the id of a subject's latest entry, which may have been swept.
func (s *Presence) last(ctx context.Context, subject presence.Subject) (id int64, known bool, err error) {
	known, err = s.db.one(ctx, "presence.last", []any{string(subject)}, &id)
	return id, known, err
}

func (s *Presence) entries(ctx context.Context, name string, args ...any) (out []presence.Entry, err error) {
	err = s.db.each(ctx, name, args, func(rows *sql.Rows) error {
		var e presence.Entry
		if err := rows.Scan(&e.ID, &e.Prev, &e.Subject, &e.Kind, &e.From, &e.To, &e.Source, &e.Cause,
			(*sinceEver)(&e.Since), (*sinceEver)(&e.Until)); err != nil {
			return err
		}
		out = append(out, e)
		return nil
	})
	return out, err
}

// Expire implements [presence.Journal].
func (s *Presence) Expire(ctx context.Context, before time.Time, most int) (int64, error) {
	return s.db.exec(ctx, "presence.expire", before.UnixMicro(), int64(most))
}
