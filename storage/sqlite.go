package storage

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// openSQLite opens one connection for writing and some for reading. A database
// in memory has the one connection for everything.
func (db *DB) openSQLite(cfg Config) error {
	db.turn = make(chan struct{}, 1)
	pragmas := []string{
		"busy_timeout(" + strconv.FormatInt(cfg.Wait.Milliseconds(), 10) + ")",
		"foreign_keys(1)",
		"synchronous(FULL)", // acknowledged means stored: a commit reaches the disk
		"temp_store(MEMORY)",
	}
	if cfg.Path == Memory {
		return db.openMemory(pragmas)
	}
	if cfg.Path == "" {
		return errors.New("the path of the SQLite file is empty")
	}
	if err := private(cfg.Path); err != nil {
		return err
	}
	var err error
	if db.write, err = sql.Open("sqlite", sqliteDSN(cfg.Path, append(pragmas, "journal_mode(WAL)", writerCache))); err != nil {
		return err
	}
	keep(db.write, 1)
	if db.read, err = sql.Open("sqlite", sqliteDSN(cfg.Path, append(pragmas, "query_only(1)", readerCache))); err != nil {
		return err
	}
	keep(db.read, cfg.MaxConns)
	return nil
}

// Caches are small, in KiB, because the system caches the file for all connections,
// there are several readers, and a page of 4 KiB takes 8 KiB of memory here.
const (
	writerCache = "cache_size(-512)"
	readerCache = "cache_size(-256)"
)

func (db *DB) openMemory(pragmas []string) (err error) {
	if db.write, err = sql.Open("sqlite", sqliteDSN(Memory, pragmas)); err != nil {
		return err
	}
	db.read = db.write
	keep(db.write, 1)
	return nil
}

// keep has a pool keep its connections for good: each has its statements
// prepared and its pages cached.
func keep(pool *sql.DB, conns int) {
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxLifetime(0)
	pool.SetConnMaxIdleTime(0)
}

// sqliteDSN makes the driver's name for a database. Write transactions take the
// lock at once: one that read first and then wants to write could not wait.
func sqliteDSN(path string, pragmas []string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": pragmas}
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path) + "?" + q.Encode()
}

// private makes sure that the file is there and for its owner's eyes only. The
// files that SQLite puts beside it get the same mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep others from reading it: %w", err)
		}
	}
	return nil
}
