// Package badinput is a corpus of broken streams: what no client should send, and
// what a server has to take in its stride. Its test throws all of it at a server
// at once, while two people chat there who must not notice.
package badinput
