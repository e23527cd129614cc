// Package people learns what people say of themselves at a server that is not ours, for
// the phones that watch them (RFC 8048 §4.3).
//
// Each device asks in its own name: it subscribes to the presence of the person, who is
// asked by their own client, and answers once. Their server remembers the answer, so
// nothing is stored here: after a restart a device subscribes again, and who has agreed
// before is not asked a second time (RFC 6121 §3.1.3).
//
// What the clients of people say goes to the presence engine, under the same names as
// what clients here say. While the link is down nobody knows: what was said expires
// soon, and is asked for again when the link is back.
package people
