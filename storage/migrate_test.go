package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"rollcall/migrations"
)

func TestMigrate(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			ctx := t.Context()
			db := openEmpty(t, configFor(t, kind))
			if v, err := db.Version(ctx); v != 0 || err != nil {
				t.Errorf("an empty database is at version %d, %v", v, err)
			}
			pending, err := db.Pending(ctx)
			if err != nil || len(pending) < 2 {
				t.Fatalf("%d are pending, %v", len(pending), err)
			}
			done, err := db.Migrate(ctx)
			if err != nil || len(done) != len(pending) {
				t.Fatalf("%d were applied, %v", len(done), err)
			}
			if v, err := db.Version(ctx); v != len(done) || err != nil {
				t.Errorf("now at version %d, %v", v, err)
			}
			if done, err := db.Migrate(ctx); len(done) != 0 || err != nil {
				t.Errorf("a second time %d were applied, %v", len(done), err)
			}
			if pending, err := db.Pending(ctx); len(pending) != 0 || err != nil {
				t.Errorf("%d are still pending, %v", len(pending), err)
			}
		})
	}
}

// Programs that start together do not apply a migration twice.
func TestMigrateTogether(t *testing.T) {
	for _, kind := range kinds() {
		if kind == "memory" {
			continue // nobody else can open it
		}
		t.Run(kind, func(t *testing.T) {
			cfg := configFor(t, kind)
			var applied [4]int
			var errs [4]error
			var wg sync.WaitGroup
			for i := range applied {
				db := openEmpty(t, cfg)
				wg.Go(func() {
					done, err := db.Migrate(t.Context())
					applied[i], errs[i] = len(done), err
				})
			}
			wg.Wait()
			slices.Sort(applied[:])
			if err := errors.Join(errs[:]...); err != nil || applied[2] != 0 || applied[3] == 0 {
				t.Errorf("applied %v, %v", applied, err)
			}
		})
	}
}

func TestMigrationsThatAreNotOurs(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			ctx := t.Context()
			db := openEmpty(t, configFor(t, kind))
			all, err := migrations.For(db.Kind())
			if err != nil {
				t.Fatal(err)
			}
			more := append(slices.Clone(all), migrations.Migration{
				Version: len(all) + 1, Name: "future", SQL: "CREATE TABLE future (id INTEGER NOT NULL PRIMARY KEY)", Checksum: "f"})
			if _, err := db.migrate(ctx, more); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Migrate(ctx); err == nil || !strings.Contains(err.Error(), "newer program") {
				t.Errorf("a newer database: %v", err)
			}
			if _, err := db.Pending(ctx); err == nil {
				t.Error("nothing is said of a newer database")
			}
			changed := slices.Clone(more)
			changed[0].Checksum = "another"
			if _, err := db.migrate(ctx, changed); err == nil || !strings.Contains(err.Error(), "0001_core") {
				t.Errorf("a changed migration: %v", err)
			}
		})
	}
}

// A migration that fails leaves the database as it was.
func TestMigrationIsWhole(t *testing.T) {
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			db := openEmpty(t, configFor(t, kind))
			bad := []migrations.Migration{
				{Version: 1, Name: "good", SQL: "CREATE TABLE good (id INTEGER NOT NULL PRIMARY KEY)", Checksum: "1"},
				{Version: 2, Name: "bad", SQL: "CREATE TABLE oops (", Checksum: "2"},
			}
			if _, err := db.migrate(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "0002_bad") {
				t.Errorf("got %v", err)
			}
			if v, err := db.Version(t.Context()); v != 0 || err != nil {
				t.Errorf("at version %d, %v", v, err)
			}
			if _, err := db.migrate(t.Context(), bad[:1]); err != nil {
				t.Errorf("after the bad one: %v", err)
			}
		})
	}
}

// column is what must be the same in both databases.
type column struct {
	Table, Name string
	Null        bool
	Key         int // place in the primary key, 0 for none
}

const sqliteColumns = `SELECT m.name, p.name, p."notnull" = 0, p.pk
	FROM sqlite_master m JOIN pragma_table_info(m.name) p
	WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`

