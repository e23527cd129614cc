package main

import (
	"github.com/spf13/cobra"

	"rollcall/internal/operator"
)

func directoryCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "directory",
		Short: "Bring accounts in line with the directory of people",
		Args:  nothing,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(directorySyncCommand(c))
	return cmd
}

func directorySyncCommand(c *common) *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Have the running server read the directory now",
		Long: `Have the running server read the directory now, as it does by itself from time
to time (directory.interval). Accounts are made for people who are new, and
people who are missing are logged out and cannot log in. If more are missing than
directory.vanish_percent allows, nobody is logged out unless you are sure.`,
		Example: `  rollcall directory sync
  rollcall directory sync --sure`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := operator.NewOrder("directory.sync")
			if sure {
				o.Values["sure"] = []string{"true"}
			}
			return c.order(cmd, o)
		},
	}
	cmd.Flags().BoolVar(&sure, "sure", false, "that so many people are missing is no mistake")
	return cmd
}
