package archive

import "rollcall/xmpp/stanza"

const nsHints = "urn:xmpp:hints"

// Worth says whether a message is for archives at all: XEP-0313 §6.1.1 asks for
// those of type normal and chat with a body, and leaves open what else holds
// "meaningful content". Hints overrule (XEP-0334), but not in errors.
func Worth(st *stanza.Stanza) bool {
	if len(st.Children) == 0 || st.IsType("error") || st.IsType("groupchat") {
		return false
	}
	content, store := false, false
	for i := range st.Children {
		c := &st.Children[i]
		switch string(c.Space) {
		case nsHints:
			switch string(c.Local) {
			case "no-store", "no-permanent-store", "no-storage", "no-permanent-storage":
				return false
			case "store":
				store = true
			}
		case stanza.NSClient:
			content = content || string(c.Local) == "body"
		default:
			content = content || meaningful(c)
		}
	}
	return store || content && !st.IsType("headline")
}

// meaningful finds content without a body: encrypted messages, and what changes
// how an earlier message is shown.
func meaningful(c *stanza.Child) bool {
	switch string(c.Space) {
	case "eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2": // XEP-0384
		return string(c.Local) == "encrypted"
	case "urn:xmpp:openpgp:0": // XEP-0373
		return string(c.Local) == "openpgp"
	case "jabber:x:encrypted", // XEP-0027
		"jabber:x:conference",        // XEP-0249, an invitation
		"urn:xmpp:reactions:0",       // XEP-0444
		"urn:xmpp:message-retract:1", // XEP-0424
		"urn:xmpp:fasten:0",          // XEP-0422
		"urn:xmpp:message-correct:0": // XEP-0308
		return true
	case "urn:xmpp:receipts": // XEP-0184; a request comes with a body
		return string(c.Local) == "received"
	case "urn:xmpp:chat-markers:0": // XEP-0333
		return string(c.Local) != "markable"
	}
	return false
}
