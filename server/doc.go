// Package server routes stanzas between the sessions of local accounts, and
// gives each feature its turn.
//
// # The life of a stanza
//
// A connection's goroutine (package c2s) scans a stanza, whole and validated,
// and calls Server.Handle. Handle stamps the sender's full JID, finds out whom
// the stanza is for, asks the sender's Filter and takes it through the phases of
// leaving in the sender's account: Guard, Amend, Record, Copy. Then it is routed:
// to the server itself, to an annex, or to an account. There the pure function Decide says what
// RFC 6121 §8.5 wants of it. Whom the filters of the account and its sessions do
// not let in finds no such account. Else the phases of arriving may refuse, change,
// keep and copy it; what is to be kept goes to the Keeper; and what is to be
// delivered is spliced anew from the stanza's bytes and put into the outboxes of
// the receiver's sessions.
//
// All of that happens on the sender's goroutine, so what one sender sends stays
// in order without further machinery. An outbox never blocks: it is a bounded
// log, written out by a goroutine that runs while there is something to write.
//
// An error at any point climbs back to Handle, which makes exactly one error
// stanza of it, or none where none is due (RFC 6120 §8.3.1).
//
// # Annexes
//
// An Annex is a domain of ours that somebody else serves. What is for it is handed
// to its Service, which must not block; what the service sends comes by
// Annex.Handle, and is routed like all else. One that is a Host shows whoever comes all
// their contacts there at once, and is not asked for each of them. Link is the service at the other end
// of a stream.
//
// # Acknowledged means stored
//
// The Keeper hands out a ticket for what it takes in. A session remembers the
// last ticket of its client's stanzas, and an XEP-0198 ack waits until that is
// settled: WhenStored. Delivery does not wait.
//
// # Features
//
// A Feature registers handlers, and is described by its Info. Features don't
// know each other. What they share they get from outside.
package server
