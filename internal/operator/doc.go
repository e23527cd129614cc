// Package operator is what the people who run a server can do to it, once,
// whoever asks: the command line, the control socket of a running server, or an
// administrator's client by ad-hoc commands (XEP-0133).
//
// An [Operation] has a name, fields and a function. Its fields have the names
// that XEP-0133 gives them, where it does, so that a form, a command and the
// socket say the same. A [Desk] is where operations are carried out: on a
// database, with the server that is running on it or without. Do checks the
// values, carries the operation out and notes who did what to whom.
package operator
