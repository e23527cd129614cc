package watcher

import (
	"math/rand/v2"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/rich"
	"rollcall/sipgw/transport"
)

// watched is a device that somebody is asked about.
type watched struct {
	device  *device.Device
	at      *place
	address string // what it is called there
	uri     string // where the first request goes
	routes  []string
	flow    transport.Flow // zero: found by uri
	lacks   string         // why nobody can be asked, or ""

	legs  [NumPackages]*leg // nil: not wanted
	forks []*leg
	dirty bool // it is to be told
	gone  bool
}

// maxForks is how many phones that share one line are listened to, besides the first.
const maxForks = 8

// leg is one subscription. One that came of another by forking (RFC 6665 §4.1.4) lasts
// as long as it is refreshed, and is not begun anew.
type leg struct {
	of   *watched
	pkg  Package
	fork bool
	m    event.Subscriber

	// The dialog (RFC 3261 §12).
	callID, local, remote string
	target                string
	routes                []string
	sent, seen            uint32 // CSeq of ours and theirs
	behind                int    // NOTIFYs in a row with a CSeq that was over

	// What was heard.
	told    bool
	blank   bool // it was said that there is nothing to tell
	anew    bool // what is known is from a subscription before this one
	dialogs dialoginfo.Table
	heard   *rich.Heard
	reg     reginfo.Table
	lost    time.Time // since when it does not count any more; zero: it does, or never did
	waited  bool      // long enough
	denied  bool
	absent  int // times in a row that the device was not known there
	gaps    int // in a row

	// What is under way.
	at     time.Time // when it is to be looked at
	index  int       // in the agenda, -1: it is not in it
	asked  time.Time // when a request was sent last
	begun  time.Time // when one was sent last that others could take up
	flying bool
	fresh  bool // the credentials answer a challenge of just now
	paced  bool // it has waited for its turn
	held   bool // until its PBX answers, or fewer are asked for
	probe  bool // it asks on behalf of all
	gone   bool
}

func newLeg(x *watched, p Package, expires time.Duration) *leg {
	g := &leg{of: x, pkg: p, index: -1}
	g.m = event.Subscriber{Asks: expires, Seed: rand.Uint32()}
	return g
}

// sends reports whether the machine would send a request now.
func (g *leg) sends(now time.Time) bool {
	switch {
	case g.m.Standing == event.Over, !g.m.Deadline.IsZero() && !now.Before(g.m.Deadline):
		return false
	case g.m.Next.IsZero():
		return g.m.Standing == event.Waiting
	}
	return !now.Before(g.m.Next)
}

// begin makes a new dialog.
func (g *leg) begin() {
	g.callID, g.local, g.remote = transport.NewCallID(), transport.NewTag(), ""
	g.target, g.routes = g.of.uri, g.of.routes
	g.sent, g.seen, g.behind, g.gaps = 0, 0, 0, 0
	// What was known stays known until the first document, or until it counts no more.
	g.dialogs.Forget(true)
	g.reg.Forget()
	g.anew = true
}

// forget makes nothing known.
func (g *leg) forget() {
	g.told, g.blank, g.heard = false, false, nil
	g.dialogs.Forget(false)
	g.reg.Forget()
}

// nothing takes in that there is no state to tell, as Kamailio has none of lines that
// have had no call since it was started, and of phones that have not registered. What
// was told before counts no more; but where there was no call, there is none.
func (g *leg) nothing() {
	if g.told && g.pkg == Dialog && !g.anew && len(g.dialogs.Live()) == 0 {
		return
	}
	g.forget()
	g.blank = true
}

// clone makes the subscription of another phone that has taken the same request.
func (g *leg) clone(remote string) *leg {
	f := newLeg(g.of, g.pkg, g.m.Asks)
	f.fork, f.callID, f.local, f.remote = true, g.callID, g.local, remote
	f.target, f.routes, f.sent = g.of.uri, g.of.routes, g.sent
	f.m.Standing, f.m.Expires, f.m.Next = event.Asking, g.m.Expires, g.m.Next
	return f
}
