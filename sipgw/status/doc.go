// Package status makes of all that is known of a device what the presence engine is
// told of it, and of the person that it belongs to.
//
// The registrar says whether it can be reached, the qualifier whether it answers, its
// publications and its calls what it is engaged in. Each of these is a source of its
// own for the device. What it says of the device's owner comes from one source,
// "phone/" and the SIP user, unless several people share the device. Each time all of
// it is put together anew from what is so now (fold.go), so nothing has to be put
// back when a call ends or a phone starts anew.
package status
