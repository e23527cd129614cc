package dialoginfo

import "time"

// State is where a dialog stands in the machine of RFC 4235 §3.7.1.
type State uint8

// The states in the order in which a call passes them. Unknown is one that the
// RFC does not know.
const (
	Unknown State = iota
	Trying
	Proceeding
	Early
	Confirmed
	Terminated
)

var stateNames = [...]string{"", "trying", "proceeding", "early", "confirmed", "terminated"}

// String returns the state as RFC 4235 §3.7.1 writes it.
func (s State) String() string { return stateNames[s] }

// Ringing says that the call is being set up.
func (s State) Ringing() bool { return s >= Trying && s <= Early }

// Direction is who has begun the call.
type Direction uint8

// A dialog may say nothing about its direction.
const (
	Unsaid Direction = iota
	Initiator
	Recipient
)

var directionNames = [...]string{"", "initiator", "recipient"}

// String returns the direction as it is written.
func (d Direction) String() string { return directionNames[d] }

// Document is one dialog-info document.
type Document struct {
	Entity  string
	Version uint32
	Partial bool // what is not in it has not changed
	Dialogs []Dialog
}

// Dialog is a call from the side of the phone that has it.
type Dialog struct {
	ID        string // the row of the table
	CallID    string
	LocalTag  string
	RemoteTag string
	Direction Direction

	State State
	Event string // why the state was reached: "cancelled", "remote-bye"
	Code  int    // the SIP status that did it, 0 is none

	Duration time.Duration // since the dialog began; negative is not said
	Replaces Replaces      // the dialog that this one has taken the place of
	Referred string        // who has sent the call here

	Local, Remote Party
}

// Replaces names another dialog (RFC 3891).
type Replaces struct{ CallID, LocalTag, RemoteTag string }

// names reports whether r names that dialog.
func (r *Replaces) names(d *Dialog) bool {
	return r.CallID != "" && r.CallID == d.CallID && agree(d.LocalTag, r.LocalTag) && agree(d.RemoteTag, r.RemoteTag)
}

// Party is one end of a dialog.
type Party struct {
	Identity string // an address, "sip:bob@example.org"
	Display  string // the name that goes with it
	Target   string // the contact

	Rendering Rendering
	Focus     bool   // the target is a conference (RFC 4579)
	Line      string // the number of the appearance, x-line-id
}

// Rendering says whether the party plays what it receives: the sign of hold.
type Rendering uint8

// A party says nothing, or plays the media, or does not.
const (
	RenderingUnsaid Rendering = iota
	RenderingYes
	RenderingNo
)

// Same reports whether two dialogs may be one: their ids are the same, and what
// both say of Call-ID and tags does not differ. An early dialog often has no tag
// of the other side yet.
func (d *Dialog) Same(o *Dialog) bool {
	return d.ID == o.ID && agree(d.CallID, o.CallID) &&
		agree(d.LocalTag, o.LocalTag) && agree(d.RemoteTag, o.RemoteTag)
}

func agree(a, b string) bool { return a == b || a == "" || b == "" }

// forkOf reports whether two dialogs have come from one call that was forked.
func (d *Dialog) forkOf(o *Dialog) bool {
	return d.ID == o.ID && d.CallID != "" && d.CallID == o.CallID
}

// Occupied are the dialogs of a phone that cannot be reached, for lamps that are to
// show it as busy rather than as idle.
func Occupied() []Live {
	return []Live{{Dialog: Dialog{ID: "offline", State: Confirmed, Duration: -1}}}
}
