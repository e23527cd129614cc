package storage

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPostgres makes a pool of connections. pgx prepares each query once on
// each connection, and a connection that broke is replaced at its next use.
func (db *DB) openPostgres(cfg Config) error {
	conf, err := pgx.ParseConfig(cfg.DSN)
	if err != nil {
		return err // pgx leaves the password out
	}
	if conf.ConnectTimeout == 0 {
		conf.ConnectTimeout = cfg.Wait
	}
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "rollcall"
	}
	db.read = stdlib.OpenDB(*conf)
	db.write = db.read
	keep(db.read, cfg.MaxConns)
	return nil
}
