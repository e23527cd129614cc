// Package message lets people and devices write to each other: it makes SIP MESSAGE of
// XMPP messages and the other way (RFC 7572, RFC 3428), and the same of being told that
// somebody is writing (RFC 7573 §6, RFC 3994, XEP-0085).
//
// # To a device
//
// [Service.Take] takes the stanza. Its text goes to all places where the device can be
// reached, one MESSAGE after another (RFC 3428 §8: no two at once), and the best answer
// is what the sender hears: nothing, a receipt if they asked for one (XEP-0184), or an
// error with the reason as its text (RFC 7247 §7). A device that has answered that it
// knows no MESSAGE is remembered, and is not asked again until it is another program.
//
// # From a device
//
// [Service.Serve] takes the request, if it is for a person, from a device that has proved
// who it is. It comes from ID@devices/sip whatever its From says. The answer is 200 when
// the server has taken the message, or what its error is in SIP.
//
// # What is remembered
//
// By RFC 7572 what comes from SIP is of type normal, which some clients show in a window
// of its own. So it is chat if the two have exchanged chat messages within a day. That
// and who is writing are in memory only, and bounded: after a restart the first message
// of a device is normal again.
//
// Nothing here answers by itself to what it takes, and errors are never made messages, so
// there are no loops. Texts are neither logged nor kept.
package message
