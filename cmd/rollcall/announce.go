package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
	"rollcall/server/features/announcements"
)

func announceCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "announce TEXT",
		Short: "Send an announcement to everybody who is online",
		Long: `Send an announcement to everybody who is online. Whoever is not does not get it
later; for that see: rollcall motd --help. With - for TEXT it is read from
standard input.`,
		Example: `  rollcall announce "The lift is out of order."
  rollcall announce - < notice.txt`,
		Args: wants("one text", `"The lift is out of order."`),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := textOf(cmd, args[0])
			if err != nil {
				return err
			}
			return c.order(cmd, orderOf("announce", "announcement", text))
		},
	}
}

// orderOf is an order with a text of several lines.
func orderOf(name, field, text string) operator.Order {
	o := operator.NewOrder(name)
	o.Values[field] = strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	return o
}

// textOf returns an argument, or what is on standard input if that is "-".
func textOf(cmd *cobra.Command, arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), announcements.MaxBytes+1))
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), nil
}

func motdCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "motd",
		Short: "Set, show or remove the message of the day",
		Long: `The message of the day is shown to everybody who is online when it is set, and
from then on to everybody once a day, when they come online, until it is removed.`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(motdSetCommand(c),
		&cobra.Command{
			Use: "show", Short: "Show the message of the day", Example: "  rollcall motd show", Args: nothing,
			RunE: func(cmd *cobra.Command, _ []string) error { return c.order(cmd, operator.NewOrder("motd.show")) },
		},
		&cobra.Command{
			Use: "delete", Short: "Remove the message of the day", Example: "  rollcall motd delete", Args: nothing,
			RunE: func(cmd *cobra.Command, _ []string) error { return c.order(cmd, operator.NewOrder("motd.delete")) },
		},
	)
	return cmd
}

func motdSetCommand(c *common) *cobra.Command {
	var correct bool
	cmd := &cobra.Command{
		Use:   "set TEXT",
		Short: "Set the message of the day",
		Long:  `With - for TEXT it is read from standard input.`,
		Example: `  rollcall motd set "Network maintenance on Friday from 20:00."
  rollcall motd set - < notice.txt
  rollcall motd set --correct "Network maintenance on Friday from 21:00."`,
		Args: wants("one text", `"Network maintenance on Friday."`),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := textOf(cmd, args[0])
			if err != nil {
				return err
			}
			name := "motd.set"
			if correct {
				name = "motd.edit"
			}
			return c.order(cmd, orderOf(name, "motd", text))
		},
	}
	cmd.Flags().BoolVar(&correct, "correct", false, "change the text, and do not show it again today to who has seen it")
	return cmd
}
