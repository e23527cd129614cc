package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
	"rollcall/xmpp/jid"
)

func accountCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Add, change, remove, list and move accounts",
		Long: `Add, change, remove, list and move accounts. This works while the server runs: then
the server does it, so that an account that is removed is gone at once.`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		accountSetCommand(c, "add", "Add an account"),
		accountSetCommand(c, "passwd", "Change the password of an account"),
		accountRemoveCommand(c), accountListCommand(c),
		accountExportCommand(c), accountImportCommand(c),
	)
	return cmd
}

// accountSetCommand makes `account add` and `account passwd`.
func accountSetCommand(c *common, name, short string) *cobra.Command {
	var from secret
	cmd := &cobra.Command{
		Use:   name + " ADDRESS",
		Short: short,
		Long: `The password is asked for at the terminal, read from standard input, or made up
and printed. It cannot be an argument: others on this machine could read it.`,
		Example: fmt.Sprintf(`  rollcall account %[1]s ada@example.org
  rollcall account %[1]s ada@example.org --generate
  rollcall account %[1]s ada@example.org --password-stdin < password.txt`, name),
		Args: wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			return c.withDesk(cmd.Context(), func(d desk) error {
				password, err := from.read(cmd, string(who))
				if err != nil {
					return err
				}
				o := operator.NewOrder("account."+name, "accountjid", string(who), "password", password)
				if !from.generate {
					return carryOut(cmd, d, o)
				}
				if _, err := d.Do(cmd.Context(), o); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", who, password)
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
			return c.order(cmd, operator.NewOrder("account.remove", "accountjids", string(who)))
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
			return c.order(cmd, operator.NewOrder("account.list"))
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
