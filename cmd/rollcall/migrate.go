package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rollcall/migrations"
)

func migrateCommand(c *common) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this program's version",
		Long: `Bring the tables of the database to the version that this program needs. The
server does the same when it starts; this is for doing it beforehand. There is
no way back: make a copy of the database first.`,
		Example: `  rollcall migrate --dry-run    what would be done
  rollcall migrate`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			db, err := openDatabase(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			step, verb := db.Migrate, "applied"
			if dry {
				step, verb = db.Pending, "would apply"
			}
			list, err := step(cmd.Context())
			if err != nil {
				return err
			}
			return printMigrations(cmd, verb, list)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would be done, and do nothing")
	return cmd
}

func printMigrations(cmd *cobra.Command, verb string, list []migrations.Migration) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "the database is up to date")
		return err
	}
	for _, m := range list {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %04d_%s\n", verb, m.Version, m.Name); err != nil {
			return err
		}
	}
	return nil
}
