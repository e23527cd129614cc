package registrar

import "time"

// Event is what has happened to a binding (RFC 3680 §5.3 has most of them).
type Event uint8

// The events. After the last five the binding is no more.
const (
	Registered   Event = iota // it is new
	Restored                  // it is known from before the server was restarted
	Refreshed                 // it lasts longer, and may have moved
	Rebooted                  // it was refreshed by a device that has been restarted
	Unregistered              // the device has said so
	Expired                   // it was not refreshed in time
	FlowClosed                // its connection is no more
	Deactivated               // an operator has removed it, or its device
	numEvents
)

// String returns a word for the log.
func (e Event) String() string {
	return [numEvents]string{
		"registered", "restored", "refreshed", "rebooted", "unregistered", "expired", "flow closed", "deactivated",
	}[e%numEvents]
}

// Gone says whether the binding is no more.
func (e Event) Gone() bool { return e >= Unregistered }

// Change is what has happened to one binding.
type Change struct {
	What    Event
	AOR     string
	Binding *Binding // as it is now, or as it was last
	Old     *Binding // as it was before; nil if it is new

	// Reboot is the sign by which the device is known to have been restarted, in
	// words; or "". All calls of the binding as it was before are gone.
	Reboot string

	// Before and After are all bindings of the address. Several changes that were
	// made by one request have the same.
	Before, After []*Binding

	At time.Time
}

// Stays says whether a binding was refreshed and is reached as before.
func (c *Change) Stays() bool { return c.What == Refreshed && !c.moved() }

// moved says whether a binding is reached in another way than before.
func (c *Change) moved() bool {
	return c.Old.Contact != c.Binding.Contact || c.Old.Flow != c.Binding.Flow || !samePath(c.Old.Path, c.Binding.Path)
}
