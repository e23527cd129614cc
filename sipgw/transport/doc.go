// Package transport carries SIP: sockets, messages, transactions, limits
// (RFC 3261 §7, §17, §18; RFC 3581, 5626, 6026, 7118). It is the only package
// that knows the SIP library, and of that it uses the parser (parse.go).
//
// # What arrives
//
// A datagram or a framed piece of a stream is looked at before it is parsed:
// its size, its source's share, whether it is an answer that nobody waits for.
// Then it is parsed and checked; what cannot be a request is answered with a 400
// whose reason says which part is wrong. A request that is sent again gets the
// answer that it got before. Whatever is left goes to the [Handler] of its method,
// on the goroutine that read it: so the order in which a phone sends is kept, and
// a handler must not wait for anything slow. It can keep the request and answer
// later, from any goroutine.
//
// # What leaves
//
// [Transport.Send] and [Transport.Start] send a request of our own and tell its
// final answer. [Transport.Forward] passes on a request that came in, as a proxy
// does, [Transport.Relay] its responses. Nothing that is sent waits for the
// network: UDP does not, and streams have a bounded buffer each.
//
// # Where to
//
// A [Flow] is a socket and the address at its other end. Whoever is behind a NAT
// can be reached on the flow that its registration came by and on no other, so
// bindings, dialogs and subscriptions keep flows, and tokens of them go into Path
// and Record-Route (RFC 5626 §5).
package transport
