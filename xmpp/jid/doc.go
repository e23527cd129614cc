// Package jid holds XMPP addresses (RFC 7622) as small comparable values.
//
// A [JID] or a [Bare] is always in canonical form, so == says whether two
// addresses are the same and both may be keys of a map. Most addresses on the
// wire are lower-case ASCII and already canonical: they are checked in one pass
// and kept as they are. Everything else goes through PRECIS and IDNA as
// mellium.im/xmpp/jid does them.
//
// Parsing a canonical address gives the same address again. PRECIS alone does
// not promise that, so preparation is repeated until nothing changes
// (RFC 8264 §7), and what does not settle is malformed.
//
// XML entities must be resolved before an address comes here.
package jid
