// Package uplink connects the domain of the devices to an XMPP server that is not
// ours, as an external component of it (XEP-0114).
//
// # The stream
//
// mellium.im/xmpp opens it and proves the secret. What it has read on the way is then
// read once more by our own scanner, and so is all that follows: nothing that has not
// been scanned whole goes on, and everything has a limit.
//
// # When it breaks
//
// [Link.Run] connects again and again, waiting longer each time up to a bound, a little
// more or less so that not all come at once. Each reason is logged once. Whoever sends
// meanwhile is told: nothing is kept, since what is presence is told anew by
// [Parts.Up], and whoever has sent a text learns that it did not leave.
//
// # What has arrived
//
// The protocol acknowledges nothing. But stanzas of one stream are handled in their
// order, so that the answer to a ping says that all before it has arrived: that is how
// [Link.Stored] knows. A ping that nobody answers finds out as well that the
// connection is dead.
package uplink
