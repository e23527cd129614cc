// Package login proves to others who we are: the client's side of digest
// authentication (RFC 7616, RFC 8760, RFC 3261 §22).
//
// An [Account] remembers the last challenge and answers the next requests with it
// unasked, so that most of them need no second try (RFC 7616 §3.4). It never answers
// with more than the hash that was asked for, and neither it nor its errors show the
// secret.
package login
