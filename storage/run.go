package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// preparedKey names a statement that is prepared on SQLite's connections.
type preparedKey struct {
	write bool
	name  string
	rows  int // of an insert with several rows
}

// runner runs named queries, on a pool or in a transaction.
type runner struct {
	db    *DB
	write bool
	sqlTx *sql.Tx // nil outside a transaction
}

// tx is a transaction. It is valid until the function that got it returns.
type tx struct{ runner }

func (db *DB) reader() runner { return runner{db: db} }

// one reads a single row into dest. found is false when there is none.
func (db *DB) one(ctx context.Context, name string, args []any, dest ...any) (found bool, err error) {
	return db.reader().one(ctx, name, args, dest...)
}

// each calls scan for every row of a query.
func (db *DB) each(ctx context.Context, name string, args []any, scan func(*sql.Rows) error) error {
	return db.reader().each(ctx, name, args, scan)
}

// exec runs one statement as a transaction of its own and returns how many rows
// it changed.
func (db *DB) exec(ctx context.Context, name string, args ...any) (n int64, err error) {
	release, err := db.wait(ctx)
	if err != nil {
		return 0, failed(name, err)
	}
	defer release()
	return runner{db: db, write: true}.exec(ctx, name, args...)
}

// tx runs do in a transaction: committed when do returns nil, otherwise undone.
// what is for the error: "save a roster".
func (db *DB) tx(ctx context.Context, what string, do func(*tx) error) error {
	release, err := db.wait(ctx)
	if err != nil {
		return failed(what, err)
	}
	defer release()
	if err := db.prepareWanted(ctx); err != nil {
		return failed(what, err)
	}
	sqlTx, err := db.write.BeginTx(db.uncancelled(ctx), nil)
	if err != nil {
		return failed(what, err)
	}
	defer sqlTx.Rollback() // after Commit this does nothing
	if err := do(&tx{runner{db: db, write: true, sqlTx: sqlTx}}); err != nil {
		return err
	}
	return failed(what, sqlTx.Commit())
}

// wait waits for the turn to write.
func (db *DB) wait(ctx context.Context) (release func(), err error) {
	if db.turn == nil {
		return func() {}, nil
	}
	select {
	case db.turn <- struct{}{}:
		return func() { <-db.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// uncancelled is the context to hand to the driver. An SQLite query is too short
// to be worth the goroutine that would watch for its cancellation.
func (db *DB) uncancelled(ctx context.Context) context.Context {
	if db.kind == SQLite {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (r runner) one(ctx context.Context, name string, args []any, dest ...any) (found bool, err error) {
	rows, err := r.query(ctx, name, args)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, failed(name, rows.Err())
	}
	if err := rows.Scan(dest...); err != nil {
		return false, failed(name, err)
	}
	// A statement with RETURNING is complete only when it was read to its end.
	for rows.Next() {
	}
	return true, failed(name, rows.Err())
}

func (r runner) each(ctx context.Context, name string, args []any, scan func(*sql.Rows) error) error {
	rows, err := r.query(ctx, name, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return failed(name, err)
		}
	}
	return failed(name, rows.Err())
}

func (r runner) query(ctx context.Context, name string, args []any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed(name, err)
	}
	ctx = r.db.uncancelled(ctx)
	rows, err := func() (*sql.Rows, error) {
		if r.db.kind != SQLite {
			return r.plain().QueryContext(ctx, r.db.queries[name], args...)
		}
		stmt, err := r.statement(ctx, name, 1)
		if err != nil {
			return nil, err
		}
		return stmt.QueryContext(ctx, args...)
	}()
	return rows, failed(name, err)
}

func (r runner) exec(ctx context.Context, name string, args ...any) (int64, error) {
	return r.execRows(ctx, name, 1, args)
}

// insert runs an INSERT whose text ends with "VALUES ($1, ...)" for many rows,
// as many in a statement as is sensible. args holds the rows one after another,
// width values each.
func (t *tx) insert(ctx context.Context, name string, width int, args []any) error {
	for _, rows := range [...]int{128, 16, 1} {
		for n := rows * width; len(args) >= n && n > 0; args = args[n:] {
			if _, err := t.execRows(ctx, name, rows, args[:n]); err != nil {
				return err
			}
		}
	}
	if len(args) > 0 {
		return failed(name, errors.New("the last row is not whole"))
	}
	return nil
}

func (r runner) execRows(ctx context.Context, name string, rows int, args []any) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, failed(name, err)
	}
	ctx = r.db.uncancelled(ctx)
	res, err := func() (sql.Result, error) {
		if r.db.kind != SQLite {
			text, err := manyRows(r.db.queries[name], rows)
			if err != nil {
				return nil, err
			}
			return r.plain().ExecContext(ctx, text, args...)
		}
		stmt, err := r.statement(ctx, name, rows)
		if err != nil {
			return nil, err
		}
		return stmt.ExecContext(ctx, args...)
	}()
	if err != nil {
		return 0, failed(name, err)
	}
	n, err := res.RowsAffected()
	return n, failed(name, err)
}

// plain is where queries run as text.
func (r runner) plain() interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
} {
	if r.sqlTx != nil {
		return r.sqlTx
	}
	return r.db.pool(r.write)
}

func (db *DB) pool(write bool) *sql.DB {
	if write {
		return db.write
	}
	return db.read
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
