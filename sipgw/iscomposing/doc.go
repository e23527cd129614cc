// Package iscomposing reads and writes application/im-iscomposing+xml (RFC 3994): that
// somebody is writing a message just now, or has stopped.
//
// A [Composer] decides when whoever writes says so, a [Watch] how long whoever reads
// believes it. Both are told the time and start nothing.
package iscomposing
