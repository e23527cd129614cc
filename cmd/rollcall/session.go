package main

import (
	"github.com/spf13/cobra"

	"rollcall/internal/operator"
	"rollcall/xmpp/jid"
)

func sessionCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "See who is connected, and disconnect clients",
		Args:  nothing,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(sessionListCommand(c), sessionKillCommand(c))
	return cmd
}

func sessionListCommand(c *common) *cobra.Command {
	var look table
	cmd := &cobra.Command{
		Use:   "list [ADDRESS]",
		Short: "List who is connected: from where, since when, and how",
		Long: `List who is connected to the running server, or only the clients of one account:
the address they come from, since when, how the connection is encrypted, how
they logged in, for how long nothing was heard of them, and what they say of
themselves. Clients whose connection is lost and that may come back are listed,
too.`,
		Example: `  rollcall session list
  rollcall session list ada@example.org`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := operator.NewOrder("session.list")
			if len(args) == 1 {
				who, err := person(cmd, args[0])
				if err != nil {
					return err
				}
				o.Values["accountjid"] = []string{string(who)}
			}
			return c.list(cmd, o, look)
		},
	}
	look.flags(cmd, -1)
	return cmd
}

func sessionKillCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "kill ADDRESS",
		Short: "Disconnect one client, or all of an account",
		Long: `Disconnect one client, whose address has a resource, or all of an account. They
can log in again; to prevent that see: rollcall account disable --help.`,
		Example: `  rollcall session kill ada@example.org/desk
  rollcall session kill ada@example.org`,
		Args: wants("one address", "ada@example.org/desk"),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := jid.Parse(args[0])
			if err != nil || j.Local() == "" {
				_, err := person(cmd, args[0]) // which knows what is wrong
				return err
			}
			return c.order(cmd, operator.NewOrder("session.kill", "accountjids", j.String()))
		},
	}
}
