// Package crash tests the built program where it hurts: it is killed under
// load, stopped under load, and its database goes away under load. Whatever a
// sender saw acknowledged (XEP-0198) has to be there afterwards, and nothing may
// be there twice. What phones had, their registrations, calls, subscriptions and
// publications, goes on, and nobody is shown as available meanwhile who is not.
//
// The clients are small ones of this package, and speak to the program over
// loopback. The moments are random; a failure prints the seed that chose them,
// and the program's log.
package crash
