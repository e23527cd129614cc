// Package line makes one engagement of all the calls of a device: on a call, on
// hold, dialing, ringing, in a conference, or nothing.
//
// Everything here is a function of the dialogs and the clock, so nothing can stick:
// when a call is gone from the set, so is what it did. Calls whose end nobody told
// are found by [Audit]: a dialog must not outlive its session timer, the reboot of
// its phone, its source or half a day.
package line
