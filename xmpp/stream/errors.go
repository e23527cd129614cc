// Package stream cuts the byte stream of a peer into stanzas (RFC 6120 §4, §11).
//
// A Scanner checks that what it passes on is well-formed, namespace-correct and
// free of the constructs that RFC 6120 §11.1 forbids; it builds no tree and
// copies no bytes. Everything is validated before anything is forwarded.
package stream

import (
	mellium "mellium.im/xmpp/stream"
)

// Fault is what ends a stream: a condition of RFC 6120 §4.9.3, whose names are
// mellium's, and a text for people.
type Fault struct {
	Condition mellium.Error
	Text      string
	Extra     []byte // an application-specific condition (RFC 6120 §4.9.4), or nil
}

// Error implements error.
func (f *Fault) Error() string {
	if f.Text == "" {
		return "stream: " + f.Condition.Err
	}
	return "stream: " + f.Condition.Err + ": " + f.Text
}

// The faults that a scanner finds.
var (
	ErrNotWellFormed = &Fault{Condition: mellium.NotWellFormed}
	ErrRestrictedXML = &Fault{Condition: mellium.RestrictedXML, Text: "comments, processing instructions, document types and entities are not allowed"}
	ErrBadPrefix     = &Fault{Condition: mellium.BadNamespacePrefix}
	ErrEncoding      = &Fault{Condition: mellium.UnsupportedEncoding, Text: "only UTF-8 is supported"}
	ErrTooBig        = &Fault{Condition: mellium.PolicyViolation, Text: "stanza too big"}
	ErrTagTooBig     = &Fault{Condition: mellium.PolicyViolation, Text: "tag too big"}
	ErrTooDeep       = &Fault{Condition: mellium.PolicyViolation, Text: "nested too deep"}
	ErrTooManyAttrs  = &Fault{Condition: mellium.PolicyViolation, Text: "too many attributes"}
	ErrTooManyNS     = &Fault{Condition: mellium.PolicyViolation, Text: "too many namespace declarations"}
)

// End and Short are how a scanner says that nothing is wrong and there is no
// stanza either.
var (
	End   error = state("stream closed by peer")
	Short error = state("more input needed")
)

type state string

// Error implements error.
func (s state) Error() string { return string(s) }

const nsStreams = "urn:ietf:params:xml:ns:xmpp-streams"

// Append appends <stream:error/> for the fault.
func (f *Fault) Append(dst []byte) []byte {
	dst = append(append(dst, "<stream:error><"...), f.Condition.Err...)
	dst = append(dst, " xmlns='"+nsStreams+"'/>"...)
	if f.Text != "" {
		dst = append(append(dst, "<text xmlns='"+nsStreams+"' xml:lang='en'>"...), f.Text...)
		dst = append(dst, "</text>"...)
	}
	return append(append(dst, f.Extra...), "</stream:error>"...)
}
