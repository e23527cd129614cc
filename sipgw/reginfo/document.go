package reginfo

import "time"

// Namespace is that of the document.
const Namespace = "urn:ietf:params:xml:ns:reginfo"

// ContentType is the media type of the document.
const ContentType = "application/reginfo+xml"

// Document is one reginfo document.
type Document struct {
	Version       uint32
	Partial       bool // what is not in it has not changed
	Registrations []Registration
}

// Registration is what a registrar knows of one address.
type Registration struct {
	AOR      string
	ID       string
	State    State
	Contacts []Contact
}

// State is where a registration or a contact stands (RFC 3680 §5.1). Contacts are
// never Init.
type State uint8

// The states. Unknown is one that the RFC does not know.
const (
	Unknown State = iota
	Init
	Active
	Terminated
)

var stateNames = [...]string{"", "init", "active", "terminated"}

// String returns the state as RFC 3680 writes it.
func (s State) String() string { return stateNames[s] }

// Event is what has brought a contact into its state.
type Event uint8

// The events of RFC 3680 §5.1. NoEvent is one that it does not know.
const (
	NoEvent Event = iota
	Registered
	Created
	Refreshed
	Shortened
	Expired
	Deactivated
	Probation
	Unregistered
	Rejected
)

var eventNames = [...]string{
	"", "registered", "created", "refreshed", "shortened", "expired", "deactivated", "probation", "unregistered", "rejected",
}

// String returns the event as RFC 3680 writes it.
func (e Event) String() string { return eventNames[e] }

// Contact is one binding.
type Contact struct {
	ID       string
	State    State
	Event    Event
	URI      string
	Display  string
	Instance string // +sip.instance without its brackets
	Q        string
	CallID   string
	CSeq     uint32

	Duration   time.Duration // since it was registered; negative is not said
	Expires    time.Duration // until it is not; negative is not said
	RetryAfter time.Duration // when a phone on probation may come back; negative is not said
}

// Cause says in words why a contact is gone.
func (c *Contact) Cause() string {
	if c.State != Terminated {
		return ""
	}
	switch c.Event {
	case Unregistered:
		return "Logged off"
	case Rejected, Probation:
		return "Administratively removed"
	case Deactivated:
		return "Told to register again"
	}
	return "Registration lost"
}
