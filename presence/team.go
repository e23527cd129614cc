package presence

import (
	"fmt"
	"time"
)

// States of teams.
const (
	teamReady = "ready"
	teamShort = "short"
	teamBusy  = "busy"
)

// freeRank is the highest rank of a state in which somebody is ready for a call.
const freeRank = 45

// Team returns what its members say of a team or a queue: it is ready when so many of
// them are as enough says, short when fewer are, busy when nobody is and somebody is
// there, and offline when nobody is. Who is ready can be reached by voice and is not
// engaged. The contribution holds until expires, and does not say since when.
func (c *Catalogue) Team(source string, members []*Effective, enough int, expires time.Time) Contribution {
	ready, there := 0, 0
	var open Channel
	for _, m := range members {
		if m == nil || m.Channels == 0 {
			continue
		}
		there++
		open |= m.Channels
		if s := c.known(m.Kind, m.State); s != nil && s.Rank <= freeRank && m.Channels&Voice != 0 {
			ready++
		}
	}
	state := teamReady
	switch {
	case there == 0:
		state = Offline
	case ready == 0:
		state = teamBusy
	case ready < enough:
		state = teamShort
	}
	return Contribution{
		Source: source, Axis: Reachability, State: state, Channels: open, Expires: expires,
		Facets: Facets{Text: fmt.Sprintf("%d/%d", ready, len(members))},
	}
}
