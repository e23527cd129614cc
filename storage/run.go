package storage

import (
	"context"
	"database/sql"
	"errors"
)

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
	var sqlTx *sql.Tx
	err = db.again(func() (err error) {
		sqlTx, err = db.write.BeginTx(db.uncancelled(ctx), nil)
		return err
	})
	if err != nil {
		return failed(what, err)
	}
	defer sqlTx.Rollback() // after Commit this does nothing
	if err := do(&tx{runner{db: db, write: true, sqlTx: sqlTx}}); err != nil {
		return err
	}
	return failed(what, sqlTx.Commit())
}

// again runs do, and once more if it met a connection that had broken while it
// was idle. It is for what does no harm when done twice.
func (db *DB) again(do func() error) error {
	err := do()
	if db.kind != Postgres || kindOf(err) != ErrUnavailable {
		return err
	}
	// When one connection broke the others most likely did too.
	db.write.SetMaxIdleConns(0)
	db.write.SetMaxIdleConns(db.conns)
	return do()
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
	if r.db.kind == SQLite {
		ctx = r.db.uncancelled(ctx)
		stmt, err := r.statement(ctx, name, 1)
		if err != nil {
			return nil, failed(name, err)
		}
		rows, err := stmt.QueryContext(ctx, args...)
		return rows, failed(name, err)
	}
	var rows *sql.Rows
	ask := func() (err error) {
		rows, err = r.plain().QueryContext(ctx, r.db.queries[name], args...)
		return err
	}
	if r.write {
		err := ask()
		return rows, failed(name, err)
	}
	err := r.db.again(ask)
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
