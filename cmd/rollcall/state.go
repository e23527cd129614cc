package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
)

func stateCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Set and see the states of people and devices",
		Long: `Set states by hand: of people who cannot do it themselves just now, and of devices
that are being repaired. A state that is set ends by itself. People set their own
from their clients: in a chat with the server, or by a command of their client.`,
		Example: `  rollcall state set door-12@phones.example.org maintenance --until 15:00
  rollcall state set ada@example.org off_duty --for 8h
  rollcall state clear ada@example.org
  rollcall explain ada@example.org       why she is seen as she is`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(stateSetCommand(c), stateClearCommand(c), stateShowCommand(c), stateListCommand(c), stateNamesCommand(c))
	return cmd
}

func stateSetCommand(c *common) *cobra.Command {
	var length, until, text string
	cmd := &cobra.Command{
		Use:   "set ADDRESS STATE",
		Short: "Set the state of a person or a device",
		Long: `Set the state of a person or a device, in place of what was set by hand before. It
ends after a time that the state has by itself, unless --for or --until say
otherwise; a maintenance has none. A person is told.`,
		Example: `  rollcall state set door-12@phones.example.org maintenance --until 15:00 --text "new lock"
  rollcall state set ada@example.org off_duty --for 8h`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return fmt.Errorf("set wants an address and a state; type: %s ada@example.org break --for 20m; to see the states: rollcall state names", cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			o := operator.NewOrder("state.set", "subject", string(who), "state", args[1], "for", length, "until", until, "text", text)
			return c.order(cmd, o)
		},
	}
	cmd.Flags().StringVar(&length, "for", "", "for how long: 20m, 2h, 3d")
	cmd.Flags().StringVar(&until, "until", "", "until when: 15:00, or 2026-01-31T15:00")
	cmd.Flags().StringVar(&text, "text", "", "what it is about, in words")
	cmd.MarkFlagsMutuallyExclusive("for", "until")
	return cmd
}

func stateClearCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "clear ADDRESS",
		Short: "Take away what was set by hand of a person or a device",
		Long: `Take away what was set by hand of a person or a device, whoever set it. What is
known of them besides is seen again; a person is told.`,
		Example: "  rollcall state clear ada@example.org",
		Args:    wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			return c.order(cmd, operator.NewOrder("state.clear", "subject", string(who)))
		},
	}
}

func stateShowCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "show ADDRESS",
		Short:   "See the state of a person or a device, and what is set by hand",
		Example: "  rollcall state show ada@example.org",
		Args:    wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			return c.order(cmd, operator.NewOrder("state.show", "subject", string(who)))
		},
	}
}

func stateListCommand(c *common) *cobra.Command {
	var look table
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List all that is set by hand",
		Example: "  rollcall state list",
		Args:    nothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.list(cmd, operator.NewOrder("state.list"), look) },
	}
	look.flags(cmd, -1)
	return cmd
}

func stateNamesCommand(c *common) *cobra.Command {
	var look table
	var devices bool
	cmd := &cobra.Command{
		Use:   "names",
		Short: "List the states that can be set, and for how long",
		Example: `  rollcall state names
  rollcall state names --devices`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind := "person"
			if devices {
				kind = "device"
			}
			return c.list(cmd, operator.NewOrder("state.names", "kind", kind), look)
		},
	}
	cmd.Flags().BoolVar(&devices, "devices", false, "those of devices")
	look.flags(cmd, -1)
	return cmd
}

func explainCommand(c *common) *cobra.Command {
	var machine bool
	cmd := &cobra.Command{
		Use:   "explain ADDRESS",
		Short: "See why a person or a device is in a state",
		Long: `See why a person or a device is in a state: what each source says of them, since
when and until when, what of that counts and which wins, and what each level of
watchers sees of it.`,
		Example: `  rollcall explain ada@example.org
  rollcall explain ada@example.org --json`,
		Args: wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			return c.withDesk(cmd.Context(), func(d desk) error {
				a, err := d.Do(cmd.Context(), operator.NewOrder("explain", "subject", string(who)))
				if err != nil {
					return err
				}
				return printExplanation(cmd, a, machine)
			})
		},
	}
	cmd.Flags().BoolVar(&machine, "json", false, "for programs, as JSON")
	return cmd
}

func printExplanation(cmd *cobra.Command, a operator.Answer, machine bool) error {
	if machine {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(a.Detail)
	}
	for _, f := range a.Facts {
		fmt.Fprintln(cmd.OutOrStdout(), strings.Join(f.Values, "\n"))
	}
	return nil
}

func journalCommand(c *common) *cobra.Command {
	var look table
	var since string
	var calls bool
	cmd := &cobra.Command{
		Use:   "journal ADDRESS",
		Short: "See in which states a person or a device was, or which calls there were, the newest first",
		Long: `See when a person or a device changed from which state to which, and by whose word;
what people wrote is not kept. With --calls, see the calls that went through this
server and are over: of which device, with whom, for how long it rang and lasted, and
how it ended. "audit" and "reboot" are calls whose end nobody told.`,
		Example: `  rollcall journal ada@example.org --since 24h
  rollcall journal door-12@phones.example.org --since 2026-01-31
  rollcall journal ada@example.org --calls`,
		Args: wants("one address", "ada@example.org"),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := person(cmd, args[0])
			if err != nil {
				return err
			}
			o := operator.NewOrder("journal.list", "subject", string(who))
			if calls {
				o.Name = "journal.calls"
			}
			if since != "" {
				at, err := ago(since, time.Now())
				if err != nil {
					return fmt.Errorf("%w; type: %s %s --since 24h", err, cmd.CommandPath(), who)
				}
				o.Values["since"] = []string{at.UTC().Format(time.RFC3339)}
			}
			return c.list(cmd, o, look)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "only since then: 90m, 24h, 7d, or 2026-01-31")
	cmd.Flags().BoolVar(&calls, "calls", false, "the calls that are over, in place of states")
	look.flags(cmd, 100)
	return cmd
}
