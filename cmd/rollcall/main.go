// Command rollcall is an XMPP server: rosters, presence, chat and history.
//
//	rollcall serve                  start it
//	rollcall sipgw --component      start the SIP side alone, for another XMPP server
//	rollcall account add NAME@HOST  let somebody in
//	rollcall session list           see who is connected
//	rollcall config check           find all mistakes in the configuration
//	rollcall doctor                 find what is wrong around it
//
// Each command has a --help with examples. The files here put the parts of the
// program together: serve.go builds them and stops them in reverse, features.go
// lists what the server can do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"rollcall/config"
)

// version is set by the linker: see the Makefile.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := root().ExecuteContext(ctx)
	stop()
	if err == nil {
		return
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintln(os.Stderr, "rollcall:", err)
	}
	os.Exit(1)
}

// errSaid ends the program with a failure that the user has been told of.
var errSaid = errors.New("already said")

// common is what all commands share.
type common struct {
	configFile string
}

// load reads the configuration.
func (c *common) load() (*config.Config, error) { return config.Load(c.configFile) }

// root makes the tree of commands.
func root() *cobra.Command {
	c := new(common)
	cmd := &cobra.Command{
		Use:   "rollcall",
		Short: "An XMPP server: who and what can respond right now?",
		Long: `Rollcall is an XMPP server: rosters, presence, chat and history for one
organisation, in one program with one file of configuration.

Without a file it runs with the defaults that "rollcall config show" prints: the
domain localhost, reachable from this machine only, everything kept in ./data.`,
		Example: `  rollcall serve --demo                 try it out, with three accounts
  rollcall account add ada@localhost    add an account; asks for the password
  rollcall doctor                       see what is wrong, and what to do`,
		Args:          nothing,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.PersistentFlags().StringVarP(&c.configFile, "config", "c", "", "the configuration `file`; without it the defaults hold")
	if err := cmd.MarkPersistentFlagFilename("config", "toml"); err != nil {
		panic(err) // the flag was made one line above
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath())
	})
	cmd.AddCommand(
		serveCommand(c), sipgwCommand(c), accountCommand(c), groupCommand(c), deviceCommand(c), stateCommand(c), explainCommand(c), journalCommand(c),
		sessionCommand(c), connectionCommand(c), announceCommand(c), motdCommand(c),
		shutdownCommand(c), auditCommand(c), directoryCommand(c), configCommand(c), migrateCommand(c),
		doctorCommand(c), versionCommand(), featuresCommand(),
	)
	return cmd
}

// wants checks for one argument and says what to type when it is not there.
func wants(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fmt.Errorf("%s wants %s; type: %s %s", cmd.Name(), what, cmd.CommandPath(), example)
	}
}

// nothing refuses arguments.
func nothing(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		said := fmt.Sprintf("there is no %q; see: %s --help", cmd.CommandPath()+" "+args[0], cmd.CommandPath())
		cmd.SuggestionsMinimumDistance = 2
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			said = fmt.Sprintf("there is no %q; did you mean: %s %s", cmd.CommandPath()+" "+args[0], cmd.CommandPath(), near[0])
		}
		return errors.New(said)
	}
	return fmt.Errorf("%s takes no arguments; type: %s", cmd.Name(), cmd.CommandPath())
}
