package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"rollcall/xmpp/stanza"
)

// The kinds of failure that are not our fault and may pass.
var (
	// ErrFull says that there is no room left. It is also a stanza error:
	// resource-constraint.
	ErrFull = fmt.Errorf("the disk is full: %w", stanza.ErrResourceConstraint)

	// ErrUnavailable says that the database cannot be reached, or that another
	// program has it locked.
	ErrUnavailable = errors.New("the database is unavailable")
)

// Failure is an error of the database.
type Failure struct {
	What string // what was tried
	Kind error  // ErrFull, ErrUnavailable or nil
	Err  error  // what the driver said
}

// Error says what was tried and what came of it.
func (f *Failure) Error() string {
	if f.Kind == nil {
		return fmt.Sprintf("storage: %s: %v", f.What, f.Err)
	}
	return fmt.Sprintf("storage: %s: %v: %v", f.What, f.Kind, f.Err)
}

// Unwrap gives the kind and the driver's error.
func (f *Failure) Unwrap() []error {
	if f.Kind == nil {
		return []error{f.Err}
	}
	return []error{f.Kind, f.Err}
}

// failed wraps an error with what was tried; nil stays nil, and a failure is
// not wrapped twice.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	if f := (*Failure)(nil); errors.As(err, &f) {
		return err
	}
	return &Failure{What: what, Kind: kindOf(err), Err: err}
}

func kindOf(err error) error {
	if lite := (*sqlite.Error)(nil); errors.As(err, &lite) {
		return sqliteKind(lite.Code())
	}
	if connect := (*pgconn.ConnectError)(nil); errors.As(err, &connect) && !errors.Is(err, context.Canceled) {
		return ErrUnavailable
	}
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		return postgresKind(pg.Code)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil // the caller gave up; nothing is known about the database
	}
	var network net.Error
	switch {
	case errors.As(err, &network),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, pgconn.ErrConnClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return ErrUnavailable
	}
	return nil
}

func sqliteKind(code int) error {
	switch code & 0xff { // without the extended part
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL:
		return ErrUnavailable
	}
	return nil
}

// postgresKind sorts by the classes of PostgreSQL's appendix A: 08 connection,
// 53 insufficient resources, 57P operator intervention, 58 system error.
func postgresKind(state string) error {
	if state == "53100" { // disk_full
		return ErrFull
	}
	if len(state) != 5 {
		return nil
	}
	switch state[:2] {
	case "08", "53", "58":
		return ErrUnavailable
	}
	if state[:3] == "57P" || state == "25006" { // read_only_sql_transaction: a standby
		return ErrUnavailable
	}
	return nil
}
