package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// preparedKey names a statement that is prepared on SQLite's connections.
type preparedKey struct {
	write bool
	name  string
	rows  int // of an insert with several rows
}

// statement returns a query prepared on SQLite.
func (r runner) statement(ctx context.Context, name string, rows int) (*sql.Stmt, error) {
	key := preparedKey{write: r.write || r.db.read == r.db.write, name: name, rows: rows}
	r.db.mu.Lock()
	stmt := r.db.prepared[key]
	r.db.mu.Unlock()
	if stmt == nil {
		return r.prepare(ctx, key)
	}
	if r.sqlTx != nil {
		return r.sqlTx.StmtContext(ctx, stmt), nil
	}
	return stmt, nil
}

func (r runner) prepare(ctx context.Context, key preparedKey) (*sql.Stmt, error) {
	text, err := manyRows(r.db.queries[key.name], key.rows)
	if err != nil {
		return nil, err
	}
	if key.rows > 1 {
		// SQLite takes $1 for a name, and looks through all names for each.
		text = parameter.ReplaceAllString(text, "?")
	}
	if r.sqlTx != nil {
		// The pool's only connection is ours for now, so the pool cannot prepare
		// the statement for good. It does before the next transaction.
		r.db.mu.Lock()
		r.db.wanted = append(r.db.wanted, key)
		r.db.mu.Unlock()
		return r.sqlTx.PrepareContext(ctx, text)
	}
	stmt, err := r.db.pool(key.write).PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	r.db.mu.Lock()
	defer r.db.mu.Unlock()
	if first := r.db.prepared[key]; first != nil {
		stmt.Close() // somebody else was quicker
		return first, nil
	}
	r.db.prepared[key] = stmt
	return stmt, nil
}

// prepareWanted prepares what the last transactions had to do without. The
// caller has the turn to write.
func (db *DB) prepareWanted(ctx context.Context) error {
	db.mu.Lock()
	wanted := db.wanted
	db.wanted = nil
	db.mu.Unlock()
	for _, key := range wanted {
		if _, err := (runner{db: db, write: true}).statement(ctx, key.name, key.rows); err != nil {
			return err
		}
	}
	return nil
}

var parameter = regexp.MustCompile(`\$\d+`)

// manyRows repeats the row of "VALUES (...)" at the end of an INSERT, or before
// its ON CONFLICT, with parameters counted on.
func manyRows(text string, rows int) (string, error) {
	if rows == 1 && text != "" {
		return text, nil
	}
	_, after, found := strings.Cut(text, "VALUES (")
	row, _, closed := strings.Cut(after, ")")
	if !found || !closed {
		return "", errors.New("not an INSERT of one row of parameters")
	}
	width := strings.Count(row, "$")
	var b strings.Builder
	for i := 1; i < rows; i++ {
		b.WriteString(", (")
		for j := 1; j <= width; j++ {
			if j > 1 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "$%d", i*width+j)
		}
		b.WriteString(")")
	}
	head := len(text) - len(after) + len(row) + 1
	return text[:head] + b.String() + text[head:], nil
}
