// Package pidf reads and writes presence documents: application/pidf+xml (RFC
// 3863) with the data model (RFC 4479), rich presence (RPID, RFC 4480) and the
// embedded show of XMPP (RFC 8048).
//
// [Parse] takes what is out there: the namespaces of drafts that phones still use,
// activities wherever they stand, what AG Projects, Cisco, Digium and linphone have
// added, and xpidf of the time before ([ParseX]). What it means is for package rich
// to say; here is only what was written.
//
// [Document.Append] writes one shape and always in the same order, because some
// phones find what they look for by its place or by the letters of its prefix.
package pidf
