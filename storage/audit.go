package storage

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"time"
)

// Act is something that somebody did, or tried to.
type Act struct {
	ID      int64 // given by the store; the newest has the highest
	At      time.Time
	Who     string // a full address, or a user of the machine
	Origin  string // where from: an IP address, or a word for the command line
	Action  string // "account.remove"
	Subject string // whom it was about: addresses with blanks between them
	Detail  string // values that are no secrets
	Outcome string // "" if it was done, else why not
}

// Audit keeps what was done.
type Audit struct{ db *DB }

// Audit returns the store of what was done.
func (db *DB) Audit() *Audit { return &Audit{db} }

// What one act may take.
const (
	maxActName = 512
	maxActText = 2048
)

// Add keeps an act. What is too long in it is cut off.
func (s *Audit) Add(ctx context.Context, a Act) error {
	_, err := s.db.exec(ctx, "audit.add", a.At.UnixMicro(), short(a.Who, maxActText), short(a.Origin, maxActName),
		short(a.Action, maxActName), short(a.Subject, maxActText), short(a.Detail, maxActText), short(a.Outcome, maxActText))
	return err
}

// ActFilter says which acts to read.
type ActFilter struct {
	Since  time.Time // the zero time is the beginning
	Who    string    // "" is everybody, a bare address all of its clients
	Before int64     // an id: only older ones; 0 is the end
	Limit  int
}

// short cuts a text off, between two characters.
func short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Page returns acts, the newest first.
func (s *Audit) Page(ctx context.Context, f ActFilter) (out []Act, err error) {
	since := int64(math.MinInt64)
	if !f.Since.IsZero() {
		since = f.Since.UnixMicro()
	}
	before := f.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	err = s.db.each(ctx, "audit.page", []any{since, f.Who, before, int64(f.Limit)}, func(rows *sql.Rows) error {
		var a Act
		if err := rows.Scan(&a.ID, (*micros)(&a.At), &a.Who, &a.Origin, &a.Action, &a.Subject, &a.Detail, &a.Outcome); err != nil {
			return err
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

// Expire removes what was done before a time, and returns how much that was.
func (s *Audit) Expire(ctx context.Context, before time.Time) (int64, error) {
	return s.db.exec(ctx, "audit.expire", before.UnixMicro())
}
