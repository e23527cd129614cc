// Package sipgw is the SIP side of the house: it puts together what lets phones,
// intercoms and the like register, publish what they do, and be contacts.
//
// Its parts are packages of their own, each knowing a piece of SIP: transport carries
// messages, door lets devices in, registrar and publish keep what they said, and
// status makes of it what the presence engine is told. Package contacts shows the
// devices to people as XMPP knows them, and message carries text both ways.
//
// It runs as a part of the server, or alone: uplink then makes it a component of another
// XMPP server, and people learns what those say of themselves whom phones watch.
package sipgw
