package server

import (
	"testing"

	"rollcall/xmpp/stanza"
)

// The rows of RFC 6121 §8.5.4, and those that it leaves to the reader.
func TestDecide(t *testing.T) {
	const (
		bare, full = false, true
	)
	none := Situation{}
	nobody := Situation{Exists: true}
	negative := Situation{Exists: true, Avail: true}
	one := Situation{Exists: true, Avail: true, Willing: true}
	match := Situation{Exists: true, Avail: true, Willing: true, Match: true}
	bound := Situation{Exists: true, Match: true} // connected, not available
	for _, c := range []struct {
		kind stanza.Kind
		typ  string
		full bool
		s    Situation
		want Action
	}{
		// §8.5.1: no such account
		{stanza.Message, "", bare, none, Refuse},
		{stanza.Message, "chat", bare, none, Refuse},
		{stanza.Message, "chat", full, none, Refuse},
		{stanza.Message, "groupchat", bare, none, Refuse},
		{stanza.Message, "headline", bare, none, Ignore},
		{stanza.Message, "headline", full, none, Ignore},
		{stanza.Message, "error", bare, none, Ignore},
		{stanza.Presence, "", bare, none, Ignore},
		{stanza.Presence, "unavailable", full, none, Ignore},
		{stanza.Presence, "subscribe", bare, none, Answer},
		{stanza.Presence, "probe", bare, none, Answer},
		{stanza.IQ, "get", bare, none, Answer},
		{stanza.IQ, "get", full, none, Refuse},
		{stanza.IQ, "result", full, none, Ignore},
		// §8.5.2.1: bare, resources
		{stanza.Message, "", bare, one, ToWilling},
		{stanza.Message, "normal", bare, one, ToWilling},
		{stanza.Message, "chat", bare, one, ToWilling},
		{stanza.Message, "unheard-of", bare, one, ToWilling},
		{stanza.Message, "groupchat", bare, one, Refuse},
		{stanza.Message, "headline", bare, one, ToWilling},
		{stanza.Message, "error", bare, one, Ignore},
		{stanza.Message, "chat", bare, negative, Store},
		{stanza.Message, "headline", bare, negative, Ignore},
		{stanza.Presence, "", bare, one, ToAvailable},
		{stanza.Presence, "", bare, negative, ToAvailable},
		{stanza.Presence, "unavailable", bare, one, ToAvailable},
		{stanza.Presence, "subscribed", bare, one, Answer},
		{stanza.Presence, "error", bare, one, Ignore},
		{stanza.IQ, "set", bare, one, Answer},
		{stanza.IQ, "result", bare, one, Ignore},
		{stanza.IQ, "error", bare, one, Ignore},
		// §8.5.2.2: bare, no resources
		{stanza.Message, "", bare, nobody, Store},
		{stanza.Message, "chat", bare, nobody, Store},
		{stanza.Message, "groupchat", bare, nobody, Refuse},
		{stanza.Message, "headline", bare, nobody, Ignore},
		{stanza.Message, "error", bare, nobody, Ignore},
		{stanza.Presence, "", bare, nobody, Ignore},
		{stanza.IQ, "get", bare, nobody, Answer},
		// §8.5.3.1: full, that very resource
		{stanza.Message, "", full, match, ToMatch},
		{stanza.Message, "chat", full, bound, ToMatch},
		{stanza.Message, "groupchat", full, match, ToMatch},
		{stanza.Message, "headline", full, match, ToMatch},
		{stanza.Message, "error", full, match, ToMatch},
		{stanza.Presence, "", full, match, ToMatch},
		{stanza.Presence, "unavailable", full, bound, ToMatch},
		{stanza.Presence, "error", full, match, ToMatch},
		{stanza.IQ, "get", full, match, ToMatch},
		{stanza.IQ, "result", full, bound, ToMatch},
		// §8.5.3.2: full, another resource or none
		{stanza.Message, "", full, one, Refuse},
		{stanza.Message, "normal", full, nobody, Refuse},
		{stanza.Message, "chat", full, one, ToWilling},
		{stanza.Message, "chat", full, nobody, Store},
		{stanza.Message, "groupchat", full, one, Refuse},
		{stanza.Message, "headline", full, one, Ignore},
		{stanza.Message, "error", full, one, Ignore},
		{stanza.Presence, "", full, one, Ignore},
		{stanza.Presence, "unavailable", full, nobody, Ignore},
		{stanza.IQ, "get", full, one, Refuse},
		{stanza.IQ, "set", full, nobody, Refuse},
		{stanza.IQ, "error", full, one, Ignore},
		{stanza.Other, "", bare, one, Ignore},
	} {
		s := c.s
		s.Kind, s.Type, s.Full = c.kind, c.typ, c.full
		if got := Decide(s); got != c.want {
			t.Errorf("%s type=%q full=%v %+v: got %d want %d", c.kind, c.typ, c.full, c.s, got, c.want)
		}
	}
}
