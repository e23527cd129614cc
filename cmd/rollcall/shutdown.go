package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
)

func shutdownCommand(c *common) *cobra.Command {
	var in time.Duration
	var message string
	var cancel bool
	cmd := &cobra.Command{
		Use:   "shutdown",
		Short: "Stop the running server, now or later, and tell everybody",
		Long: `Stop the running server in good order, as SIGTERM does. With --in everybody who is
online is told beforehand. What brings the server back, if anything, is for the
system to say: the program ends as one that has done its work.`,
		Example: `  rollcall shutdown --in 5m
  rollcall shutdown --in 1h --message "We are moving to a new machine. Back at 20:00."
  rollcall shutdown --cancel`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cancel {
				return c.order(cmd, operator.NewOrder("shutdown.cancel"))
			}
			if in < 0 || in%time.Second != 0 {
				return errors.New("--in has whole seconds, such as 90s, 5m or 1h")
			}
			o := operator.NewOrder("shutdown", "delay", strconv.Itoa(int(in/time.Second)))
			if message != "" {
				o.Values["announcement"] = strings.Split(message, "\n")
			}
			return c.order(cmd, o)
		},
	}
	cmd.Flags().DurationVar(&in, "in", 0, "how long to wait, such as 90s, 5m or 1h")
	cmd.Flags().StringVar(&message, "message", "", "what to say to everybody who is online, in place of a sentence about the time")
	cmd.Flags().BoolVar(&cancel, "cancel", false, "take back a shutdown that was ordered")
	cmd.MarkFlagsMutuallyExclusive("cancel", "in")
	cmd.MarkFlagsMutuallyExclusive("cancel", "message")
	return cmd
}
