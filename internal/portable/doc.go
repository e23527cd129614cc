// Package portable reads and writes accounts in the format in which XMPP servers
// hand them to one another (XEP-0227), so that people can move to this server
// and away from it.
//
// [Read] goes through a document, and through what it includes, one account at a
// time. It is lenient, since others have written it: what it does not know is
// counted, what is wrong is told with file and line and left out, and only XML
// that is broken ends it. [Document] writes one.
//
// What a file says of an account comes in sections, the children of <user/>: see
// the table in sections.go. Each has a reader and a writer there, and a field in
// [storage.Parcel], in which accounts travel.
package portable
