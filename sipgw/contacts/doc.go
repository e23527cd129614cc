// Package contacts shows the devices to people: it serves the domain of the devices as
// XMPP knows it. Each device is a contact with one resource, "/sip".
//
// It takes stanzas and sends stanzas, and it knows nothing of where they come from and
// go to, so it serves inside the server and as an external component (XEP-0114) alike.
//
// Who watches a device are those whom shared groups show it, and those who have
// subscribed to it by themselves, which is agreed to at once: what they see is a matter
// of levels (presence.Rules), and from whom a device is hidden gets the answer that a
// device gives which is not there. Watchers are told what has changed for them, and
// nothing else. Sessions that begin ask by probes, which their server sends for them.
//
// XMPP: RFC 6121 §3, §4; XEP-0030, XEP-0054, XEP-0092, XEP-0115, XEP-0153, XEP-0199.
package contacts
