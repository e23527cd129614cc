package availability

import (
	"sync/atomic"

	"rollcall/presence"
	"rollcall/server"
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
