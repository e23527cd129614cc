package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/config"
	"rollcall/internal/assembly"
	"rollcall/server"
)

// featuresCommand prints the README's table.
func featuresCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "features",
		Short:   "Print what this server can do, as the README has it",
		Example: "  rollcall features",
		Args:    nothing,
		Hidden:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			infos, err := assembly.Infos(config.Default())
			if err != nil {
				return err
			}
			return printFeatures(cmd.OutOrStdout(), infos)
		},
	}
}

// printFeatures prints a Markdown table.
func printFeatures(w io.Writer, list []server.Info) error {
	var b strings.Builder
	b.WriteString("| What you get | Specifications | In |\n|---|---|---|\n")
	for _, info := range list {
		specs := make([]string, len(info.Specs))
		for i, s := range info.Specs {
			specs[i] = s.ID
			if s.Note != "" {
				specs[i] += " (" + s.Note + ")"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` |\n", info.Title, strings.Join(specs, ", "), info.Name)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
