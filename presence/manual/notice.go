package manual

import (
	"context"
	"fmt"
	"time"

	"rollcall/presence"
)

// notice is that a state has come to its end.
type notice struct {
	who   presence.Subject
	state string
	at    time.Time
}

// maxNotices is how many wait to be told. After more people have not been told in
// time, nobody misses the rest.
const maxNotices = 10_000

// Expired takes in what has come to its end, for [presence.Options].
func (s *Service) Expired(who presence.Subject, kind presence.Kind, c *presence.Contribution) {
	if kind != presence.Person || presence.SourceKind(c.Source) != presence.FromManual {
		return
	}
	s.mu.Lock()
	if len(s.notices) < maxNotices {
		s.notices = append(s.notices, notice{who, c.State, c.Expires})
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run tells people that their states have ended, until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		s.mu.Lock()
		all := s.notices
		s.notices = nil
		s.mu.Unlock()
		for _, n := range all {
			s.tell(n.who, s.ended(n, time.Now()))
		}
	}
}

// Tell tells a person something about their state.
func (s *Service) Tell(who presence.Subject, text string) { s.tell(who, text) }

// late is from when on it is said when a state ended.
const late = time.Minute

func (s *Service) ended(n notice, now time.Time) string {
	name := s.name(presence.Person, n.state)
	if now.Sub(n.at) < late {
		return fmt.Sprintf("Your state %s has ended.", name)
	}
	return fmt.Sprintf("Your state %s ended at %s.", name, s.engine.Catalogue().Tell(n.at, now))
}
