// Package storage keeps things in a database: SQLite by default, PostgreSQL
// when it grows. It adapts the domain's small store interfaces to SQL; the
// domain does not know it.
//
// Each thing has a Go file and an .sql file beside it. The SQL is one text for
// both databases; a query is found by its file's name and its own, such as
// "roster.load". A test prepares every query on both.
//
// Reading uses [DB] directly; whatever belongs together is written in one
// transaction. SQLite has one writer, so a transaction first waits for its turn.
// Inside a transaction's function use only its tx: with a database in memory,
// which has a single connection, anything else would wait for ever.
package storage
