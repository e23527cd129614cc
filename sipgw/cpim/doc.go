// Package cpim reads message/cpim (RFC 3862), in which some programs wrap what they
// send: headers of the message, then a MIME part.
package cpim
