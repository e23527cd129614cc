package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"rollcall/config"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

func accountCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Add, change, remove and list accounts",
		Long: `Add, change, remove and list accounts. This works while the server runs: then
the server does it, so that an account that is removed is gone at once.`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		accountSetCommand(c, add), accountSetCommand(c, passwd),
		accountRemoveCommand(c), accountListCommand(c),
	)
	return cmd
}

// accountSetCommand makes `account add` and `account passwd`.
func accountSetCommand(c *common, what action) *cobra.Command {
	var from secret
	cmd := &cobra.Command{
		Use:   string(what) + " ADDRESS",
		Short: map[action]string{add: "Add an account", passwd: "Change the password of an account"}[what],
		Long: `The password is asked for at the terminal, read from standard input, or made up
and printed. It cannot be an argument: others on this machine could read it.`,
		Example: fmt.Sprintf(`  rollcall account %[1]s ada@example.org
  rollcall account %[1]s ada@example.org --generate
  rollcall account %[1]s ada@example.org --password-stdin < password.txt`, what),
		Args: wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			return c.withLedger(cmd.Context(), func(l ledger) error {
				password, err := from.read(cmd, string(who))
				if err != nil {
					return err
				}
				if err := l.Change(cmd.Context(), change{what, who, password}); err != nil {
					return err
				}
				if from.generate {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", who, password)
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), map[action]string{add: "added ", passwd: "changed the password of "}[what]+string(who))
				return err
			})
		},
	}
	from.flags(cmd)
	return cmd
}

func accountRemoveCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "remove ADDRESS",
		Short: "Remove an account and everything that is its own",
		Long: `Remove an account with its contacts, its archive and the messages that wait for
it. Its clients are disconnected. This cannot be undone.`,
		Example: "  rollcall account remove ada@example.org",
		Args:    wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			return c.withLedger(cmd.Context(), func(l ledger) error {
				if err := l.Change(cmd.Context(), change{Action: remove, JID: who}); err != nil {
					return err
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "removed", who)
				return err
			})
		},
	}
}

func accountListCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the accounts",
		Example: "  rollcall account list",
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withLedger(cmd.Context(), func(l ledger) error {
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
				var after jid.Bare
				for {
					page, err := l.List(cmd.Context(), after, controlPage)
					if err != nil {
						return err
					}
					for _, a := range page {
						note := ""
						if a.Disabled {
							note = "disabled"
						}
						fmt.Fprintf(w, "%s\t%s\t%s\n", a.JID, a.Created.Format(time.DateOnly), note)
						after = a.JID
					}
					if len(page) < controlPage {
						return w.Flush()
					}
				}
			})
		},
	}
}

// person reads the address of an account.
func person(cmd *cobra.Command, s string) (jid.Bare, error) {
	j, err := jid.Parse(s)
	switch {
	case err != nil:
		return "", fmt.Errorf("%q is no address: %w; type: %s ada@example.org", s, err, cmd.CommandPath())
	case j.Local() == "":
		return "", fmt.Errorf("%q has no name before a domain; type: %s %s@localhost, or what your domain is", s, cmd.CommandPath(), s)
	case j.IsFull():
		return "", fmt.Errorf("%q names one client; type: %s %s", s, cmd.CommandPath(), j.Bare())
	}
	return j.Bare(), nil
}

// withLedger calls f with the accounts: those of the server that is running on
// the configured data directory, or else those in the database.
func (c *common) withLedger(ctx context.Context, f func(ledger) error) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	server, err := running(ctx, cfg.ControlSocket())
	if err != nil {
		return err
	}
	if server != nil {
		return f(server)
	}
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	return f(newAccounts(db, cfg))
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
