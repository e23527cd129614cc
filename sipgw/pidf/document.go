package pidf

import "time"

// Document is one presence document.
type Document struct {
	Entity  string
	Tuples  []Tuple  // ways to reach the presentity: services
	Persons []Person // what is said of the person; most say it once
	Devices []Person // and of devices
	Notes   []Note
}

// Basic is whether a tuple can be reached.
type Basic uint8

// A tuple may leave it open whether it is.
const (
	Unsaid Basic = iota
	Open
	Closed
)

// Tuple is one way to reach the presentity (RFC 3863 §4.1.2).
type Tuple struct {
	ID        string
	Basic     Basic
	Contact   string
	Priority  Priority
	Notes     []Note
	Timestamp time.Time
	DeviceID  string

	Show       string // <show xmlns='jabber:client'> (RFC 8048 §5.2)
	Activities Activities
	Other      string // words for the activity that is none of those
	Input      Input

	Extended string // AG Projects: available, away, busy, offline
	Online   bool   // linphone: a client is connected
	Digium   Digium
}

// Digium is what Digium's phones add: type is available, away, dnd, unavailable,
// xa, chat or not_set.
type Digium struct{ Type, Subtype, Message string }

// Person is what is said of a person or of a device (RFC 4479 §3).
type Person struct {
	ID         string
	Basic      Basic // old Asterisk and Cisco say it here too
	Activities Activities
	Other      string
	Until      time.Time // the end of the activity, as planned
	Input      Input
	Notes      []Note
	Timestamp  time.Time
	DeviceID   string
}

// Input is when somebody last touched a device (RFC 4480 §3.12).
type Input struct {
	State InputState
	Last  time.Time
}

// InputState is whether somebody uses a device.
type InputState uint8

// A device may say nothing of it.
const (
	InputUnsaid InputState = iota
	Active
	Idle
)

// Note is text for people.
type Note struct{ Lang, Text string }

// Activities are a set of what somebody is doing.
type Activities uint64

// The activities of RFC 4480 §3.2 with lunch, which its schema forgot, and what
// Cisco adds.
const (
	Appointment Activities = 1 << iota
	Away
	Breakfast
	Busy
	Dinner
	Holiday
	InTransit
	LookingForWork
	Lunch
	Meal
	Meeting
	OnThePhone
	Performance
	PermanentAbsence
	Playing
	Presentation
	Shopping
	Sleeping
	Spectator
	Steering
	Travel
	TV
	Unknown
	Vacation
	Working
	Worship
	Other

	// Cisco's, which are read and never written.
	Alerting
	Available
	DND
	Unavailable
)

// activityNames are in the order of the bits.
var activityNames = [...]string{
	"appointment", "away", "breakfast", "busy", "dinner", "holiday", "in-transit",
	"looking-for-work", "lunch", "meal", "meeting", "on-the-phone", "performance",
	"permanent-absence", "playing", "presentation", "shopping", "sleeping",
	"spectator", "steering", "travel", "tv", "unknown", "vacation", "working",
	"worship", "other",
	"alerting", "available", "dnd", "unavailable",
}

// written are those that RFC 4480 knows.
const written = Other<<1 - 1

// Has reports whether one of the activities is in the set.
func (a Activities) Has(any Activities) bool { return a&any != 0 }

// ActivityOf returns the activity of that name, or 0.
func ActivityOf(name string) Activities {
	for i, n := range activityNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

// String returns the names in the set, for logs.
func (a Activities) String() string {
	s := ""
	for i, n := range activityNames {
		if a>>i&1 == 0 {
			continue
		}
		if s != "" {
			s += " "
		}
		s += n
	}
	return s
}

// Priority is that of a contact: NoPriority, or thousandths plus one, so that the
// zero value is none.
type Priority uint16

// NoPriority is a contact without one, which counts as the lowest (RFC 3863 §4.1.5).
const NoPriority Priority = 0

// Thousandths makes a priority of 0 to 1000.
func Thousandths(n int) Priority { return Priority(min(max(n, 0), 1000) + 1) }

// Thousandths returns the priority as 0 to 1000, and whether there is one.
func (p Priority) Thousandths() (int, bool) {
	if p == NoPriority {
		return 0, false
	}
	return int(p) - 1, true
}
