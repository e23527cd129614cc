package server

import "rollcall/xmpp/stanza"

// Action is what becomes of a stanza that has arrived at its destination.
type Action uint8

// The outcomes of RFC 6121 §8.5.
const (
	Ignore      Action = iota // dropped in silence
	Refuse                    // service-unavailable to the sender
	Store                     // kept until the account has a resource again
	ToMatch                   // to the very resource it names
	ToWilling                 // to all available resources of non-negative priority
	ToAvailable               // to all available resources
	Answer                    // the server answers on the account's behalf
)

// Situation is what the decision looks at.
type Situation struct {
	Kind    stanza.Kind
	Type    string // the stanza's type attribute
	Full    bool   // the address names a resource
	Exists  bool   // the account exists
	Alias   bool   // … one that stands for the account itself
	Match   bool   // a connected resource has that very address
	Willing bool   // there is an available resource with a priority of 0 or more
	Avail   bool   // there is an available resource
}

// Decide says what becomes of a stanza (RFC 6121 §8.5). Where the RFC leaves a
// choice, nothing is dropped that its sender could be told about, and a message
// for several resources goes to all of them.
func Decide(s Situation) Action {
	switch s.Kind {
	case stanza.Message:
		return decideMessage(s)
	case stanza.Presence:
		return decidePresence(s)
	case stanza.IQ:
		return decideIQ(s)
	}
	return Ignore
}

func decideMessage(s Situation) Action {
	if s.Type == "error" {
		if s.Full && s.Match {
			return ToMatch // §8.5.3.1
		}
		return Ignore // §8.5.1, §8.5.2.1.1, §8.5.2.2.1, §8.5.3.2.1
	}
	if !s.Exists {
		if s.Type == "headline" {
			return Ignore // as for an account that is not there, §8.5.1: nobody learns which it is
		}
		return Refuse // §8.5.1
	}
	if s.Full && !s.Alias {
		if s.Match {
			return ToMatch // §8.5.3.1
		}
		if s.Type != "chat" {
			if s.Type == "headline" {
				return Ignore // §8.5.3.2.1
			}
			return Refuse // §8.5.3.2.1
		}
		// §8.5.3.2.1: a chat message is treated as if to the bare JID.
	}
	switch s.Type {
	case "groupchat":
		return Refuse // §8.5.2.1.1, §8.5.2.2.1
	case "headline":
		if s.Willing {
			return ToWilling // §8.5.2.1.1
		}
		return Ignore // §8.5.2.2.1
	}
	if s.Willing {
		return ToWilling // §8.5.2.1.1
	}
	return Store // §8.5.2.2.1; only negative priorities count as none
}

func decidePresence(s Situation) Action {
	switch s.Type {
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe":
		return Answer // §8.5.2.1.2: the server handles these
	case "error":
		if s.Full && s.Match {
			return ToMatch
		}
		return Ignore
	}
	switch {
	case !s.Exists:
		return Ignore // §8.5.1
	case s.Full && s.Match:
		return ToMatch // §8.5.3.1
	case s.Full:
		return Ignore // §8.5.3.2.2
	case s.Avail:
		return ToAvailable // §8.5.2.1.2
	}
	return Ignore // §8.5.2.2.2
}

func decideIQ(s Situation) Action {
	request := s.Type == "get" || s.Type == "set"
	switch {
	case s.Full && s.Match:
		return ToMatch // §8.5.3.1
	case !request:
		return Ignore // §8.5.2.1.3, §8.5.3.2.3
	case s.Full && !s.Alias:
		return Refuse // §8.5.3.2.3
	}
	return Answer // §8.5.2.1.3: refused there if nothing answers, §8.5.1
}
