package world

import (
	"time"

	"rollcall/internal/transcript"
	"rollcall/presence"
)

// Say implements transcript.Sources. Phones can be called.
func (w *World) Say(s transcript.Saying) error { return say(w.parts.Engine, s) }

func say(engine *presence.Engine, s transcript.Saying) error {
	var all []presence.Contribution
	if s.State != "" {
		c := presence.Contribution{
			Source: s.Source, Axis: presence.Engagement, State: s.State, Since: time.Now(), Expires: time.Now().Add(time.Hour),
			Facets: presence.Facets{Counterpart: s.Counterpart},
		}
		if presence.SourceKind(s.Source) == presence.FromPhone {
			c.Channels = presence.Voice
			c.Facets.Device = "Desk phone"
		}
		all = append(all, c)
	}
	return engine.Report(bare(s.Who), presence.Person, s.Source, all)
}
