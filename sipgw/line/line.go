package line

import (
	"slices"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
)

// State is what a device is engaged in.
type State uint8

// The engagements, of which a device has one at a time.
const (
	Idle State = iota
	Ringing
	Dialing
	OnHold
	OnCall
	Conference
)

var ids = [...]string{"", "ringing", "dialing", "on_hold", "on_call", "conference"}

// String is the id of the state in the catalogue; "" is idle, which is the absence
// of an engagement.
func (s State) String() string { return ids[s] }

// Engages reports whether a state of the catalogue, by its id, is one of these.
func Engages(id string) bool { return id != "" && slices.Contains(ids[:], id) }

// Order says which of several calls counts.
type Order [Conference + 1]uint8

// People are in the call that they talk in, not in the one that rings beside it.
// A Lamp that stands for a phone blinks when it rings, since that can be picked up.
var (
	People = Order{Idle: 0, Ringing: 1, Dialing: 2, OnHold: 3, OnCall: 4, Conference: 5}
	Lamp   = Order{Idle: 0, Dialing: 1, OnHold: 2, OnCall: 3, Conference: 4, Ringing: 5}
)

// Engagement is what the calls of a device come to.
type Engagement struct {
	State State
	Since time.Time // when it began; zero for idle

	Counterpart string // the address of the other end
	Name        string // and the name that came with it
	Inbound     bool   // the other end has called
	Ref         string // the Call-ID

	Calls int // how many calls there are
}

// Of folds the calls of a device. Of several calls in the winning state the oldest
// speaks for them, so that the answer does not jump.
func Of(calls []dialoginfo.Live, order Order) Engagement {
	var best *dialoginfo.Live
	e := Engagement{}
	for i := range calls {
		c := &calls[i]
		s := stateOf(c)
		if s == Idle {
			continue
		}
		e.Calls++
		if best == nil || order[s] > order[e.State] || s == e.State && c.Began.Before(best.Began) {
			best, e.State = c, s
		}
	}
	if best == nil {
		return e
	}
	e.Since = best.Since
	if e.State >= OnCall && !best.Answered.IsZero() {
		e.Since = best.Answered // hold in between does not make it another call
	}
	e.Counterpart, e.Name = best.Remote.Identity, best.Remote.Display
	if e.Counterpart == "" {
		e.Counterpart = best.Remote.Target
	}
	e.Inbound = best.Direction == dialoginfo.Recipient
	e.Ref = best.CallID
	return e
}

// stateOf says what one dialog means for the device that has it.
func stateOf(d *dialoginfo.Live) State {
	switch d.State {
	case dialoginfo.Confirmed:
		switch {
		case d.Local.Rendering == dialoginfo.RenderingNo:
			return OnHold
		case d.Local.Focus || d.Remote.Focus:
			return Conference
		}
		return OnCall
	case dialoginfo.Early, dialoginfo.Proceeding:
		if d.Direction == dialoginfo.Initiator {
			return Dialing
		}
		return Ringing // many notifiers leave the direction out, and only of calls that ring
	case dialoginfo.Trying:
		if d.Direction == dialoginfo.Recipient {
			return Idle // the phone has not said yet that it rings
		}
		return Dialing // or off the hook, RFC 4235 §6.2
	}
	return Idle
}

// Contribution turns the engagement into what a source says about the device, or
// its owner: the rest of it, such as when it expires, is for the source to fill in.
// An idle line contributes nothing, and ok is false.
func (e Engagement) Contribution(source string) (c presence.Contribution, ok bool) {
	if e.State == Idle {
		return c, false
	}
	who := e.Name
	if who == "" {
		who = e.Counterpart
	}
	return presence.Contribution{
		Source: source, Axis: presence.Engagement, State: e.State.String(), Since: e.Since,
		Facets: presence.Facets{Counterpart: who, Inbound: e.Inbound, Ref: e.Ref},
	}, true
}
