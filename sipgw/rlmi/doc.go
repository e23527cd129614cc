// Package rlmi reads and writes the notifications of lists (RFC 4662): a body of
// several parts, of which the first, application/rlmi+xml, says which other part is
// the state of which resource.
//
// One subscription to a list takes the place of one for each lamp or friend: phones
// call it "BLF list".
package rlmi
