// Package sasl is the server's side of SASL: SCRAM-SHA-1, -256 and -512 with and
// without channel binding (RFC 5802, RFC 7677), PLAIN (RFC 4616) and ANONYMOUS
// (RFC 4505, XEP-0175), as mechanisms of mellium.im/sasl.
//
// A [Server] is one attempt of one client. It takes decoded messages and gives
// decoded answers; base64 and XML are the stream's. Whatever a client sends, it
// gets an answer, a success, or an error that [Condition] translates to one of
// RFC 6120 §6.5. Errors say why, for the log, and never hold what was sent.
//
// # What is stored
//
// A password is turned into [Keys] and forgotten. PLAIN is verified against the
// keys of SCRAM-SHA-256, so an account needs those even if only PLAIN is used. An
// account whose password is kept elsewhere has none: [Passwords] checks it, and to
// SCRAM the account is a stranger.
//
// # What strangers can learn
//
// Nobody can tell by the answers whether an account exists. A stranger's name
// gets a salt that is made from a secret and never changes, the default number
// of iterations and all the work that a known name gets. Two things would give
// an account away: a salt of another length than [SaltSize], and an iteration
// count other than [Config].Iterations. Keys made by [NewKeys] have the former
// right. The latter shows after the configuration changes, for accounts whose
// password was set before; setting the password again puts it right.
package sasl
