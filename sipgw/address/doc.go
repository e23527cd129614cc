// Package address maps addresses and errors between SIP and XMPP as RFC 7247 says:
// sip:o'malley@sip.example is o\27malley@sip.example, and a GRUU is a resource.
//
// Beyond it, telephone numbers have addresses in a domain of their own by a number
// [Plan]: tel:+49-30-1234 is +49301234@phones.example.org.
package address
