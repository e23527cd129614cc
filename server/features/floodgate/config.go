package floodgate

import "rollcall/xmpp/jid"

// Config says what one account may do, all its clients together. A count of 0
// sets no limit. It may change while the server runs: see [Feature.Configure].
type Config struct {
	// MessagesPerMinute is how many messages it may send to strangers, presence
	// that is for one of them in particular included.
	MessagesPerMinute int

	// AddressesPerHour is to how many strangers it may write that it has not
	// written to lately.
	AddressesPerHour int

	// SubscriptionsPerHour is how many strangers it may ask to be its contacts.
	SubscriptionsPerHour int

	// RequestsPerMinute is how many requests it may make of strangers, such as
	// for their vCards.
	RequestsPerMinute int

	// ContactMessagesPerMinute is how many messages it may send to contacts.
	ContactMessagesPerMinute int

	// PresencePerMinute is how often it may tell all its contacts that it is
	// available, or how, and what it publishes.
	PresencePerMinute int

	// ReceivedPerMinute is how many messages and subscription requests of
	// strangers one address gets, whoever sends them.
	ReceivedPerMinute int

	// RefusalsPerMinute is how often it may be refused before its stream is
	// closed.
	RefusalsPerMinute int

	// Exempt are accounts that are refused nothing, and that get what is sent to
	// them however much it is.
	Exempt []jid.Bare
}
