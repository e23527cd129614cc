// Package dialoginfo reads and writes application/dialog-info+xml (RFC 4235), what
// lamps on phones live on: which calls a phone or an address has.
//
// [Parse] reads a document and a [Table] folds the documents of one subscription
// into the dialogs that are live. A [View] writes one: full documents only, one
// version after the other for each subscription, and as much of the dialogs as the
// level of the watcher allows. Below level full that is one virtual dialog without
// names and numbers (RFC 4235 §3.7.2).
package dialoginfo
