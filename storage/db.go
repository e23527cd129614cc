package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// DB is an open database. All its methods are safe for use by many goroutines.
type DB struct {
	kind    string            // fixed
	conns   int               // fixed: connections that are kept
	queries map[string]string // fixed: SQL by "file.name"
	read    *sql.DB           // safe
	write   *sql.DB           // safe; the same as read but for an SQLite file

	// turn holds a token while SQLite's only writer is busy, so that waiting
	// for it ends with the caller's context. PostgreSQL has none.
	turn chan struct{}

	mu       sync.Mutex // guards the fields below
	prepared map[preparedKey]*sql.Stmt
	wanted   []preparedKey // to be prepared before the next transaction

	ids idCache // safe
}

// Open opens the database. It does not touch the tables: see [DB.Migrate].
func Open(ctx context.Context, cfg Config) (*DB, error) {
	cfg = cfg.withDefaults()
	queries, err := loadQueries()
	if err != nil {
		return nil, err
	}
	db := &DB{kind: cfg.Driver, conns: cfg.MaxConns, queries: queries, prepared: make(map[preparedKey]*sql.Stmt)}
	switch cfg.Driver {
	case SQLite:
		err = db.openSQLite(cfg)
	case Postgres:
		err = db.openPostgres(cfg)
	default:
		err = fmt.Errorf("no such driver: %q; write %q or %q", cfg.Driver, SQLite, Postgres)
	}
	if err == nil {
		err = db.Ping(ctx)
	}
	if err != nil {
		return nil, errors.Join(failed("open the database", err), db.Close())
	}
	return db, nil
}

// Ping says whether the database can be reached.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.write.PingContext(ctx); err != nil {
		return failed("reach the database", err)
	}
	return failed("reach the database", db.read.PingContext(ctx))
}

// Kind is the configured driver: SQLite or Postgres.
func (db *DB) Kind() string { return db.kind }

// Close closes the database after everything under way has ended.
func (db *DB) Close() error {
	db.mu.Lock()
	for key, s := range db.prepared {
		s.Close() // what matters is closing the connections, below
		delete(db.prepared, key)
	}
	db.mu.Unlock()
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil && db.write != db.read {
		errs = append(errs, db.write.Close())
	}
	return failed("close the database", errors.Join(errs...))
}
