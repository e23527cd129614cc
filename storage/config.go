package storage

import "time"

// The kinds of database.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Memory is a Path that makes an SQLite database in memory, gone when closed.
const Memory = ":memory:"

// Config says which database to use.
type Config struct {
	Driver string // SQLite or Postgres; "" is SQLite

	// Path is the file of an SQLite database, or Memory.
	Path string

	// DSN says how to reach PostgreSQL: a URL, or "host=... dbname=...".
	DSN string

	// MaxConns bounds the connections to the database, the writer of SQLite not
	// counted. 0 lets the program choose.
	MaxConns int

	// Wait is how long to wait for a database that another program has locked,
	// or for a connection to PostgreSQL. 0 is five seconds.
	Wait time.Duration
}

func (c Config) withDefaults() Config {
	if c.Driver == "" {
		c.Driver = SQLite
	}
	if c.Wait <= 0 {
		c.Wait = 5 * time.Second
	}
	if c.MaxConns <= 0 {
		c.MaxConns = 4
		if c.Driver == Postgres {
			c.MaxConns = 10
		}
	}
	return c
}
