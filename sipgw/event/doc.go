// Package event is the framework of SIP events (RFC 6665): its headers, and the two
// machines of a subscription, that of who is asked ([Notifier]) and that of who asks
// ([Subscriber]).
//
// The machines are values. Each thing that happens is a method that takes the clock
// and returns what is to be done; nothing is sent here and no timer runs. How often
// a watcher is told is a function too ([Due]).
package event
