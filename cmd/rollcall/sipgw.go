package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rollcall/config"
	"rollcall/internal/assembly"
	"rollcall/storage"
)

func sipgwCommand(c *common) *cobra.Command {
	var component bool
	cmd := &cobra.Command{
		Use:   "sipgw --component",
		Short: "Start the SIP side alone, as a component of another XMPP server",
		Long: `Start the SIP gateway without the XMPP server: it lets phones in and carries their
calls and messages, and it connects to another XMPP server as a component
(XEP-0114), so that people who have their accounts there see the phones. The
configuration file is that of the server, with a section [sipgw] that says where
that other server is.

With "rollcall serve" the gateway runs in the server; nothing else is to be
started then. What a person does on the telephone is written over what their chat
clients say by our own server only.

It runs until SIGTERM or SIGINT and then says of all phones that they are gone.
SIGHUP reads the configuration again.`,
		Example: `  rollcall sipgw --component --config /etc/rollcall.toml
  rollcall device add 2001 --config /etc/rollcall.toml`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !component {
				return errors.New("the gateway is a part of the server, which starts with: rollcall serve\n" +
					"To run it alone, as a component of another XMPP server, type: rollcall sipgw --component")
			}
			cfg, err := c.load()
			if err != nil {
				return err
			}
			log, level := newLog(cmd.ErrOrStderr(), cfg.Log)
			g, err := buildGateway(cmd.Context(), cfg, log)
			if err != nil {
				return err
			}
			g.level, g.reread = level, c.load
			return g.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&component, "component", false, "connect to another XMPP server, as [sipgw] in the configuration says")
	return cmd
}

// gateway is the SIP side alone, put together. It is built, run once and closed.
type gateway struct {
	// Fixed before run.
	log    *slog.Logger
	level  *slog.LevelVar
	reread func() (*config.Config, error)
	db     *storage.DB
	parts  *assembly.Outpost

	cfg *config.Config // owned by run
}

// buildGateway puts a gateway together. It opens files and the database, and listens on
// nothing yet.
func buildGateway(ctx context.Context, cfg *config.Config, log *slog.Logger) (*gateway, error) {
	if err := standsAlone(cfg); err != nil {
		return nil, err
	}
	db, err := openMigrated(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	g := &gateway{log: log, cfg: cfg, db: db}
	streams, err := streamsConfig(cfg, time.Now())
	if err == nil {
		g.parts, err = assembly.NewOutpost(ctx, assembly.Options{Config: cfg, Streams: streams, DB: db, Version: version, Log: log}, nil)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return g, nil
}

// standsAlone says what a configuration lacks for a gateway without a server.
func standsAlone(cfg *config.Config) error {
	if cfg.Uplink.Server == "" {
		return errors.New(`sipgw.server is empty: write where the XMPP server takes components, such as server = "127.0.0.1:5347" in [sipgw]`)
	}
	if _, err := cfg.UplinkSecret(); err != nil {
		return fmt.Errorf("the secret that the XMPP server has for %s: %w", cfg.DeviceDomain(), err)
	}
	if len(cfg.SIPAddresses()) == 0 {
		return errors.New("sip.listen is empty: no phone could register; write listen = [\"192.0.2.5:5060\"] in [sip]")
	}
	return nil
}

// run serves until ctx is done, or until something fails.
func (g *gateway) run(ctx context.Context) error {
	socket, err := listenControl(g.cfg.ControlSocket())
	if err != nil {
		return errors.Join(err, g.db.Close())
	}
	defer ignoreClosed(socket.Close)() // control closes it, unless it does not come to that
	if err := g.parts.Gateway.Listen(); err != nil {
		return errors.Join(fmt.Errorf("%w; to find out who has it type: rollcall doctor", err), g.db.Close())
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)

	failed := make(chan error, 1)
	beside, endBeside := context.WithCancel(context.WithoutCancel(ctx))
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	control := &control{desk: g.parts.Desk, log: g.log, status: status{
		Version: version, PID: os.Getpid(), Started: time.Now(), Addresses: g.cfg.SIPAddresses(),
	}}
	all.Go(func() { fail(failed, control.run(beside, socket)) })
	all.Go(func() { fail(failed, g.parts.Run(inner)) })

	listeningForSIP(g.log, g.parts.Gateway.Transport)
	g.log.Info("ready", "version", version, "jid", g.cfg.DeviceDomain(), "xmpp_server", g.cfg.Uplink.Server)
	err = g.wait(ctx, hup, failed)
	g.log.Info("stopping")
	endBeside()
	stop()
	all.Wait()
	g.log.Info("stopped")
	return errors.Join(err, g.db.Close())
}

// wait waits for the end: a signal, an order, or something that failed.
func (g *gateway) wait(ctx context.Context, hup <-chan os.Signal, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.parts.Desk.Stopping():
			g.log.Info("stopping, as ordered")
			return nil
		case err := <-failed:
			return err
		case <-hup:
			g.reload()
		}
	}
}

// reload takes up what can change while running.
func (g *gateway) reload() {
	g.cfg = reloading{g.reread, g.parts.Streams, g.parts.Configure, g.level, g.log}.reload(g.cfg)
}
