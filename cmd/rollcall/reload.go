package main

import (
	"time"

	"rollcall/config"
)

// reload takes up what can change while running.
func (p *program) reload() {
	merged, live, restart, err := again(p.cfg, p.reread)
	if err != nil {
		p.log.Error("the configuration was not reloaded: nothing has changed", "err", err)
		return
	}
	// The files of certificates may have changed under the same names.
	streams, err := streamsConfig(merged, time.Now())
	if err == nil {
		err = p.parts.Streams.Reload(streams)
	}
	if err != nil {
		p.log.Error("the configuration was not reloaded: nothing has changed", "err", err)
		return
	}
	p.parts.Configure(merged)
	p.level.Set(merged.Log.Level)
	p.cfg = merged
	p.log.Info("the configuration was reloaded", "changed", live)
	if len(restart) > 0 {
		p.log.Warn("some changes wait for a restart", "keys", restart)
	}
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
