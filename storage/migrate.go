package storage

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rollcall/migrations"
)

// What has to be asked in each database's own words.
var (
	createSchemaVersion = map[string]string{
		SQLite: `CREATE TABLE IF NOT EXISTS schema_version (
			version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,
			checksum TEXT NOT NULL, applied INTEGER NOT NULL) STRICT`,
		Postgres: `CREATE TABLE IF NOT EXISTS schema_version (
			version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL,
			checksum TEXT NOT NULL, applied BIGINT NOT NULL)`,
	}
	hasSchemaVersion = map[string]string{
		SQLite:   `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'`,
		Postgres: `SELECT count(*) FROM (SELECT to_regclass('schema_version') AS t) AS x WHERE t IS NOT NULL`,
	}
	// lockSchema keeps other programs from migrating. SQLite's transaction is
	// the lock itself.
	lockSchema = map[string]string{
		SQLite:   `SELECT 1`,
		Postgres: `SELECT pg_advisory_xact_lock(7655, hashtext(current_schema()))`,
	}
)

// Migrate applies the migrations that are missing, all or none, and returns
// them. Programs that start at the same time wait for one another.
func (db *DB) Migrate(ctx context.Context) ([]migrations.Migration, error) {
	all, err := migrations.For(db.kind)
	if err != nil {
		return nil, failed("migrate", err)
	}
	return db.migrate(ctx, all)
}

// Pending lists the migrations that are missing.
func (db *DB) Pending(ctx context.Context) ([]migrations.Migration, error) {
	all, err := migrations.For(db.kind)
	if err != nil {
		return nil, failed("look for migrations", err)
	}
	n, err := db.checkApplied(db.uncancelled(ctx), db.read, all)
	if err != nil {
		return nil, failed("look for migrations", err)
	}
	return all[n:], nil
}

// Version is the number of the last migration that was applied; 0 is an empty
// database.
func (db *DB) Version(ctx context.Context) (int, error) {
	done, err := db.applied(db.uncancelled(ctx), db.read)
	return len(done), failed("read the database's version", err)
}

func (db *DB) migrate(ctx context.Context, all []migrations.Migration) (done []migrations.Migration, err error) {
	err = db.tx(ctx, "migrate", func(t *tx) error {
		ctx := db.uncancelled(ctx)
		for _, text := range []string{lockSchema[db.kind], createSchemaVersion[db.kind]} {
			if _, err := t.sqlTx.ExecContext(ctx, text); err != nil {
				return failed("migrate", err)
			}
		}
		n, err := db.checkApplied(ctx, t.sqlTx, all)
		if err != nil {
			return failed("migrate", err)
		}
		for _, m := range all[n:] {
			if err := t.apply(ctx, m); err != nil {
				return err
			}
		}
		done = all[n:]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

func (t *tx) apply(ctx context.Context, m migrations.Migration) error {
	what := fmt.Sprintf("apply migration %04d_%s", m.Version, m.Name)
	if _, err := t.sqlTx.ExecContext(ctx, m.SQL); err != nil {
		return failed(what, err)
	}
	_, err := t.sqlTx.ExecContext(ctx, t.db.queries["migrate.record"],
		m.Version, m.Name, m.Checksum, time.Now().UnixMicro())
	return failed(what, err)
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// applied reads what has been applied, in order.
func (db *DB) applied(ctx context.Context, q querier) (done []migrations.Migration, err error) {
	tables := 0
	if err := scanAll(ctx, q, hasSchemaVersion[db.kind], func(r *sql.Rows) error { return r.Scan(&tables) }); err != nil {
		return nil, err
	}
	if tables == 0 {
		return nil, nil
	}
	err = scanAll(ctx, q, db.queries["migrate.applied"], func(r *sql.Rows) error {
		var m migrations.Migration
		if err := r.Scan(&m.Version, &m.Name, &m.Checksum); err != nil {
			return err
		}
		done = append(done, m)
		return nil
	})
	return done, err
}

func scanAll(ctx context.Context, q querier, query string, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkApplied counts the migrations that were applied, and makes sure that
// they are ours.
func (db *DB) checkApplied(ctx context.Context, q querier, all []migrations.Migration) (int, error) {
	done, err := db.applied(ctx, q)
	if err != nil {
		return 0, err
	}
	if len(done) > len(all) {
		return 0, fmt.Errorf("the database is at version %d, and this program knows only %d: "+
			"it was used by a newer program; use that one", len(done), len(all))
	}
	for i, m := range done {
		if want := all[i]; m.Version != want.Version || m.Checksum != want.Checksum {
			return 0, fmt.Errorf("migration %04d_%s was applied with another text than this program has: "+
				"use the program that made this database, or restore the migration", m.Version, m.Name)
		}
	}
	return len(done), nil
}
