package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"rollcall/roster"
	"rollcall/xmpp/stanza"
)

func TestKindOfFailure(t *testing.T) {
	for _, c := range []struct {
		err  error
		want error
	}{
		{&pgconn.PgError{Code: "53100"}, ErrFull},
		{&pgconn.PgError{Code: "53300"}, ErrUnavailable}, // too many connections
		{&pgconn.PgError{Code: "57P01"}, ErrUnavailable}, // shut down
		{&pgconn.PgError{Code: "08006"}, ErrUnavailable},
		{&pgconn.PgError{Code: "25006"}, ErrUnavailable},
		{&pgconn.PgError{Code: "23505"}, nil}, // unique violation: our fault
		{&pgconn.PgError{Code: ""}, nil},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), ErrUnavailable},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, ErrUnavailable},
		{sql.ErrConnDone, ErrUnavailable},
		{pgconn.ErrConnClosed, ErrUnavailable},
		{context.Canceled, nil},
		{errors.New("something else"), nil},
	} {
		err := failed("try", c.err)
		if got := errors.Is(err, c.want); c.want != nil && !got {
			t.Errorf("%v is not %v", err, c.want)
		}
		if c.want == nil && (errors.Is(err, ErrFull) || errors.Is(err, ErrUnavailable)) {
			t.Errorf("%v has a kind", err)
		}
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), "try") {
			t.Errorf("%v does not say all", err)
		}
		if again := failed("again", err); again != err {
			t.Errorf("wrapped twice: %v", again)
		}
	}
	if failed("x", nil) != nil {
		t.Error("nothing failed")
	}
}

// A full disk is told apart, and when there is room again everything works.
func TestFullDisk(t *testing.T) {
	for _, kind := range []string{"memory", "file"} {
		t.Run(kind, func(t *testing.T) {
			db := openEmpty(t, configFor(t, kind))
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			newAccount(t, db, "ada@x")
			limit := func(pages int) {
				t.Helper()
				if _, err := db.write.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
					t.Fatal(err)
				}
			}
			limit(1) // no more than there are
			vcard := make([]byte, 1<<20)
			err := db.VCards().Set(t.Context(), "ada@x", vcard)
			if !errors.Is(err, ErrFull) || !errors.Is(err, stanza.ErrResourceConstraint) {
				t.Errorf("got %v", err)
			}
			if refusal, known := stanza.AsError(err); !known || refusal.Condition != stanza.ErrResourceConstraint.Condition {
				t.Errorf("the stanza error is %v, %v", refusal, known)
			}
			limit(1 << 20)
			if err := db.VCards().Set(t.Context(), "ada@x", vcard); err != nil {
				t.Errorf("with room again: %v", err)
			}
		})
	}
}

// A transaction that meets the full disk at its end is undone whole.
func TestFullDiskInTransaction(t *testing.T) {
	db := openEmpty(t, configFor(t, "file"))
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	err := db.tx(t.Context(), "fill", func(tx *tx) error {
		if _, err := tx.exec(t.Context(), "setting.make", "small", []byte("x")); err != nil {
			return err
		}
		_, err := tx.exec(t.Context(), "setting.make", "large", make([]byte, 1<<20))
		return err
	})
	if !errors.Is(err, ErrFull) {
		t.Errorf("got %v", err)
	}
	if n := count(t, db, "SELECT count(*) FROM setting"); n != 0 {
		t.Errorf("%d rows were left behind", n)
	}
	if _, err := db.exec(t.Context(), "setting.make", "next", []byte("x")); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestLockedByAnother(t *testing.T) {
	cfg := configFor(t, "file")
	cfg.Wait = 20 * time.Millisecond
	db := openEmpty(t, cfg)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", sqliteDSN(cfg.Path, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.exec(t.Context(), "setting.make", "a", []byte("1")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("locked: %v", err)
	}
	if _, err := db.Setting(t.Context(), "a", func() ([]byte, error) { return nil, io.EOF }); errors.Is(err, ErrUnavailable) {
		t.Errorf("readers are locked out: %v", err)
	}
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.exec(t.Context(), "setting.make", "a", []byte("1")); err != nil {
		t.Errorf("unlocked: %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	for what, cfg := range map[string]Config{
		"no such driver":    {Driver: "oracle"},
		"no path":           {Driver: SQLite},
		"no such directory": {Path: filepath.Join(t.TempDir(), "a", "b.db")},
		"a bad DSN":         {Driver: Postgres, DSN: "postgres://user:hunter2@[::1/x"},
		"nobody listens":    {Driver: Postgres, DSN: "postgres://user:hunter2@127.0.0.1:1/x?sslmode=disable"},
	} {
		db, err := Open(t.Context(), cfg)
		if err == nil {
			db.Close()
			t.Errorf("%s: it opened", what)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the password is in the error: %v", what, err)
		}
	}
	junk := filepath.Join(t.TempDir(), "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("not a database ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Path: junk}); err == nil {
		t.Error("a text file was opened as a database")
	}
}

func TestFilesArePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%41.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	db := openEmpty(t, Config{Path: path})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	newAccount(t, db, "ada@x")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: %v, %v", path+suffix, info, err)
		}
	}
}

// What is committed is there after the database was closed and opened again,
// and both pools are set up as they should be.
func TestDurable(t *testing.T) {
	cfg := configFor(t, "file")
	db := openEmpty(t, cfg)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, pool := range map[string]*sql.DB{"read": db.read, "write": db.write} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
			var got string
			if err := pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s of the %s pool is %q, %v", pragma, name, got, err)
			}
		}
	}
	if _, err := db.read.ExecContext(t.Context(), "DELETE FROM setting"); err == nil {
		t.Error("a reader can write")
	}
	newAccount(t, db, "ada@x")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := openEmpty(t, cfg)
	if there, err := again.Accounts().Exists(t.Context(), "ada@x"); !there || err != nil {
		t.Errorf("after opening again: %v, %v", there, err)
	}
	if _, err := db.Accounts().Lookup(t.Context(), "ada@x"); err == nil {
		t.Error("a closed database answers")
	}
}

// wire is a way to PostgreSQL that can be cut.
type wire struct {
	t         *testing.T
	addr      string
	net, to   string
	wg        sync.WaitGroup
	mu        sync.Mutex // guards the fields below
	listener  net.Listener
	connected []net.Conn
}

func newWire(t *testing.T, dsn string) (*wire, string) {
	t.Helper()
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, addr: "127.0.0.1:0"}
	w.net, w.to = pgconn.NetworkAddress(conf.Host, conf.Port)
	w.mend()
	t.Cleanup(w.cut)
	port := w.listener.Addr().(*net.TCPAddr).Port
	return w, withParam(t, withParam(t, dsn, "host", "127.0.0.1"), "port", strconv.Itoa(port))
}

// mend lets connections through.
func (w *wire) mend() {
	w.t.Helper()
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.listener, w.addr = l, l.Addr().String()
	w.mu.Unlock()
	w.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.join(c)
		}
	})
}

func (w *wire) join(c net.Conn) {
	up, err := net.Dial(w.net, w.to)
	if err != nil {
		c.Close()
		return
	}
	w.mu.Lock()
	w.connected = append(w.connected, c, up)
	w.mu.Unlock()
	for _, pair := range [][2]net.Conn{{c, up}, {up, c}} {
		w.wg.Go(func() {
			io.Copy(pair[0], pair[1])
			pair[0].Close()
		})
	}
}

// cut ends all connections and refuses new ones.
func (w *wire) cut() {
	w.mu.Lock()
	w.listener.Close()
	for _, c := range w.connected {
		c.Close()
	}
	w.connected = nil
	w.mu.Unlock()
	w.wg.Wait()
}

// When PostgreSQL goes away the errors say so, and when it is back everything
// works again without a restart.
func TestLostDatabase(t *testing.T) {
	if os.Getenv(postgresVar) == "" {
		t.Log(postgresVar + " is not set: there is no database to lose")
		return
	}
	cfg := configFor(t, "postgres")
	admin := openEmpty(t, cfg)
	w, dsn := newWire(t, cfg.DSN)
	name := fmt.Sprintf("lost_%d", os.Getpid())
	cfg.DSN = withParam(t, dsn, "application_name", name)
	db := openEmpty(t, cfg)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	newAccount(t, db, "ada@x")
	b := roster.NewBook(db.Rosters(), roster.Config{})
	change := func() error {
		_, err := b.Set(t.Context(), "ada@x", roster.Edit{Contact: "bob@x"}, nil)
		return err
	}
	if err := change(); err != nil {
		t.Fatal(err)
	}
	w.cut()
	if err := change(); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without the database: %v", err)
	}
	if _, err := db.Accounts().Lookup(t.Context(), "ada@x"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without the database: %v", err)
	}
	if err := db.Ping(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without the database: %v", err)
	}
	w.mend()
	if err := change(); err != nil {
		t.Errorf("with the database back: %v", err)
	}
	// A connection that the server ends while it is idle is replaced unnoticed.
	if n := count(t, admin, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", name); n == 0 {
		t.Error("no connection was ended")
	}
	if err := change(); err != nil {
		t.Errorf("after idle connections were ended: %v", err)
	}
}
