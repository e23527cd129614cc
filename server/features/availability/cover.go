package availability

import (
	"sync/atomic"

	"rollcall/presence"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// cover is what lies over all that the clients of somebody say. The zero cover
// lets everything be seen as it is.
type cover struct {
	covered *covered // nil: nothing is written over it
	graded  *graded
}

// covered is a state that somebody is covered by.
type covered struct {
	state *presence.Effective
	told  atomic.Bool // all who are to see it have been told
}

// graded is an audience that is in force.
type graded struct {
	Audience
	told atomic.Bool
}

// told reports whether all who see somebody have been told what they see under
// the cover.
func (c *cover) told() bool {
	return c.graded.told.Load() && (c.covered == nil || c.covered.told.Load())
}

// coverOf returns what lies over the clients of an account now.
func (f *Feature) coverOf(a *server.Account) cover {
	by := f.audience.Load()
	if by == nil {
		return cover{}
	}
	e := f.covers.get(a.JID)
	if e == nil && !by.Narrow() && by.told.Load() {
		return cover{}
	}
	return cover{e, by}
}

// View is what lies over somebody, as a watcher sees it, whatever their clients say.
type View = func(watcher jid.Bare) presence.Shown

// OnCovered adds a call for each change of what lies over somebody: was is what lay
// there before, nil if nothing did. What does now is [Feature.View]. It must not block.
func (f *Feature) OnCovered(h func(of jid.Bare, was View)) { f.changed = append(f.changed, h) }

// View returns what lies over somebody; nil if nothing does.
func (f *Feature) View(of jid.Bare) View {
	by := f.audience.Load()
	if by == nil {
		return nil
	}
	return cover{f.covers.get(of), by}.view(of)
}

// Level returns how much of somebody a watcher may see.
func (f *Feature) Level(watcher, of jid.Bare) presence.Level {
	by := f.audience.Load()
	if by == nil {
		return presence.Full
	}
	return by.Level(watcher, of)
}

func (c cover) view(of jid.Bare) View {
	if c.covered == nil {
		return nil
	}
	return func(watcher jid.Bare) presence.Shown {
		return c.graded.Show(c.covered.state, "", c.graded.Level(watcher, of))
	}
}

// changes tells those who want to know that something else lies over somebody.
func (f *Feature) changes(of jid.Bare, was cover) {
	for _, h := range f.changed {
		h(of, was.view(of))
	}
}
