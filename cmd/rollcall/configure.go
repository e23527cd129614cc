package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/config"
)

func configCommand(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check or show the configuration",
		Args:  nothing,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(configCheckCommand(c), configShowCommand(c))
	return cmd
}

func configCheckCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Find every problem in the configuration at once",
		Example: `  rollcall config check --config rollcall.toml
  rollcall config check -c rollcall.toml && kill -HUP $(pidof rollcall)`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			name := c.configFile
			if name == "" {
				name = "the built-in configuration"
			}
			live, restart := config.Diff(config.Default(), cfg)
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is right; %d keys differ from the defaults\n", name, len(live)+len(restart))
			return err
		},
	}
}

func configShowCommand(c *common) *cobra.Command {
	var values bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the configuration that is in force",
		Long: `Without --config it prints the defaults with the manual: a file to start from.
With --config, or with --values, it prints the value of every key, those that
the file does not mention too. Passwords of databases are never shown.`,
		Example: `  rollcall config show > rollcall.toml
  rollcall config show --config rollcall.toml`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			text := cfg.String()
			if c.configFile == "" && !values {
				text = config.Manual()
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.Flags().BoolVar(&values, "values", false, "the values only, without the manual")
	return cmd
}
