package main

import (
	"log/slog"
	"time"

	"rollcall/config"
	"rollcall/server/c2s"
)

// reloading is what takes up that the configuration has changed.
type reloading struct {
	reread    func() (*config.Config, error)
	streams   *c2s.Server // for its certificates
	configure func(*config.Config)
	level     *slog.LevelVar
	log       *slog.Logger
}

// reload takes up what can change while running, and returns the configuration that is
// in force afterwards.
func (r reloading) reload(cfg *config.Config) *config.Config {
	merged, live, restart, err := again(cfg, r.reread)
	if err == nil {
		// The files of certificates may have changed under the same names.
		var streams c2s.Config
		if streams, err = streamsConfig(merged, time.Now()); err == nil {
			err = r.streams.Reload(streams)
		}
	}
	if err != nil {
		r.log.Error("the configuration was not reloaded: nothing has changed", "err", err)
		return cfg
	}
	r.configure(merged)
	r.level.Set(merged.Log.Level)
	r.log.Info("the configuration was reloaded", "changed", live)
	if len(restart) > 0 {
		r.log.Warn("some changes wait for a restart", "keys", restart)
	}
	return merged
}

// again reads the configuration again. It returns it with what a running program takes
// up, and the keys that are different: those that it takes up, and others.
func again(cfg *config.Config, reread func() (*config.Config, error)) (merged *config.Config, live, restart []string, err error) {
	fresh, err := reread()
	if err != nil {
		return nil, nil, nil, err
	}
	live, restart = config.Diff(cfg, fresh)
	merged, err = cfg.With(fresh)
	return merged, live, restart, err
}
