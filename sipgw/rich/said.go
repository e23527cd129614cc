package rich

import (
	"rollcall/presence"
	"rollcall/sipgw/line"
)

// InCall reports whether it says that there is a call, or one rings: that is a state of
// devices as of people.
func (h *Heard) InCall() bool { return line.Engages(h.State) }

// Personal reports whether it says something of whoever uses the device that they have set
// at it. That it is open or closed says no more than whether it can be reached, and that
// nothing is set is not a state.
func (h *Heard) Personal() bool {
	return h.Rule != ByBasic && h.Rule != ByClosed && h.State != presence.Available && h.State != presence.Offline && !h.InCall()
}
