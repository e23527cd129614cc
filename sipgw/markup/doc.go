// Package markup reads the XML that SIP messages carry: presence, dialogs,
// registrations, lists.
//
// Phones and exchanges write it, and many write it badly. So a [Reader] is strict
// in what could be turned against us and lenient where only sloppiness is at stake:
// there are no DTDs with declarations, no entities but the five of XML and
// character references, and size, depth, attributes and the number of elements
// have limits; but an attribute without a value, a prefix that nobody declared and
// a wrong encoding in the XML declaration are taken as they were meant.
//
// What is read are parts of the document wherever that is possible, so reading
// allocates next to nothing, and what is kept for long should be cloned.
package markup
