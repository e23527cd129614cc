package assembly

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"rollcall/config"
	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/presence/manual"
	"rollcall/sipgw/hearsay"
	"rollcall/sipgw/status"
	"rollcall/xmpp/jid"
)

// openPresence makes the engine that merges what all sources know of people and
// devices.
func (a *Assembly) openPresence(ctx context.Context, o Options) error {
	var err error
	a.Engine, a.ByHand, err = newEngine(ctx, o, a.Devices, a.tell)
	return err
}

// newEngine makes an engine, and what reports to it what is set by hand.
func newEngine(ctx context.Context, o Options, devices *device.Register, tell func(presence.Subject, string)) (*presence.Engine, *manual.Service, error) {
	states, faults := presence.NewCatalogue(o.Config.Presence)
	if len(faults) > 0 {
		return nil, nil, fmt.Errorf("presence: %s", faults[0])
	}
	kept := o.DB.Presence()
	var byHand *manual.Service
	engine := presence.NewEngine(presence.Options{
		Config:    o.Config.Engine,
		Volatile:  slices.Concat(status.Sources(), hearsay.Sources(), []string{presence.FromClient + "/"}),
		Catalogue: states,
		// What a merge has to know of a subject beside what sources say.
		Terms: func(who presence.Subject, k presence.Kind) presence.Terms {
			switch k {
			case presence.Person:
				return presence.Terms{Sharing: byHand.Sharing(who)}
			case presence.Device:
				d := devices.Picture().ByJID(who)
				return presence.Terms{Critical: d != nil && d.Critical}
			}
			return presence.Terms{}
		},
		Expired: func(who presence.Subject, k presence.Kind, c *presence.Contribution) { byHand.Expired(who, k, c) },
		Store:   kept, Journal: kept,
		Log: o.Log,
	})
	byHand = manual.New(manual.Options{Engine: engine, Store: o.DB.Sharing(), Tell: tell})
	return engine, byHand, byHand.Load(ctx)
}

// tell tells a person something in the server's name. It is kept for them if they are
// away.
func (a *Assembly) tell(who presence.Subject, text string) {
	if err := a.talk.Tell(who, text); err != nil {
		a.Server.Log().Error("somebody could not be told what became of their state", "jid", who, "err", err)
	}
}

// useStates has states of another configuration be in force.
func useStates(e *presence.Engine, c presence.Config, log *slog.Logger) {
	states, faults := presence.NewCatalogue(c)
	if len(faults) > 0 { // the configuration was checked
		log.Error("the states of the configuration are not taken over", "err", faults[0])
		return
	}
	e.UseCatalogue(states)
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
	return newAudience(a.config.Load(), a.Engine.Catalogue(), a.Book.Directory())
}

func newAudience(c *config.Config, states *presence.Catalogue, groups presence.Members) *audience {
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
	return &audience{states, presence.NewRules(c.Presence, staff, c.Server.Admins, groups), narrow}
}

// sees says how much somebody sees of a person or a device.
func (a *Assembly) sees(watcher, of presence.Subject) presence.Level {
	return a.seen.Load().level(watcher, of, a.Devices.Domain())
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

// With implements availability.Audience.
func (s *audience) With(e *presence.Effective, said presence.Contribution) *presence.Effective {
	return s.states.With(e, said, time.Now())
}

// Language implements availability.Audience.
func (s *audience) Language() string { return s.states.Language() }
