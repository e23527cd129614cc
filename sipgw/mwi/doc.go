// Package mwi reads and writes application/simple-message-summary (RFC 3842): how
// many messages wait for somebody, which is what the lamp on a phone shows.
package mwi
