package storage

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(postgresVar) == "" {
		fmt.Println(postgresVar + " is not set: this run is on SQLite only")
	}
	goleak.VerifyTestMain(m)
}

const postgresVar = "ROLLCALL_TEST_POSTGRES"

// onEach runs a test on each kind of database, migrated and empty.
func onEach(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	for _, kind := range kinds() {
		t.Run(kind, func(t *testing.T) {
			db := openEmpty(t, configFor(t, kind))
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, db)
		})
	}
}

func kinds() []string {
	out := []string{"memory", "file"}
	if os.Getenv(postgresVar) != "" {
		out = append(out, "postgres")
	}
	return out
}

func configFor(t testing.TB, kind string) Config {
	t.Helper()
	switch kind {
	case "memory":
		return Config{Driver: SQLite, Path: Memory}
	case "file":
		return Config{Driver: SQLite, Path: filepath.Join(t.TempDir(), "r.db")}
	}
	return postgresConfig(t)
}

// postgresConfig makes a schema that is dropped when the test ends.
func postgresConfig(t testing.TB) Config {
	t.Helper()
	dsn := os.Getenv(postgresVar)
	schema := fmt.Sprintf("t_%d_%d", os.Getpid(), time.Now().UnixNano())
	admin := adminPool(t, dsn)
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What somebody who was killed has begun may still be in the way over there.
		var err error
		for range 10 {
			if _, err = admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err == nil || !strings.Contains(err.Error(), "40P01") {
				break
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
	return Config{Driver: Postgres, DSN: withParam(t, dsn, "search_path", schema)}
}

func adminPool(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	_ = stdlib.GetDefaultDriver() // registered as "pgx"
	t.Cleanup(func() { pool.Close() })
	return pool
}

func withParam(t testing.TB, dsn, key, value string) string {
	t.Helper()
	if !strings.Contains(dsn, "://") {
		return dsn + " " + key + "=" + value
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func openEmpty(t testing.TB, cfg Config) *DB {
	t.Helper()
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Every query means the same to both databases: both accept it.
func TestQueriesPrepare(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		if len(db.queries) < 20 {
			t.Errorf("only %d queries were found", len(db.queries))
		}
		for name, text := range db.queries {
			stmt, err := db.write.PrepareContext(t.Context(), text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			stmt.Close()
		}
	})
}

func TestManyRows(t *testing.T) {
	got, err := manyRows("INSERT INTO x (a, b) VALUES ($1, $2) ON CONFLICT DO NOTHING", 3)
	want := "INSERT INTO x (a, b) VALUES ($1, $2), ($3, $4), ($5, $6) ON CONFLICT DO NOTHING"
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := manyRows("DELETE FROM x", 2); err == nil {
		t.Error("a DELETE was repeated")
	}
}

func TestInsertManyRows(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		const rows = 128 + 16 + 3
		var args []any
		for i := range rows {
			args = append(args, fmt.Sprintf("name %d", i), []byte{byte(i)})
		}
		err := db.tx(t.Context(), "insert", func(tx *tx) error { return tx.insert(t.Context(), "setting.make", 2, args) })
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			var value []byte
			if found, err := db.one(t.Context(), "setting.get", []any{fmt.Sprintf("name %d", i)}, &value); !found || err != nil || value[0] != byte(i) {
				t.Fatalf("row %d: %v %v %v", i, value, found, err)
			}
		}
		err = db.tx(t.Context(), "insert", func(tx *tx) error { return tx.insert(t.Context(), "setting.make", 2, args[:1]) })
		if err == nil {
			t.Error("half a row was inserted")
		}
	})
}

// A transaction that fails leaves nothing behind, and the next one works.
func TestRollback(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		boom := fmt.Errorf("boom")
		err := db.tx(t.Context(), "x", func(tx *tx) error {
			if _, err := tx.exec(t.Context(), "setting.make", "a", []byte("1")); err != nil {
				t.Fatal(err)
			}
			return boom
		})
		if err != boom {
			t.Errorf("got %v", err)
		}
		got, err := db.Setting(t.Context(), "a", func() ([]byte, error) { return []byte("2"), nil })
		if err != nil || string(got) != "2" {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// Who waits for the writer stops waiting with the context.
func TestWaitForWriterEnds(t *testing.T) {
	db := openEmpty(t, configFor(t, "file"))
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := db.tx(t.Context(), "hold", func(*tx) error {
		cancel()
		_, err := db.exec(ctx, "setting.make", "a", []byte("1"))
		return err
	})
	if err == nil || ctx.Err() == nil {
		t.Errorf("got %v", err)
	}
}

func TestSetting(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		for n := range 3 {
			got, err := db.Setting(t.Context(), "secret", func() ([]byte, error) { return []byte{byte(n)}, nil })
			if err != nil || len(got) != 1 || got[0] != 0 {
				t.Errorf("time %d: %v, %v", n, got, err)
			}
		}
		boom := fmt.Errorf("no entropy")
		if _, err := db.Setting(t.Context(), "other", func() ([]byte, error) { return nil, boom }); err == nil {
			t.Error("the error of making it was lost")
		}
	})
}
