package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rollcall/config"
	"rollcall/internal/assembly"
	"rollcall/internal/operator"
	"rollcall/storage"
)

// desk is where the orders of the command line are carried out: in the database
// itself, or by the server that is running on it.
type desk interface {
	Do(context.Context, operator.Order) (operator.Answer, error)
}

// direct carries orders out in the database. Nobody else is there.
type direct struct{ *operator.Desk }

// Do implements desk.
func (l direct) Do(ctx context.Context, o operator.Order) (operator.Answer, error) {
	return l.Desk.Do(ctx, localUser(os.Getuid(), "command line"), o)
}

// localUser is who asks, as far as is known, in the notes of what was done.
func localUser(uid int, how string) operator.Actor {
	a := operator.Actor{Name: "somebody at this machine", Origin: how}
	if uid >= 0 {
		a.Name = fmt.Sprintf("uid %d", uid)
	}
	return a
}

// withDesk calls f with the desk of the server that is running on the configured
// data directory, or else with one for the database.
func (c *common) withDesk(ctx context.Context, f func(desk) error) error {
	return c.withEither(ctx, func(r *remote) error { return f(r) }, func(d *operator.Desk, _ *storage.DB, _ *config.Config) error {
		return f(direct{d})
	})
}

// withMover calls f with who carries accounts in and out: the server that is
// running, or else the program itself.
func (c *common) withMover(ctx context.Context, f func(mover) error) error {
	return c.withEither(ctx, func(r *remote) error { return f(r) }, func(d *operator.Desk, db *storage.DB, cfg *config.Config) error {
		ids, err := assembly.ArchiveIDs(ctx, db)
		if err != nil {
			return err
		}
		return f(directMover{d.Mover(db.Portable(nil, cfg.Roster), ids)})
	})
}

// withEither calls there if a server is running on the configured data directory,
// and here if none is.
func (c *common) withEither(ctx context.Context, there func(*remote) error, here func(*operator.Desk, *storage.DB, *config.Config) error) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	server, err := running(ctx, cfg.ControlSocket())
	if err != nil {
		return err
	}
	if server != nil {
		return hint(there(server))
	}
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	return hint(here(operator.New(operator.Parts{DB: db, Config: cfg}), db, cfg))
}

// order carries out one order and prints what came of it.
func (c *common) order(cmd *cobra.Command, o operator.Order) error {
	return c.withDesk(cmd.Context(), func(d desk) error { return carryOut(cmd, d, o) })
}

// carryOut carries out one order and prints what came of it, all pages.
func carryOut(cmd *cobra.Command, d desk, o operator.Order) error {
	return carryOutTable(cmd, d, o, table{limit: -1})
}

// list carries out an order whose answer is a list.
func (c *common) list(cmd *cobra.Command, o operator.Order, t table) error {
	return c.withDesk(cmd.Context(), func(d desk) error { return carryOutTable(cmd, d, o, t) })
}

// hint adds what to type to an error that people can do something about.
func hint(err error) error {
	var e *operator.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Reason {
	case operator.Exists:
		return fmt.Errorf("%w; to change the password type: rollcall account passwd %s", err, e.Subject)
	case operator.NoAccount:
		return fmt.Errorf("%w; to see those there are type: rollcall account list", err)
	case operator.NoSubject:
		return fmt.Errorf("%w; to see the accounts type: rollcall account list", err)
	case operator.NotOurs:
		return fmt.Errorf("%w (server.domains in the configuration)", err)
	case operator.NoGroup:
		return fmt.Errorf("%w; to see those there are type: rollcall group list", err)
	case operator.GroupExists:
		return fmt.Errorf("%w; to change it type: rollcall group set --help", err)
	case operator.NoDevice:
		return fmt.Errorf("%w; to see those there are type: rollcall device list", err)
	case operator.DeviceExists:
		return fmt.Errorf("%w; to change it type: rollcall device set --help", err)
	case operator.NoSession:
		return fmt.Errorf("%w; to see who is type: rollcall session list %s", err, e.Subject)
	case operator.NoConnection:
		return fmt.Errorf("%w; to see those there are type: rollcall connection list", err)
	case operator.NotLive:
		return fmt.Errorf("%w; start it with: rollcall serve", err)
	}
	return err
}

// openDatabase opens the configured database, and makes the data directory if
// it is missing.
func openDatabase(ctx context.Context, cfg *config.Config) (*storage.DB, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w; see server.data_dir in the configuration", err)
	}
	where := cfg.Storage
	where.Path = cfg.DatabasePath()
	return storage.Open(ctx, where)
}
