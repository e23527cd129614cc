package main

import (
	"time"

	"rollcall/config"
)

// reload takes up what can change while running.
func (p *program) reload() {
	fresh, err := p.reread()
	if err != nil {
		p.log.Error("the configuration was not reloaded: nothing has changed", "err", err)
		return
	}
	live, restart := config.Diff(p.cfg, fresh)
	merged, err := p.cfg.With(fresh)
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
