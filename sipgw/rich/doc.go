// Package rich translates between presence documents of SIP and what XMPP and the
// catalogue of states know: RFC 8048 for what both worlds have, and beyond it the
// activities of RPID (RFC 4480) and XEP-0108.
//
// [Read] makes of a document what it says of the person, and of each way to reach
// them. [Fill] makes a document of what a watcher is shown. Both are pure.
package rich
