package availability

import (
	"context"
	"time"

	"rollcall/presence"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// Merged is what all sources together know of people.
type Merged interface {
	// State returns a subject's effective state; nil if there is none.
	State(presence.Subject) *presence.Effective
	// Next waits until something has changed and returns what has, each subject
	// once. The last state of each counts; those between may be left out.
	Next(context.Context) ([]presence.Subject, error)
	// Report takes what a source says of a subject now, in place of all that it
	// said before. It does not wait for anybody.
	Report(who presence.Subject, k presence.Kind, source string, all ...presence.Contribution) error
}

// Audience says who sees how much, and what of a state that is. It does not change:
// another one takes its place.
type Audience interface {
	// Level says how much of a subject a watcher may see.
	Level(watcher, of jid.Bare) presence.Level
	// Narrow reports whether anybody may see less of somebody than what that
	// person's own clients say.
	Narrow() bool
	Words
}

// Words say what a state is.
type Words interface {
	// Show says what a level sees of a state: of one client of a person by the
	// name of its source, or of the person if that is empty.
	Show(e *presence.Effective, client string, l presence.Level) presence.Shown
	// Language is that of the texts.
	Language() string
	// With says what a state comes to when a source says something else.
	With(e *presence.Effective, said presence.Contribution) *presence.Effective
}

// Merge has what the clients of people say be seen together with all else that is
// known of them. It is to be called before the feature is used.
func (f *Feature) Merge(m Merged, a Audience) {
	f.merged = m
	g := &graded{Audience: a}
	g.told.Store(true)
	f.audience.Store(g)
}

// Run covers people as their states change, until ctx is done.
func (f *Feature) Run(ctx context.Context) error {
	if f.merged == nil {
		return nil
	}
	renewed := time.Now()
	for {
		wait, cancel := context.WithTimeout(ctx, clientRenew-time.Since(renewed))
		changed, err := f.merged.Next(wait)
		late := wait.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case late:
			f.renew()
			renewed = time.Now()
		case err != nil:
			return err
		}
		f.turn.Lock()
		for _, who := range changed {
			if e := f.merged.State(who); e == nil || e.Kind == presence.Person {
				f.cover(who, e)
				f.stand(who, e)
			}
		}
		f.turn.Unlock()
	}
}

// cover puts a state over the clients of somebody, or takes it away, and tells
// those who see them. The caller holds turn.
func (f *Feature) cover(who jid.Bare, e *presence.Effective) {
	e = covering(e)
	old := f.covers.get(who)
	if e == nil && old == nil || e != nil && old != nil && e == old.state {
		return
	}
	was := cover{old, f.audience.Load()}
	var now *covered
	if e != nil {
		now = &covered{state: e}
	}
	f.covers.put(who, now)
	if a := f.srv.Connected(who); a != nil {
		f.retell(a, was)
	}
	f.changes(who, was)
	if now != nil {
		now.told.Store(true)
	}
}

// foresee puts in place what will lie over the first client of somebody: what they
// have set, say. Nobody is to see them available until all is merged.
func (f *Feature) foresee(s *server.Session, said presence.Contribution) {
	if f.merged == nil || s.Account.Available() {
		return
	}
	e := f.merged.State(s.Account.JID)
	if (e == nil || len(e.All) == 0) && f.covers.get(s.Account.JID) == nil {
		return
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	if s.Account.Available() { // others have come first, and are seen already
		return
	}
	var next *covered
	if e != nil && e.Kind == presence.Person {
		if e = covering(f.audience.Load().With(e, said)); e != nil {
			next = &covered{state: e}
		}
	}
	was := cover{f.covers.get(s.Account.JID), f.audience.Load()}
	f.covers.put(s.Account.JID, next)
	f.changes(s.Account.JID, was)
}

// retell tells those who see an account's sessions what is different since they
// were under another cover.
func (f *Feature) retell(a *server.Account, was cover) {
	var pin *roster.Pin
	for _, s := range a.Sessions() {
		told := s.Availability()
		if told == nil {
			continue
		}
		if pin == nil && a.ID != 0 {
			var err error
			if pin, err = f.rosters.Pin(f.srv.Context(), a.JID); err != nil {
				f.srv.Log().Error("contacts could not be told what somebody is doing", "jid", a.JID, "err", err)
				return
			}
			defer pin.Release()
		}
		f.settle(s, pin, told, was)
	}
}

// Grade puts another audience in force, and tells everybody what is different to
// them. It returns when all is told.
func (f *Feature) Grade(a Audience) {
	f.turn.Lock()
	defer f.turn.Unlock()
	now := &graded{Audience: a}
	old := f.audience.Swap(now)
	seen := map[*server.Account]bool{}
	f.srv.EachSession(func(s *server.Session) {
		is := f.covers.get(s.Account.JID)
		if !seen[s.Account] && (is != nil || old.Narrow() || now.Narrow()) {
			seen[s.Account] = true
			f.retell(s.Account, cover{is, old})
		}
	})
	f.covers.each(func(of jid.Bare, is *covered) { f.changes(of, cover{is, old}) })
	f.standAnew()
	now.told.Store(true)
}

// covering returns the state if it may be one that is written over what clients say:
// what others than they say has won, or is true beside it.
func covering(e *presence.Effective) *presence.Effective {
	switch {
	case e == nil || e.Kind != presence.Person:
	case len(e.Secondary) > 0:
		return e
	case e.Winner.Source != "" && presence.SourceKind(e.Winner.Source) != presence.FromClient:
		return e
	}
	return nil
}
