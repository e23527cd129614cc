package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/config"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/server/features/archive"
	"rollcall/server/features/availability"
	"rollcall/server/features/carbons"
	"rollcall/server/features/contacts"
	"rollcall/server/features/disco"
	"rollcall/server/features/entitytime"
	"rollcall/server/features/offline"
	"rollcall/server/features/ping"
	"rollcall/server/features/register"
	"rollcall/server/features/vcard"
	softwareversion "rollcall/server/features/version"
	"rollcall/storage"
)

// parts are what features are made of.
type parts struct {
	cfg          *config.Config
	streams      *c2s.Server
	registration *register.Feature
	db           *storage.DB
	book         *roster.Book
	accounts     *accounts
	writer       *storage.Writer
	offline      *offline.Feature
	archiveIDs   *archive.IDs
}

// features is THE LIST: everything that the server can do. Handlers of the same
// phase run in this order.
func features(p *parts) []server.Feature {
	there := availability.New(p.book)
	list := contacts.New(p.book, there)
	there.OnAvailable(list.Redeliver)
	there.OnWilling(p.offline.Deliver)
	all := []server.Feature{p.streams, list, there}
	if p.cfg.ArchiveEnabled {
		kept := p.db.Archive(p.writer)
		all = append(all, archive.New(p.cfg.Archive, archive.Parts{
			Store: kept, Book: kept, Sweeper: kept, Contacts: p.book, IDs: p.archiveIDs,
		}))
	}
	return append(all,
		p.offline,
		carbons.New(),
		disco.New(p.book),
		ping.New(),
		entitytime.New(),
		softwareversion.New(""), // nobody has to know the operating system
		vcard.New(p.db.VCards(), p.cfg.VCard),
		p.registration,
	)
}

// featuresCommand prints the README's table.
func featuresCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "features",
		Short:   "Print what this server can do, as the README has it",
		Example: "  rollcall features",
		Args:    nothing,
		Hidden:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := config.Default()
			streams, err := c2s.New(c2s.Options{Config: cfg.C2S})
			if err != nil {
				return err
			}
			return printFeatures(cmd.OutOrStdout(), features(&parts{cfg: cfg, streams: streams}))
		},
	}
}

// printFeatures prints a Markdown table.
func printFeatures(w io.Writer, list []server.Feature) error {
	var b strings.Builder
	b.WriteString("| What you get | Specifications | In |\n|---|---|---|\n")
	for _, f := range list {
		info := f.Info()
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
