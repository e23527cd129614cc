package carbons

import (
	"bytes"

	"rollcall/xmpp/stanza"
)

const (
	nsStates   = "http://jabber.org/protocol/chatstates"
	nsReceipts = "urn:xmpp:receipts"
	nsMarkers  = "urn:xmpp:chat-markers:0"
	nsHints    = "urn:xmpp:hints"
	nsMUCUser  = "http://jabber.org/protocol/muc#user"
	nsInvite   = "jabber:x:conference"
)

// Eligible says whether a message is to be copied (XEP-0280 §6.1); received
// tells an incoming one.
func Eligible(st *stanza.Stanza, received bool) bool {
	if st.IsType("groupchat") {
		return false
	}
	c := look(st)
	switch {
	case c.private || c.carbon:
		return false
	case c.invited:
		return true // of either kind, whatever the type
	case c.room && received:
		// A private message in a room: the room has sent it to each client
		// that is there.
		return false
	case st.IsType("chat"), c.im:
		return true
	case st.IsType("error"):
		// In answer to an eligible message. Nobody has to return what the
		// error is about: with nothing returned, it may have been.
		return c.body || !c.other
	case st.IsType("headline"):
		return false
	}
	return c.body // normal, or a type that nobody knows: RFC 6121 §5.2.2
}

// content is what the rules look at.
type content struct {
	body, im, room, invited bool
	private                 bool // must not be copied
	carbon                  bool // is a copy already
	other                   bool // has children that an error adds to
}

func look(st *stanza.Stanza) (c content) {
	for i := range st.Children {
		child := &st.Children[i]
		switch string(child.Space) {
		case stanza.NSClient:
			if string(child.Local) == "body" {
				c.body = true
			}
			if string(child.Local) == "error" {
				continue
			}
		case Namespace:
			switch string(child.Local) {
			case "private":
				c.private = true
			case "sent", "received":
				c.carbon = true
			}
		case nsHints:
			if string(child.Local) == "no-copy" {
				c.private = true
			}
		case nsReceipts, nsStates, nsMarkers:
			c.im = true
		case nsInvite:
			c.invited = true
		case nsMUCUser:
			c.room = true
			c.invited = c.invited || invitation(st.Bytes(child.Inner))
		}
		c.other = true
	}
	return c
}

// invitation reports whether <x/> of a room holds a mediated invitation, or
// that one is declined (XEP-0045 §7.8.2). A prefix is no obstacle.
func invitation(inner []byte) bool {
	for {
		_, rest, found := bytes.Cut(inner, []byte("<"))
		if !found {
			return false
		}
		name := rest
		if n := bytes.IndexAny(rest, " \t\r\n/>"); n >= 0 {
			name = rest[:n]
		}
		if i := bytes.IndexByte(name, ':'); i >= 0 {
			name = name[i+1:]
		}
		if string(name) == "invite" || string(name) == "decline" {
			return true
		}
		inner = rest
	}
}
