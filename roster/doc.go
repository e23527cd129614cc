// Package roster knows who knows whom: the items of an account's roster, the
// subscription states of RFC 6121 Appendix A, and roster versions.
//
// The rules are pure. [State.Outbound] and [State.Inbound] are the tables of
// Appendix A; [Config.Check] is the list of what a roster set may not hold. A
// [Roster] is an immutable picture of one account's roster, small enough to be
// kept for everybody who is online and free of locks for those who read it. A
// [Book] keeps such pictures, changes them one change at a time for each owner,
// and has a [Store] write every change before anybody sees it.
//
// Shared groups, which the operator or a directory of the organisation keeps, put
// people into each other's rosters. [Groups] changes them; a [Directory] is all of
// them at one moment, and a roster is shown together with what that says. Nothing
// of it is stored with anybody's roster.
//
// An entry that only records somebody's request to subscribe is hidden: the
// owner never put it into the roster, so clients do not see it until the owner
// approves (RFC 6121 §3.1.3).
package roster
