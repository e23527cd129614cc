package assembly

import (
	"fmt"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/status"
	"rollcall/xmpp/jid"
)

// openPresence makes the engine that merges what all sources know of people and
// devices.
func (a *Assembly) openPresence(o Options) error {
	states, faults := presence.NewCatalogue(o.Config.Presence)
	if len(faults) > 0 {
		return fmt.Errorf("presence: %s", faults[0])
	}
	a.States = states
	a.Engine = presence.NewEngine(presence.Options{
		Config:    presence.EngineConfig{Settle: presence.Settle{Usual: 150 * time.Millisecond, Released: 250 * time.Millisecond, Idle: 5 * time.Second}, Barrier: 30 * time.Second},
		Volatile:  append(status.Sources(), presence.FromClient+"/"),
		Catalogue: states,
		Terms:     a.terms,
		Log:       o.Log,
	})
	return nil
}

// everybody is the engine as the feature that tells of people's presence knows it.
type everybody struct {
	*presence.Engine
	*presence.Watch
}

// Report implements availability.Merged.
func (p everybody) Report(who presence.Subject, k presence.Kind, source string, all ...presence.Contribution) error {
	return p.Engine.Report(who, k, source, all)
}

// audience says who sees how much of people, and in which words. It goes by the
// shared groups as they are when it is made, so that it can be told what another one
// makes different.
type audience struct {
	states *presence.Catalogue
	rules  *presence.Rules
	narrow bool
}

// audience returns the one of the configuration and the groups that are in force.
func (a *Assembly) audience() *audience {
	c := a.config.Load()
	var staff []string
	narrow := false
	for _, d := range c.Server.Domains {
		if d.Anonymous {
			narrow = true // visitors are shown less than colleagues
			continue
		}
		staff = append(staff, d.Name)
	}
	for _, r := range c.Presence.Audience {
		narrow = narrow || r.Level < presence.Status
	}
	return &audience{a.States, presence.NewRules(c.Presence, staff, c.Server.Admins, a.Book.Directory()), narrow}
}

// Level implements availability.Audience.
func (s *audience) Level(watcher, of jid.Bare) presence.Level {
	return s.rules.Level(watcher, of, presence.Person)
}

// Narrow implements availability.Audience.
func (s *audience) Narrow() bool { return s.narrow }

// Show implements availability.Audience.
func (s *audience) Show(e *presence.Effective, client string, l presence.Level) presence.Shown {
	return s.states.ShowClient(e, client, l, s.Language(), time.Now())
}

// Language implements availability.Audience.
func (s *audience) Language() string { return s.states.Language() }
