package message

import (
	"strings"

	"rollcall/xmpp/stanza"
)

// Namespaces.
const (
	nsClient     = stanza.NSClient
	nsReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	nsStates     = "http://jabber.org/protocol/chatstates" // XEP-0085
	nsEncryption = "urn:xmpp:eme:0"                        // XEP-0380
	nsHints      = "urn:xmpp:hints"                        // XEP-0334
	nsErrors     = "urn:ietf:params:xml:ns:xmpp-stanzas"   // RFC 6120 §8.3
	nsXML        = "http://www.w3.org/XML/1998/namespace"  //
	axolotl      = "eu.siacs.conversations.axolotl"        // OMEMO before XEP-0380
)

// writing is what a chat state says of somebody: nothing, that they write, or that they
// do not.
type writing uint8

const (
	noState writing = iota
	writes
	idles
)

// said is what a stanza says to a device.
type said struct {
	text, subject, thread, lang string
	state                       writing
	receipt                     bool // is asked for
}

// Refusals of what a stanza says.
var (
	errRoom      = stanza.Refuse(stanza.ErrServiceUnavailable, "This is not a room")
	errEncrypted = stanza.Refuse(stanza.ErrNotAcceptable, "This device cannot read encrypted messages")
	errDeaf      = stanza.Refuse(stanza.ErrNotImplemented, "This device cannot receive text")
)

// readStanza reads a message to a device. XHTML and whatever else goes with a body are
// left aside.
func readStanza(st *stanza.Stanza) (said, error) {
	var m said
	switch {
	case st.IsType("groupchat"):
		return m, errRoom
	case st.HasSpace(nsEncryption) || st.HasSpace(axolotl):
		return m, errEncrypted
	}
	e, err := st.Element()
	if err != nil {
		return m, stanza.ErrBadRequest
	}
	lang := stanza.Text(st.Lang)
	if lang == "" {
		lang = stanza.Text([]byte(st.Inherits))
	}
	m.text, m.lang = pick(e, "body", lang)
	m.subject, _ = pick(e, "subject", m.lang)
	m.thread = e.ChildText(nsClient, "thread")
	m.receipt = e.Child(nsReceipts, "request") != nil
	for _, c := range e.Elements() {
		if c.Space == nsStates {
			m.state = stateOf(c.Local)
		}
	}
	return m, nil
}

// pick returns the text of one of several elements in different languages: of the one
// that is in the language asked for, or the first.
func pick(e *stanza.Element, name, lang string) (text, in string) {
	found := false
	for _, c := range e.Elements() {
		if !c.Is(nsClient, name) {
			continue
		}
		its := lang
		for _, a := range c.Attrs {
			if a.Space == nsXML && a.Local == "lang" {
				its = a.Value
			}
		}
		if !found || its == lang {
			text, in = c.Text(), its
		}
		if found = true; its == lang {
			break
		}
	}
	if !found {
		in = lang
	}
	return text, in
}

// stateOf is what a chat state says (RFC 7573 §6, Table 4).
func stateOf(name string) writing {
	switch name {
	case "composing":
		return writes
	case "active", "inactive", "paused":
		return idles
	}
	return noState // gone has no counterpart
}

// language returns a language tag as Content-Language takes it, or "".
func language(tag string) string {
	if len(tag) > 35 { // RFC 5646 §4.4.1
		return ""
	}
	for i := range len(tag) {
		if c := tag[i] | 0x20; (c < 'a' || c > 'z') && (tag[i] < '0' || tag[i] > '9') && tag[i] != '-' {
			return ""
		}
	}
	return strings.Trim(tag, "-")
}
