package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
)

func auditCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "See who did what",
		Args:  nothing,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(auditListCommand(c))
	return cmd
}

func auditListCommand(c *common) *cobra.Command {
	var look table
	var since, by string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what was done to accounts and to the server, the newest first",
		Long: `List what administrators did, from a client or from this machine, what people did
to their own accounts, and who tried what is for administrators only.`,
		Example: `  rollcall audit list --since 24h
  rollcall audit list --since 2026-01-31 --by ada@example.org
  rollcall audit list --by "uid 0" --limit 500`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := operator.NewOrder("audit.list")
			if since != "" {
				at, err := ago(since, time.Now())
				if err != nil {
					return fmt.Errorf("%w; type: %s --since 24h", err, cmd.CommandPath())
				}
				o.Values["since"] = []string{at.UTC().Format(time.RFC3339)}
			}
			if by != "" {
				o.Values["by"] = []string{by}
			}
			return c.list(cmd, o, look)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "only what was done since then: 90m, 24h, 7d, or 2026-01-31")
	cmd.Flags().StringVar(&by, "by", "", "only what they did: the address of an account or of one client, or a user such as \"uid 0\"")
	look.flags(cmd, 100)
	return cmd
}

// ago reads a time as people type it: how long ago, or a day.
func ago(s string, now time.Time) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return day, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time", s)
}
