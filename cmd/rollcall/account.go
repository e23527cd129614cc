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
		Short: "Add, change, disable, remove, list and move accounts",
		Long: `Add, change, disable, remove, list and move accounts. This works while the
server runs: then the server does it, so that an account that is removed is gone
at once.`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		accountSetCommand(c, "add", "Add an account"),
		accountSetCommand(c, "passwd", "Change the password of an account"),
		accountCommandOn(c, "disable", "account.disable", "accountjids", "Bar an account from logging in",
			`Disconnect all clients of an account, and let nobody log in to it. Nothing that is
its own is lost, and messages to it are kept until it is enabled again.`),
		accountCommandOn(c, "enable", "account.enable", "accountjids", "Let an account log in again",
			"Let an account that was disabled log in again."),
		accountCommandOn(c, "remove", "account.remove", "accountjids", "Remove an account and everything that is its own",
			`Remove an account with its contacts, its archive and the messages that wait for
it. Its clients are disconnected. This cannot be undone.`),
		accountCommandOn(c, "show", "account.show", "accountjid", "Show what there is to know about an account",
			`Show when an account was made and last logged in to, whether it is disabled, how
many contacts it has, how many messages wait for it, and which of its clients are
online.`),
		accountCommandOn(c, "roster", "account.roster", "accountjids", "List the contacts of an account",
			"List the contacts of an account, with the subscription that it has to each."),
		accountListCommand(c), accountCountCommand(c),
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

// accountCommandOn makes a command that carries out an operation on one account.
func accountCommandOn(c *common, name, operation, field, short, long string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " ADDRESS",
		Short:   short,
		Long:    long,
		Example: "  rollcall account " + name + " ada@example.org",
		Args:    wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			return c.order(cmd, operator.NewOrder(operation, field, string(who)))
		},
	}
}

func accountListCommand(c *common) *cobra.Command {
	var look table
	var disabled, online bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Long: `List the accounts in the order of their addresses: when each was made, when
somebody last logged in to it, how many clients are connected, and whether it is
disabled or an administrator's.`,
		Example: `  rollcall account list
  rollcall account list --disabled`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			name := "account.list"
			switch {
			case disabled:
				name = "account.list-disabled"
			case online:
				name = "account.list-online"
			}
			return c.list(cmd, operator.NewOrder(name), look)
		},
	}
	look.flags(cmd, -1)
	cmd.Flags().BoolVar(&disabled, "disabled", false, "only those that are disabled")
	cmd.Flags().BoolVar(&online, "online", false, "only those that have a client connected")
	cmd.MarkFlagsMutuallyExclusive("disabled", "online")
	return cmd
}

func accountCountCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "count",
		Short:   "Count the accounts, and who is online",
		Example: "  rollcall account count",
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.order(cmd, operator.NewOrder("account.count"))
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
