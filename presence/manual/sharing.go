package manual

import (
	"context"
	"maps"

	"rollcall/presence"
)

// Load reads what people have chosen to share. It is called before anything is
// merged.
func (s *Service) Load(ctx context.Context) error {
	all := map[presence.Subject]presence.Sharing{}
	err := s.store.Sharings(ctx, func(who presence.Subject, choice presence.Sharing) error {
		all[who] = choice
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sharing.Store(&all)
	return nil
}

// Sharing returns how much of their telephones a person lets others see. It waits for
// nobody.
func (s *Service) Sharing(who presence.Subject) presence.Sharing { return (*s.sharing.Load())[who] }

// Share has a person let others see so much of their telephones from now on.
func (s *Service) Share(ctx context.Context, who presence.Subject, choice presence.Sharing) error {
	if err := s.store.SetSharing(ctx, who, choice); err != nil {
		return err
	}
	s.choose(who, choice)
	s.engine.Refresh(who)
	return nil
}

// choose changes what is known of a choice. Few people choose often, so that a copy of
// all is cheap; merges read it all the time.
func (s *Service) choose(who presence.Subject, choice presence.Sharing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := *s.sharing.Load()
	if all[who] == choice {
		return
	}
	if all = maps.Clone(all); choice == presence.SharePhone {
		delete(all, who)
	} else {
		all[who] = choice
	}
	s.sharing.Store(&all)
}

// Forget forgets a person whose account was removed, and all that was known of them.
func (s *Service) Forget(who presence.Subject) {
	s.choose(who, presence.SharePhone)
	s.engine.Forget(who)
}
