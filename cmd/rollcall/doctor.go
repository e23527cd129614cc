package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"rollcall/config"
)

// verdict is how serious a finding is.
type verdict string

const (
	good verdict = "ok"
	note verdict = "note" // worth knowing; nothing has to be done
	bad  verdict = "bad"  // something has to be done
)

// finding is one thing that a check found out.
type finding struct {
	verdict verdict
	about   string // "ports"
	what    string
	todo    string // what to do about it
}

// resolver asks DNS.
type resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// patient is what the doctor looks at.
type patient struct {
	cfg        *config.Config
	configFile string
	server     *status // of the server that runs on it; nil if none does
	now        time.Time
	dns        resolver
}

// checks are all checks, in the order of the report.
var checks = []func(context.Context, *patient) []finding{
	checkFiles, checkPorts, checkCertificates, checkDatabase, checkRegistration, checkDirectory, checkDNS, checkClock,
}

func doctorCommand(c *common) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong around the server, and what to do about it",
		Long: `Look at everything that the server depends on: the configuration, files and
their modes, ports, certificates, the database, the directory of people, DNS
records, the clock. Nothing is changed. It ends with an error if something has to be done.`,
		Example: `  rollcall doctor
  rollcall doctor --config /etc/rollcall.toml`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			p := &patient{cfg: cfg, configFile: c.configFile, now: time.Now(), dns: net.DefaultResolver}
			server, err := running(cmd.Context(), cfg.ControlSocket())
			findings := []finding{{good, "server", "none is running on " + cfg.DataDir, ""}}
			switch {
			case err != nil:
				findings[0] = finding{bad, "server", err.Error(), "run this as the server's own user"}
			case server != nil:
				if s, err := server.Status(cmd.Context()); err == nil {
					p.server = &s
					findings[0].what = fmt.Sprintf("version %s is running, pid %d, since %s", s.Version, s.PID, s.Started.Format(time.DateTime))
				}
			}
			for _, check := range checks {
				findings = append(findings, check(cmd.Context(), p)...)
			}
			return report(cmd.OutOrStdout(), findings)
		},
	}
}

// report prints findings. It returns errSaid if something has to be done.
func report(w io.Writer, findings []finding) error {
	todo := 0
	for _, f := range findings {
		if _, err := fmt.Fprintf(w, "%-5s %-13s %s\n", f.verdict, f.about, f.what); err != nil {
			return err
		}
		if f.todo != "" {
			fmt.Fprintf(w, "%-5s %-13s → %s\n", "", "", f.todo)
		}
		if f.verdict == bad {
			todo++
		}
	}
	if todo > 0 {
		fmt.Fprintf(w, "\n%d of these have to be seen to.\n", todo)
		return errSaid
	}
	fmt.Fprintln(w, "\nNothing has to be done.")
	return nil
}
