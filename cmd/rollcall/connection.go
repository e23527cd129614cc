package main

import (
	"github.com/spf13/cobra"

	"rollcall/internal/operator"
)

func connectionCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "connection",
		Short: "See the connections of clients, and close them",
		Args:  nothing,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(connectionListCommand(c), connectionKillCommand(c))
	return cmd
}

func connectionListCommand(c *common) *cobra.Command {
	var look table
	var address string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the connections of clients, those that are not logged in included",
		Long: `List the connections to the running server, the oldest first: their numbers, where
they come from and to, since when, how they are encrypted, how their clients
logged in and how far they have come, whose they are, how many bytes came and
went, and for how long nothing was heard of them.`,
		Example: `  rollcall connection list
  rollcall connection list --address 192.0.2.0/24`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.list(cmd, operator.NewOrder("connection.list", "address", address), look)
		},
	}
	look.flags(cmd, -1)
	cmd.Flags().StringVar(&address, "address", "", "only those from this `address` or network")
	return cmd
}

func connectionKillCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "kill NUMBER",
		Short: "Close one connection",
		Long: `Close one connection, by the number that it has in the list. A client that was
logged in is logged out, and can log in again; to prevent that see:
rollcall account disable --help.`,
		Example: `  rollcall connection kill 4711`,
		Args:    wants("one number", "4711"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.order(cmd, operator.NewOrder("connection.kill", "number", args[0]))
		},
	}
}
