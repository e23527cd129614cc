package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/config"
	"rollcall/internal/portable"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// imports are the flags of `account import`.
type imports struct {
	existing string
	domains  []string
	without  []string
	dry      bool
}

func accountImportCommand(c *common) *cobra.Command {
	var how imports
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Take accounts in from files that another server wrote",
		Long: `Take accounts in from files in the portable format of XEP-0227, as Prosody,
ejabberd and this server write it, or from standard input ("-"). A file may
include others of its directory. What nothing here is for is left out and counted,
what is wrong is told with its line. A file that is imported again adds nothing
twice.

An account that is here already is left as it is, unless --existing says merge, so
that it gets what it does not have (its password stays), or replace, so that what
the file says of it takes the place of what is here. Its clients are then
disconnected and come back by themselves.`,
		Example: `  rollcall account import --dry-run accounts.xml
  rollcall account import accounts.xml
  rollcall account import --domain old.example=example.org /root/from-prosody/*.xml
  rollcall account import --existing merge accounts.xml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%s wants files; type: %s accounts.xml", cmd.Name(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.importFiles(cmd, &how, args) },
	}
	cmd.Flags().StringVar(&how.existing, "existing", string(storage.Skip), "what becomes of accounts that are here already: `skip`, merge or replace")
	cmd.Flags().StringSliceVar(&how.domains, "domain", nil, "what a domain in the files is called here: `OLD=NEW`")
	cmd.Flags().StringSliceVar(&how.without, "without", nil, "leave out `sections`: "+strings.Join(portable.Sections(), ", "))
	cmd.Flags().BoolVar(&how.dry, "dry-run", false, "only say what would be done, and every problem")
	return cmd
}

// importFiles imports files one after another. One that is broken does not keep
// the others from being imported.
func (c *common) importFiles(cmd *cobra.Command, how *imports, files []string) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	options, err := how.options(cfg)
	if err != nil {
		return err
	}
	terms := storage.Terms{Existing: storage.Existing(how.existing), Dry: how.dry}
	if !slices.Contains([]storage.Existing{storage.Skip, storage.Merge, storage.Replace}, terms.Existing) {
		return fmt.Errorf("--existing is skip, merge or replace, and not %q", how.existing)
	}
	out := cmd.OutOrStdout()
	broken := 0
	var i *portable.Importer
	err = c.withMover(cmd.Context(), func(m mover) error {
		i = &portable.Importer{To: m, Terms: terms, Options: options, Each: told(out, how)}
		i.Notes.Say = func(p portable.Problem) { fmt.Fprintln(cmd.ErrOrStderr(), p) }
		warnReadable(cmd.ErrOrStderr(), files...)
		for _, file := range files {
			if err := i.File(cmd.Context(), file, cmd.InOrStdin()); err != nil {
				broken++
				fmt.Fprintln(cmd.ErrOrStderr(), err)
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if i != nil {
		summarize(out, i, how, cfg)
	}
	if err == nil && broken+i.Summary.Failed > 0 {
		return errSaid
	}
	return err
}

// options says how to read, as the configuration and the flags have it.
func (how *imports) options(cfg *config.Config) (portable.Options, error) {
	o := portable.Options{
		Domains: map[string]string{}, Without: how.without, Roster: cfg.Roster, Private: cfg.Private, Privacy: cfg.Privacy, PEP: cfg.PEP, MaxCard: cfg.VCard.MaxBytes, Now: time.Now(),
		Archive: cfg.Archive.Retention, Offline: cfg.Offline.MaxAge, NoArchive: !cfg.ArchiveEnabled, Ours: []string{},
	}
	for _, d := range cfg.Server.Domains {
		if !d.Anonymous {
			o.Ours = append(o.Ours, d.Name)
		}
	}
	for _, pair := range how.domains {
		old, fresh, found := strings.Cut(pair, "=")
		from, err1 := jid.Domain(old)
		to, err2 := jid.Domain(fresh)
		if !found || err1 != nil || err2 != nil {
			return o, fmt.Errorf("--domain %s: say which domain becomes which, as in --domain old.example=%s", pair, o.Ours[0])
		}
		o.Domains[from] = to
	}
	for _, name := range how.without {
		if !slices.Contains(portable.Sections(), name) {
			return o, fmt.Errorf("--without: there is no %q; there are %s", name, strings.Join(portable.Sections(), ", "))
		}
	}
	return o, nil
}

// told prints what is worth a line of its own: an account that is left as it is,
// and when nothing is done, what would be.
func told(w io.Writer, how *imports) func(jid.Bare, portable.Outcome) {
	return func(who jid.Bare, o portable.Outcome) {
		switch {
		case o.Skipped:
			fmt.Fprintf(w, "%s is here already and is left as it is\n", who)
		case !how.dry:
		case o.Made:
			fmt.Fprintf(w, "%s would be added\n", who)
		case o.Changed:
			fmt.Fprintf(w, "%s is here already and would be changed (%s)\n", who, how.existing)
		default:
			fmt.Fprintf(w, "%s is here already, with all of this\n", who)
		}
	}
}

// parts are what a summary counts, in this order.
var parts = []string{
	storage.PartPasswords, storage.PartContacts, storage.PartRequests, storage.PartVCards, storage.PartPrefs, storage.PartPrivate, storage.PartLists, storage.PartWaiting, storage.PartArchived,
}

// summarize says what came of all files.
func summarize(w io.Writer, i *portable.Importer, how *imports, cfg *config.Config) {
	s := &i.Summary
	would := ""
	if how.dry {
		would = "nothing was changed; it would be: "
	}
	fmt.Fprintf(w, "%saccounts: %d added, %d changed, %d as they were", would, s.Made, s.Changed, s.Same)
	if s.Skipped > 0 {
		fmt.Fprintf(w, ", %d left as they are (--existing merge or replace would change them)", s.Skipped)
	}
	if s.Failed > 0 {
		fmt.Fprintf(w, ", %d FAILED", s.Failed)
	}
	fmt.Fprintln(w)
	countLine(w, "added", s.Added)
	countLine(w, "here already", s.Known)
	for _, l := range i.Notes.Left() {
		fmt.Fprintf(w, "left out: %d %s, first at %s\n", l.Count, l.What, l.First)
	}
	if n := i.Notes.Problems; n > 0 {
		fmt.Fprintf(w, "problems: %d, see above\n", n)
	}
	advise(w, s.Lacking, cfg)
}

func countLine(w io.Writer, what string, counts map[string]int) {
	var list []string
	for _, part := range parts {
		if n := counts[part]; n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, part))
		}
	}
	if len(list) > 0 {
		fmt.Fprintf(w, "%s: %s\n", what, strings.Join(list, ", "))
	}
}

// advise says that clients which choose the best mechanism cannot log in to
// accounts that have no keys of it.
func advise(w io.Writer, lacking map[sasl.Hash]int, cfg *config.Config) {
	var names []string
	most := 0
	for _, h := range sasl.Hashes() {
		if n := lacking[h]; n > 0 && slices.Contains(cfg.C2S.Auth.Mechanisms, h.String()) {
			names, most = append(names, h.String()), max(most, n)
		}
	}
	if most > 0 {
		fmt.Fprintf(w, "passwords: %d of these accounts have no keys of %s: clients that choose it cannot log in to them.\n"+
			"Take it out of auth.mechanisms until these people have changed their passwords; rollcall doctor counts them.\n", most, strings.Join(names, " and "))
	}
}
