package floodgate

import (
	"fmt"
	"time"

	xmppstanza "mellium.im/xmpp/stanza"
	mellium "mellium.im/xmpp/stream"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// limit is one of the limits.
type limit uint8

const (
	messages limit = iota
	addresses
	subscriptions
	requests
	contactMessages
	broadcasts
	received
	refusals
	numLimits
)

// names are for the log.
var names = [numLimits]string{
	messages: "messages to strangers", addresses: "addresses of strangers", subscriptions: "subscription requests",
	requests: "requests to strangers", contactMessages: "messages to contacts", broadcasts: "presence", received: "messages from strangers to one address",
	refusals: "refusals",
}

// texts are for people. What an address gets is said without a number, since
// others have a part in it.
var texts = [numLimits]string{
	messages:        "messages to people who are not your contacts: at most %d a minute",
	addresses:       "people whom you have not written to and who are not your contacts: at most %d an hour",
	subscriptions:   "requests to see somebody's presence: at most %d an hour",
	requests:        "requests to people who are not your contacts: at most %d a minute",
	contactMessages: "messages to contacts: at most %d a minute",
	broadcasts:      "changes of presence, and of what is published: at most %d a minute",
	received:        "too much comes to this address from people who are not its contacts",
}

// rules are a configuration, made ready.
type rules struct {
	count  [numLimits]int
	pace   [numLimits]server.Pace
	exempt map[jid.Bare]bool // whose stanzas pass; true: what is sent to them passes crowd, too
	crowd  *crowd            // nil: whoever gets messages gets them all
}

// newRules returns nil if there is nothing to limit.
func newRules(c Config, admins []jid.Bare) *rules {
	r := &rules{exempt: map[jid.Bare]bool{}}
	for _, set := range []struct {
		limit
		n      int
		period time.Duration
	}{
		{messages, c.MessagesPerMinute, time.Minute}, {addresses, c.AddressesPerHour, time.Hour},
		{subscriptions, c.SubscriptionsPerHour, time.Hour}, {requests, c.RequestsPerMinute, time.Minute},
		{contactMessages, c.ContactMessagesPerMinute, time.Minute}, {broadcasts, c.PresencePerMinute, time.Minute},
		{received, c.ReceivedPerMinute, time.Minute},
		{refusals, c.RefusalsPerMinute, time.Minute},
	} {
		r.count[set.limit], r.pace[set.limit] = set.n, server.PaceOf(set.n, set.period)
	}
	for _, j := range admins {
		r.exempt[j] = false
	}
	for _, j := range c.Exempt {
		r.exempt[j] = true
	}
	if r.pace[received].Limits() {
		r.crowd = new(crowd)
	}
	for l := range refusals {
		if r.pace[l].Limits() {
			return r
		}
	}
	return nil
}

// refusal is what somebody hears who is over a limit.
func (r *rules) refusal(over limit, wait time.Duration) error {
	text := texts[over]
	if over != received {
		text = fmt.Sprintf(text, r.count[over])
	}
	// RFC 6120 §8.3.3.12 has "modify" or "wait": here it is only too early.
	return &stanza.Error{
		Type: xmppstanza.Wait, Condition: xmppstanza.PolicyViolation, Text: text + "; go on in " + spell(wait),
		Extra: []byte("<too-many-stanzas xmlns='urn:xmpp:errors'/>"), // XEP-0205 §4.6
	}
}

// spell says how long something takes, and not a moment too little.
func spell(d time.Duration) string {
	n, unit := (d+time.Second-1)/time.Second, "second"
	if n > 120 {
		n, unit = (d+time.Minute-1)/time.Minute, "minute"
	}
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// errClosed ends the stream of somebody who does not listen.
var errClosed = &stream.Fault{Condition: mellium.PolicyViolation, Text: "too many stanzas were refused"}
