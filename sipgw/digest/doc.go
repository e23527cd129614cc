// Package digest finds out who sends a SIP request: the server's side of digest
// authentication (RFC 7616, RFC 8760, RFC 3261 §22).
//
// A [Verifier] challenges with SHA-256 first and MD5 after it, since most phones
// know nothing else, and checks the answers. It knows no secrets, only the hashes
// that the answers are made from ([Secrets]); those are as good as the secret for
// whoever wants to register, and for nothing else.
//
// A nonce is signed and carries when it was made, so that none has to be kept
// until it has been used: strangers cannot fill anything up. What is kept of those
// that were used is which counts (nc) were seen, for a bounded number of nonces. A
// nonce that was dropped for want of room counts as old from then on. A right
// answer to an old nonce, or with a count that was seen before, gets stale=true
// and has to be given again; so a request that somebody has listened to cannot be
// sent a second time.
//
// Whoever does not exist gets what a wrong secret gets, after the same work.
package digest
