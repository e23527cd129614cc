package crash

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
)

// postgresVar names a PostgreSQL where tests may make schemas.
const postgresVar = "ROLLCALL_TEST_POSTGRES"

// onEach runs a test on each kind of database; settings choose it.
func onEach(t *testing.T, test func(t *testing.T, settings string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	if os.Getenv(postgresVar) == "" {
		t.Log(postgresVar + " is not set: this run is on SQLite only")
		return
	}
	t.Run("postgres", func(t *testing.T) {
		dsn, _ := newSchema(t)
		test(t, onPostgres(dsn))
	})
}

func onPostgres(dsn string) string {
	return "storage.driver = 'postgres'\nstorage.dsn = '" + dsn + "'\n"
}

// newSchema makes a schema that is dropped when the test ends, and returns how
// to reach it, and a connection for what only an administrator may do.
func newSchema(t *testing.T) (dsn string, admin *sql.DB) {
	t.Helper()
	u, err := url.Parse(os.Getenv(postgresVar))
	if err != nil {
		t.Fatal(err)
	}
	_ = stdlib.GetDefaultDriver() // registered as "pgx"
	if admin, err = sql.Open("pgx", u.String()); err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("crash_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := admin.Exec("CREATE SCHEMA " + schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What a server that was killed has begun may still be under way over there, and
		// is in the way: one of the two is told after a second.
		var err error
		for range 10 {
			if _, err = admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err == nil || !strings.Contains(err.Error(), "40P01") {
				break
			}
		}
		if err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	return with(u, "search_path", schema).String(), admin
}

// with returns an address of a database with a further parameter.
func with(u *url.URL, key, value string) *url.URL {
	c := *u
	q := c.Query()
	q.Set(key, value)
	c.RawQuery = q.Encode()
	return &c
}