const postgresColumns = `SELECT c.table_name, c.column_name, c.is_nullable = 'YES', COALESCE(k.ordinal_position, 0)
	FROM information_schema.columns c
	LEFT JOIN information_schema.table_constraints pk ON pk.constraint_type = 'PRIMARY KEY'
		AND pk.table_schema = c.table_schema AND pk.table_name = c.table_name
	LEFT JOIN information_schema.key_column_usage k ON k.constraint_schema = pk.constraint_schema
		AND k.constraint_name = pk.constraint_name AND k.table_name = c.table_name AND k.column_name = c.column_name
	WHERE c.table_schema = current_schema()`

// Unique columns and foreign keys, as "table.column" and "table.column>table".
const (
	sqliteKeys = `SELECT m.name || '.' || x.name FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) x
			WHERE m.type = 'table' AND i.origin = 'u'
		UNION ALL SELECT m.name || '.' || f."from" || '>' || f."table" || ' ' || f.on_delete
			FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	postgresKeys = `SELECT t.relname || '.' || a.attname || CASE WHEN c.contype = 'f' THEN '>' || r.relname
				|| CASE c.confdeltype WHEN 'c' THEN ' CASCADE' ELSE ' OTHER' END ELSE '' END
		FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (c.conkey) LEFT JOIN pg_class r ON r.oid = c.confrelid
		WHERE n.nspname = current_schema() AND c.contype IN ('u', 'f')`
)

func columnsOf(t *testing.T, db *DB, query string) (out []column) {
	t.Helper()
	err := scanAll(t.Context(), db.read, query, func(r *sql.Rows) error {
		var c column
		if err := r.Scan(&c.Table, &c.Name, &c.Null, &c.Key); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out, func(a, b column) int { return strings.Compare(a.Table+"."+a.Name, b.Table+"."+b.Name) })
	return out
}

func keysOf(t *testing.T, db *DB, query string) (out []string) {
	t.Helper()
	err := scanAll(t.Context(), db.read, query, func(r *sql.Rows) error {
		var s string
		err := r.Scan(&s)
		out = append(out, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func TestBothHaveTheSameTables(t *testing.T) {
	lite := openEmpty(t, configFor(t, "memory"))
	if _, err := lite.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	liteColumns, liteKeys := columnsOf(t, lite, sqliteColumns), keysOf(t, lite, sqliteKeys)
	if len(liteColumns) < 40 || len(liteKeys) < 6 {
		t.Errorf("SQLite has only %d columns and %d keys", len(liteColumns), len(liteKeys))
	}
	for _, c := range liteColumns {
		if c.Null {
			t.Errorf("%s.%s may be NULL", c.Table, c.Name)
		}
	}
	if os.Getenv(postgresVar) == "" {
		t.Log(postgresVar + " is not set: nothing to compare with")
		return
	}
	pg := openEmpty(t, configFor(t, "postgres"))
	if _, err := pg.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(liteColumns, columnsOf(t, pg, postgresColumns)); diff != "" {
		t.Errorf("columns in SQLite (-) and PostgreSQL (+):\n%s", diff)
	}
	if diff := cmp.Diff(liteKeys, keysOf(t, pg, postgresKeys)); diff != "" {
		t.Errorf("keys in SQLite (-) and PostgreSQL (+):\n%s", diff)
	}
}

// The server's conversations are played in a bubble on a database in memory.
func TestMemoryInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := Open(t.Context(), Config{Path: Memory})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if _, err := db.Setting(context.Background(), fmt.Sprint(i%4), func() ([]byte, error) { return []byte("x"), nil }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		synctest.Wait()
	})
}

// Each Open in memory is a database of its own.
func TestMemoryIsPrivate(t *testing.T) {
	a, b := openEmpty(t, configFor(t, "memory")), openEmpty(t, configFor(t, "memory"))
	if _, err := a.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err := b.Version(t.Context()); v != 0 || err != nil {
		t.Errorf("the second is at version %d, %v", v, err)
	}
}
