// Package reginfo reads and writes application/reginfo+xml (RFC 3680): which
// contacts are registered for an address, and why others are no more.
//
// [Parse] reads a document, a [Table] folds those of one subscription to a registrar,
// [Document.Append] writes one.
package reginfo
