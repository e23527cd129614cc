// Package ldap reads a directory of people by LDAP (RFC 4511), as OpenLDAP and
// Active Directory speak it, and checks passwords with it. A [Client] is a
// directory.Source.
//
// A password is checked by a simple bind as the entry that a search for the name
// finds (RFC 4513 §5.1.3), never with an empty password, which a directory takes
// for no question at all (§5.1.2). All connections are encrypted, but for those
// to this machine where the configuration says so. Referrals are not followed:
// they would take passwords to servers that nobody named.
//
// # Connections
//
// Logins share a few slots. Each has a connection for searches, bound as the
// account of the service, and one for the binds of others. Reading everything has
// a connection of its own. Every request has a deadline, and nothing that comes
// back may be larger than a limit.
//
// # What entries become
//
// person.go and groups.go are pure functions from entries to people and groups.
// What cannot be an address is left out and counted.
package ldap
