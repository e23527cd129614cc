package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func serveCommand(c *common) *cobra.Command {
	var withDemo bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Start the server and run until SIGTERM or SIGINT. Then it stops in good order,
within server.shutdown_deadline. SIGHUP reads the configuration again: what can
change while running does, and the log says what waits for a restart.`,
		Example: `  rollcall serve --demo                        try it out, with three accounts
  rollcall serve --config /etc/rollcall.toml`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			log, level := newLog(cmd.ErrOrStderr(), cfg.Log)
			p, err := build(cmd.Context(), cfg, log)
			if err != nil {
				return err
			}
			p.level, p.reread, p.out = level, c.load, cmd.OutOrStdout()
			if withDemo {
				if err := p.addDemo(cmd.Context()); err != nil {
					return errors.Join(err, p.close())
				}
			}
			return p.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&withDemo, "demo", false, "make three accounts who know each other, and show how to log in to them; on this machine only")
	return cmd
}
