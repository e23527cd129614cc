package operator

import (
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
)

// quiet is how long a client may be silent before it counts as idle.
const quiet = 10 * time.Minute

// standing is what is looked at to tell whether a client is idle.
type standing struct {
	Show     string // of its presence: "away"
	Inactive bool   // nobody looks (XEP-0352)
	Waiting  bool   // its connection is lost
	Silent   time.Duration
}

// idle reports whether nobody uses a client just now, as far as it tells.
func (s standing) idle() bool {
	return s.Show == "away" || s.Show == "xa" || s.Inactive || s.Waiting || s.Silent >= quiet
}

// standingOf looks at a session.
func standingOf(s *server.Session, info *server.SessionInfo, now time.Time) standing {
	x := standing{Inactive: info.Inactive, Waiting: info.Waiting, Silent: now.Sub(info.Heard)}
	if v := s.Availability(); v != nil {
		x.Show = v.Show
	}
	return x
}

// online returns who has sessions, and whether all of those are idle (XEP-0133
// §4.15 to §4.17). Visitors have no account and are not counted.
func (d *Desk) online(now time.Time) map[jid.Bare]bool {
	idle := map[jid.Bare]bool{}
	if !d.serving() {
		return idle
	}
	d.live.Server.EachSession(func(s *server.Session) {
		if s.Account.ID == 0 {
			return
		}
		before, known := idle[s.Account.JID]
		if known && !before {
			return
		}
		info := s.Info()
		idle[s.Account.JID] = standingOf(s, &info, now).idle()
	})
	return idle
}
